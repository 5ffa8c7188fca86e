"""Folders of images whose labels are in a table: told apart from class folders."""

import csv
import os
import re
from collections.abc import Sequence
from pathlib import Path

from tasks.data.own.class_names import listed
from tasks.experiment.errors import UserError

_TABLES = (".csv", ".tsv", ".tab", ".txt")
_READ = 2**16  # Bytes of a table that are looked at.
# What parts of a data set are called; no class is called by such words alone.
_PARTS = re.compile(
    "(images?|imgs?|photos?|pictures?|pics?|frames?|slices?|parts?|chunks?|batch(es)?|"
    "folds?|shards?|volumes?|data|dataset|train(ing)?|test(ing)?|val|valid|"
    "validation|masks?|annotations?|segmentations?|labels?)"
)
ADVICE = (
    "Labels from a table: --labels=FILE, such as metadata.csv, names it. Else sort the "
    "images into a folder per class, such as cat/1.jpg"
)


def check_are_classes(names: Sequence[str], folder: Path) -> None:
    """Refuse folders that are named as parts of a data set, not as classes.

    Such as `images_part_1` and `images_part_2`, or `train_images` and `masks`.

    Args:
        names: Of all folders in `folder`.
        folder: For the message.

    Raises:
        UserError: If all are.
    """
    if are_parts(names):
        inside = f"If its folders are the classes, give --data_dir={folder / names[0]}"
        raise UserError(
            f"{folder} holds {listed(names)}, by name parts of a data set and not "
            f"classes. {ADVICE}. "
            + (inside if len(names) == 1 else "If they are classes, rename them")
        )


def are_parts(names: Sequence[str]) -> bool:
    """Whether folders are named as parts of a data set, not as classes."""
    words = [re.findall("[a-z]+", name.lower()) for name in names]
    shared = set.intersection(*map(set, words)) if len(names) > 1 else set()
    own = [[w for w in ws if w not in shared or _PARTS.fullmatch(w)] for ws in words]
    return all(ws and all(map(_PARTS.fullmatch, ws)) for ws in own)


def check_no_labels(
    folder: Path, files: Sequence[os.DirEntry], images: Sequence[Path]
) -> None:
    """Refuse class folders beside a table that lists their images.

    Args:
        folder: Holds the class folders.
        files: Beside them.
        images: The files of all class folders.

    Raises:
        UserError: If a table does.
    """
    tables = [Path(e.path) for e in files if e.name.lower().endswith(_TABLES)]
    if not tables:
        return
    names = {name for path in images for name in (path.name, path.stem)}
    for table in tables:
        column = _column_of(table, names)
        if column is not None:
            raise UserError(
                f"{table} lists the images of the folders beside it, in its column "
                f"{column!r}, so labels may be there and not in the folders' names. If "
                f"so, give --labels={table.name}; if the folders are the classes, move "
                "the table elsewhere"
            )


def _column_of(table, names):
    """The head of a table's column that holds names of images, or None."""
    try:
        with open(table, "rb") as file:
            text = file.read(_READ).decode(errors="replace")
    except OSError as error:
        raise UserError(f"{table} cannot be read: {error.strerror}") from error
    lines = [line for line in text.splitlines() if line.strip()]
    if not lines:
        return None
    delimiter = max(",;\t ", key=lines[0].count)
    try:
        heads, *rows = csv.reader(lines[:200], delimiter=delimiter)
    except csv.Error:  # No table.
        return None
    for k, head in enumerate(heads):
        cells = [Path(row[k].strip()).name for row in rows if len(row) > k]
        if cells and sum(cell in names for cell in cells) > len(cells) / 2:
            return head
    return None
