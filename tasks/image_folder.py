"""Which images a folder of class folders holds; none is read here."""

import os
from pathlib import Path

from tasks.class_names import check_distinct
from tasks.class_names import check_name
from tasks.task import UserError

SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".gif")
# Names of folders, and the split that each is.
SPLITS = {
    "train": "train",
    "validation": "validation",
    "val": "validation",
    "test": "test",
}
_JUNK = {"thumbs.db", "desktop.ini", "__macosx"}  # And what is hidden by a dot.


def list_images(folder: Path) -> dict[str, dict[str, list[Path]]]:
    """The images of a folder by split and by class.

    Hidden files and those that systems leave are skipped. Links may not lead out of
    the folder.

    Args:
        folder: Holds a folder per class; or a folder `train` and perhaps `validation`
            (or `val`) and `test`, and nothing else, each with a folder per class.

    Returns:
        For each split, or `"train"` where there are none, the files of each class,
        all sorted by name.

    Raises:
        UserError: If the folder is no such, or a name or a link in it is unsafe.
    """
    root = folder.resolve()
    folders = _folders(folder, root)
    if "train" in folders and set(folders) <= set(SPLITS):
        if {"val", "validation"} <= set(folders):
            raise UserError(f"{folder} holds both val and validation. Merge them")
        found = {SPLITS[n]: _classes(path, root) for n, path in folders.items()}
    else:
        found = {"train": _classes(folder, root)}
    check_distinct({name for own in found.values() for name in own}, f"{folder}")
    return found


def _classes(folder, root):
    """Images by class, the names in Unicode's composed form."""
    folders = _folders(folder, root)
    if not folders:
        raise UserError(
            f"{folder} holds no folders. Expected one per class with its images, or "
            "train, validation and test with one per class in each"
        )
    names = [check_name(name, f"{folder}") for name in folders]
    check_distinct(names, f"{folder}")
    images = [_images(path, root) for path in folders.values()]
    return dict(sorted(zip(names, images, strict=True)))


def _folders(folder, root):
    """The folders in a folder by name; images beside them are refused."""
    entries = _entries(folder, root)
    folders = {entry.name: Path(entry.path) for entry in entries if entry.is_dir()}
    loose = [e.name for e in entries if e.name.lower().endswith(SUFFIXES)]
    loose = [name for name in loose if name not in folders]
    if loose:
        raise UserError(
            f"{folder} holds images outside class folders, such as {loose[0]!r} "
            f"({len(loose)} in all). Expected a folder per class"
        )
    return folders


def _images(folder, root):
    entries = _entries(folder, root)
    if not entries:
        raise UserError(f"{folder} holds no images. Add some, or remove the folder")
    wrong = [
        entry.name
        for entry in entries
        if not (entry.is_file() and entry.name.lower().endswith(SUFFIXES))
    ]
    if wrong:
        raise UserError(
            f"{folder} is taken for a class, and holds {wrong[0]!r} ({len(wrong)} "
            f"such), which is no file named as an image ({' '.join(SUFFIXES)}). "
            f"Remove it. Splits are folders named {', '.join(SPLITS)}"
        )
    return [Path(entry.path) for entry in entries]


def _entries(folder, root):
    try:
        entries = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError as error:
        raise UserError(f"{folder} cannot be read: {error.strerror}") from error
    entries = [
        entry
        for entry in entries
        if not entry.name.startswith(".") and entry.name.lower() not in _JUNK
    ]
    for entry in entries:
        check_name(entry.name, f"{folder}")
        if entry.is_symlink():
            _check_link(Path(entry.path), root)
    return entries


def _check_link(path, root):
    try:
        target = path.resolve(strict=True)
    except (OSError, RuntimeError) as error:  # Broken, or a circle.
        raise UserError(f"{path} is a link that leads nowhere. Remove it") from error
    if not target.is_relative_to(root):
        raise UserError(
            f"{path} is a link to {target}, outside {root}. Copy what it leads to, or "
            "remove it"
        )
