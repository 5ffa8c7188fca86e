"""Which tables hold the labels of a folder of photographs."""

import contextlib
import io
from pathlib import Path

from tasks.data.own.class_names import listed
from tasks.data.own.image_names import ImageNames
from tasks.data.own.image_walk import entries
from tasks.data.own.image_walk import is_image
from tasks.data.own.label_columns import find_columns
from tasks.data.own.label_tables import are_parts
from tasks.data.own.split_names import split_in
from tasks.data.own.table_files import is_table
from tasks.data.own.table_files import read_table
from tasks.experiment.errors import UserError
from tasks.experiment.settings import Settings

_TRIED = 1000  # Rows that are read to see what a table is.
_DEEPEST = 3  # Folders of parts in folders of parts.


def labels_are_elsewhere(folder: Path, depth: int = 0) -> bool:
    """Whether images lie so that the folders around them cannot be their classes.

    That is, in the folder itself, or in one folder, or in several named as parts,
    such as `images_part_1` or `train`.

    Args:
        folder: Of images.
        depth: Of it, in the one that a user names.

    Raises:
        UserError: If a name or a link in it is unsafe.
    """
    own = entries(folder, folder.resolve())
    folders = {entry.name: Path(entry.path) for entry in own if entry.is_dir()}
    if any(is_image(entry.name) for entry in own if entry.name not in folders):
        return True
    may_be = len(folders) == 1 or (folders and are_parts([*folders]))
    if not may_be or depth > _DEEPEST:
        return False
    return any(labels_are_elsewhere(path, depth + 1) for path in folders.values())


def find_tables(folder: Path, names: ImageNames, settings: Settings) -> dict[str, Path]:
    """The tables of labels by split; one alone is `"train"`.

    Args:
        folder: Of the images. Tables beside them are found by themselves.
        names: The images.
        settings: With `labels`, and which columns are to be read.

    Raises:
        UserError: If `labels` names no file, or several tables may be meant.
    """
    if settings.labels is None:
        near = _tables_in(folder)
        if len(near) == 1 and (settings.label or settings.id):
            return {"train": near[0]}  # Whose fault is then told.
        usable = [path for path in near if _is_usable(path, names, settings)]
        by_split = [path for path in usable if split_in(path.name)]
        train = [path for path in by_split if split_in(path.name) == "train"]
        return _by_split(by_split if train else usable, folder)
    # An absolute path stays what it is.
    path = folder / settings.labels
    if not path.is_file():
        raise UserError(
            f"--labels={settings.labels}: {path} is no file. Expected a table, beside "
            "the images or by its absolute path"
        )
    if split_in(path.name) != "train":
        return {"train": path}
    near = [own for own in _tables_in(path.parent) if split_in(own.name)]
    near = [own for own in near if split_in(own.name) != "train"]
    usable = [own for own in near if _is_usable(own, names, settings)]
    for own in near:
        if own not in usable:
            print(
                f"note: {own.name} is not read: it does not hold both names of images "
                "and labels"
            )
    return _by_split([path, *usable], folder)


def _tables_in(folder):
    paths = [path for path in sorted(folder.iterdir()) if is_table(path)]
    return [path for path in paths if path.is_file() and path.name[0] != "."]


def _by_split(paths, folder):
    found: dict[str, Path] = {}
    for path in paths:
        split = split_in(path.name) or "train"
        if split in found:
            raise UserError(
                f"{folder}: {listed([found[split].name, path.name])} may each hold the "
                "labels. Give one by --labels=FILE"
            )
        found[split] = path
    return found if "train" in found else {}


def _is_usable(path, names, settings):
    """Whether a table names images and their labels."""
    asked = settings.id[0] if settings.id else None
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            frame = read_table(path, as_text=True, rows=_TRIED)
            find_columns(frame, names, asked, settings.label, path)
    except UserError:
        return False
    return True
