"""Photographs whose labels are in a table: which file each row is of."""

from collections import Counter
from pathlib import Path
from typing import Any
from typing import NamedTuple

import numpy as np

from tasks.data.own.class_names import listed
from tasks.data.own.image_names import ImageNames
from tasks.data.own.image_walk import files_below
from tasks.data.own.label_columns import Columns
from tasks.data.own.label_columns import find_columns
from tasks.data.own.label_columns import is_group
from tasks.data.own.label_columns import numbers
from tasks.data.own.label_files import find_tables
from tasks.data.own.listing import Listing
from tasks.data.own.split_names import split_in
from tasks.data.own.split_names import split_of
from tasks.data.own.table_files import load_pandas
from tasks.data.own.table_files import read_table
from tasks.data.own.table_labels import classes_of
from tasks.experiment.errors import UserError
from tasks.experiment.settings import Settings

FOLDER = "folder"  # As a group: the folder that a photograph is in.


class _Rows(NamedTuple):
    """Rows of tables. All but `names` are pandas series or None."""

    names: list[str]
    labels: Any
    splits: Any
    groups: Any


def list_labelled(folder: Path, settings: Settings) -> Listing | None:
    """The images of a folder that a table lists, with their labels.

    Args:
        folder: Holds the images, at any depth.
        settings: Which table it is, and which columns.

    Returns:
        The images that have a label, in order of their paths; None if no table is
        named and none is found.

    Raises:
        UserError: If it is not clear what a table says, or it contradicts itself.
    """
    root = folder.resolve()
    images = files_below(folder, root).images
    names = ImageNames(images, root)
    tables = find_tables(folder, names, settings)
    if not tables:
        return None
    if not images:
        raise UserError(f"{folder} holds no images")
    rows, defaults = _read(tables, names, settings)
    path = tables["train"]
    files, rows = _with_files(rows, names, path)
    files, rows = _one_row_a_file(files, rows, names, path)
    drop = settings.missing == "drop"
    labels, kept, class_names = classes_of(rows.labels, path, drop)
    left = len(images) - len(files)
    if left:
        print(f"note: {left} of {len(images)} images are in no row and are not read")
    paths = [images[k] for k in files]
    splits = _splits(rows, paths, root, len(tables))
    groups = _groups(rows, paths)
    return Listing(
        [path for path, own in zip(paths, kept) if own],
        labels[kept],
        splits[kept],
        class_names,
        None if groups is None else groups[kept],
        defaults,
    )


def _read(tables, names, settings):
    """The rows of all tables, what each says, and what flags mean by default."""
    parts, defaults = [], {}
    for split, path in tables.items():
        frame = read_table(path, as_text=True)
        columns = find_columns(frame, names, _asked_id(settings), settings.label, path)
        defaults = defaults or _defaults(frame, names, path)
        print(
            f"note: {path.name}: labels are in {listed(columns.labels)}, the names of "
            f"images in {columns.id!r}"
        )
        splits = _split_of_rows(frame, columns, split)
        groups = _group_of_rows(frame, columns, settings.group, path)
        ids = frame[columns.id].astype(object).where(frame[columns.id].notna(), "")
        parts.append((ids.map(str), _labels(frame, columns, path), splits, groups))
    concat = load_pandas().concat
    ids, labels, splits, groups = (
        None if own[0] is None else concat(own, ignore_index=True)
        for own in zip(*parts, strict=True)
    )
    return _Rows(ids.tolist(), _as_numbers(labels), splits, groups), defaults


def _defaults(frame, names, path):
    try:
        usual = find_columns(frame, names, None, None, path)
    except UserError:
        return {}
    return {"label": ",".join(usual.labels), "id": [usual.id]}


def _asked_id(settings):
    if len(settings.id) > 1:
        raise UserError(
            f"--id={','.join(settings.id)}: of photographs, give the one column that "
            "names them"
        )
    return settings.id[0] if settings.id else None


def _split_of_rows(frame, columns: Columns, split):
    if columns.split:
        return frame[columns.split].map(split_of)
    return load_pandas().Series(split, frame.index)


def _group_of_rows(frame, columns: Columns, group, path):
    """A series of texts, missing where a row is of no group; None if none is asked."""
    if group in frame.columns:
        return frame[group]
    if group == FOLDER:
        return load_pandas().Series(FOLDER, frame.index)
    if group is not None:
        raise UserError(
            f"--group={group}: {path} holds no such column. Its columns: "
            f"{listed([*frame.columns], 20)}"
        )
    for name in frame.columns:
        own = frame[name].dropna()
        shared = own.duplicated(keep=False).sum()
        if name != columns.id and is_group(name) and shared:
            print(
                f"note: several photographs are of one {name!r} ({shared} of "
                f"{len(frame)} rows share theirs). Where splits are drawn, they may be "
                f"in train and test at once, and the scores too high: --group={name} "
                "keeps them together"
            )
    return None


def _labels(frame, columns: Columns, path):
    """Labels as a series; of columns of 0 and 1 the names of those that hold 1."""
    if len(columns.labels) == 1:
        return frame[columns.labels[0]]
    marks = np.stack([numbers(frame[name]) for name in columns.labels], axis=1)
    wrong = ~(np.isin(marks, (0, 1)).all(axis=1) & (marks.sum(axis=1) == 1))
    if wrong.any():
        raise UserError(
            f"{path}: the columns {listed(columns.labels)} are to hold 1 in that of a "
            f"row's class and else 0, and {wrong.sum()} of {len(wrong)} rows do not, "
            f"the first of them row {1 + wrong.argmax()}. A sample must be of one "
            "class. If the label is in one column, give --label=NAME"
        )
    unused = [name for name, used in zip(columns.labels, marks.any(axis=0)) if not used]
    if unused:
        print(f"note: {path.name}: no row is of the class {listed(unused)}")
    found = np.array(columns.labels, object)[marks.argmax(axis=1)]
    return load_pandas().Series(found, frame.index, name=", ".join(columns.labels))


def _as_numbers(labels):
    """Labels as numbers if all that are there are, so that 10 comes after 9."""
    values = numbers(labels)
    if not np.isfinite(values[labels.notna()]).all():
        return labels
    return load_pandas().Series(values, labels.index, name=labels.name)


def _with_files(rows, names, path):
    """The file of each row that has one, by number, and these rows."""
    hits = [names.rows(name) for name in rows.names]
    several = [row for row, hit in enumerate(hits) if len(hit) > 1]
    if several:
        first, other, *_ = (names.paths[k] for k in hits[several[0]])
        raise UserError(
            f"{path}: {len(several)} rows name several files, such as "
            f"{rows.names[several[0]]!r}: {first} and {other}. Write names with their "
            "suffix, and with the folder where it tells them apart"
        )
    found = [row for row, hit in enumerate(hits) if hit]
    lacking = [rows.names[row] for row, hit in enumerate(hits) if not hit]
    if not found:
        raise UserError(f"{path}: no row names an image. Received: {listed(lacking)}")
    if lacking:
        print(
            f"note: {path.name}: {len(lacking)} of {len(hits)} rows name no image that "
            f"is there, and are left out: {listed(lacking)}"
        )
    return [hits[row][0] for row in found], _chosen(rows, found)


def _one_row_a_file(files, rows, names, path):
    """Files in order, each with its first row; others must say the same."""
    said = rows.labels.where(rows.labels.notna(), "").astype(str)
    said += "\0" + rows.splits.astype(str)
    first: dict[int, int] = {}
    again, differing = 0, []
    for row, file in enumerate(files):
        own = first.setdefault(file, row)
        again += own != row
        if said.iloc[own] != said.iloc[row]:
            differing.append((file, own, row))
    if differing:
        file, one, other = differing[0]
        says = [
            f"{rows.labels.iloc[r]!s} ({rows.splits.iloc[r]})" for r in (one, other)
        ]
        raise UserError(
            f"{path}: {len(differing)} rows contradict another one of the same image, "
            f"such as {names.paths[file].name!r}: {says[0]} and {says[1]}. Leave the "
            "row that counts"
        )
    if again:
        print(f"note: {path.name}: {again} rows repeat another one of the same image")
    order = sorted(first)
    return order, _chosen(rows, [first[file] for file in order])


def _chosen(rows, which):
    chosen = [None if own is None else own.iloc[which] for own in rows[1:]]
    return _Rows([rows.names[k] for k in which], *chosen)


def _splits(rows, paths, root, tables):
    """The split of each; by folders such as train/ where tables say nothing."""
    splits = rows.splits.to_numpy(str)
    if tables > 1 or len({*splits}) > 1:
        return splits
    own = [split_in(path.relative_to(root).parts[0]) for path in paths]
    found = Counter(own)
    if None in found or len(found) == 1 or "train" not in found:
        return splits
    print(f"note: splits are those of the folders: {dict(found)}")
    return np.array(own)


def _groups(rows, paths):
    if rows.groups is None:
        return None
    # A row without a group is one of its own.
    own = zip(rows.groups, rows.groups.notna(), paths, strict=True)
    return np.array(
        [
            str(path.parent if group == FOLDER else group) if known else str(path)
            for group, known, path in own
        ]
    )
