"""Which images a folder of class folders holds; none is read here."""

import os
import re
from pathlib import Path

from tasks.data.own.class_names import check_class_names
from tasks.data.own.class_names import check_name
from tasks.data.own.class_names import listed
from tasks.data.own.label_tables import check_are_classes
from tasks.data.own.label_tables import check_no_labels
from tasks.data.own.split_names import EXPECTED
from tasks.data.own.split_names import SPLITS
from tasks.experiment.errors import UserError

SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".gif", ".tif", ".tiff")
# Folders inside a class folder: that of its images, and those left beside it.
_INNER = {"images", "image", "imgs"}
_BESIDE = re.compile(".*masks?|segmentations?|annotations?|bboxes")
_JUNK = {"thumbs.db", "desktop.ini", "__macosx"}  # And what is hidden by a dot.


def list_images(folder: Path) -> dict[str, dict[str, list[Path]]]:
    """The images of a folder by split and by class.

    Hidden files and those that systems leave are skipped. Links may not lead out of
    the folder.

    Args:
        folder: Holds a folder per class; or folders of splits (`split_names`), and
            nothing else, each with a folder per class. A class folder holds images,
            or a folder `images` and perhaps `masks`.

    Returns:
        For each split, or `"train"` where there are none, the files of each class,
        all sorted by name.

    Raises:
        UserError: If the folder is no such, or a name or a link in it is unsafe.
    """
    root = folder.resolve()
    entries = _entries(folder, root)
    folders = _folders(entries, folder)
    if folders and all(name.lower() in SPLITS for name in folders):
        found = {split: _classes(path, root) for split, path in _splits(folders)}
        if "train" not in found:
            raise UserError(
                f"{folder} holds {listed([*folders])}, which are splits, and no train"
            )
    else:
        found = {"train": _classes(folder, root)}
    names = sorted({name for own in found.values() for name in own})
    check_class_names(names, f"{folder}")
    return found


def _splits(folders):
    found = {}
    for name, path in folders.items():
        split = SPLITS[name.lower()]
        if split in found:
            raise UserError(
                f"{path.parent} holds both {found[split].name} and {name}. Merge them"
            )
        found[split] = path
    return found.items()


def _classes(folder, root):
    """Images by class, the names in Unicode's composed form."""
    entries = _entries(folder, root)
    folders = _folders(entries, folder)
    if not folders:
        raise UserError(
            f"{folder} holds no folders. Expected one per class with its images, or "
            f"{EXPECTED} with one per class in each"
        )
    check_are_classes([*folders], folder)
    names = [check_name(name, f"{folder}") for name in folders]
    check_class_names(names, f"{folder}")
    images = [_images(path, root) for path in folders.values()]
    check_no_labels(folder, [e for e in entries if e.is_file()], images)
    return dict(sorted(zip(names, images, strict=True)))


def _folders(entries, folder):
    """The folders in a folder by name; images beside them are refused."""
    folders = {entry.name: Path(entry.path) for entry in entries if entry.is_dir()}
    loose = [e.name for e in entries if e.name.lower().endswith(SUFFIXES)]
    loose = [name for name in loose if name not in folders]
    if loose:
        raise UserError(
            f"{folder} holds images outside class folders, such as {loose[0]!r} "
            f"({len(loose)} in all). Expected a folder per class; labels from a table "
            "are not read"
        )
    return folders


def _images(folder, root):
    entries = _entries(folder, root)
    if not entries:
        raise UserError(f"{folder} holds no images. Add some, or remove the folder")
    inner = {entry.name.lower(): entry for entry in entries if entry.is_dir()}
    if len(inner) == len(entries) and len(_INNER & set(inner)) == 1:
        (name,) = _INNER & set(inner)
        left = sorted(set(inner) - {name})
        if all(map(_BESIDE.fullmatch, left)):
            if left:
                print(f"note: {folder}: not read: {listed(left)}")
            return _images(Path(inner[name].path), root)
    wrong = [
        entry.name
        for entry in entries
        if not (entry.is_file() and entry.name.lower().endswith(SUFFIXES))
    ]
    if wrong:
        raise UserError(
            f"{folder} is taken for a class, and holds {wrong[0]!r} ({len(wrong)} "
            f"such), which is no file named as an image ({' '.join(SUFFIXES)}). "
            f"Remove it. Splits are folders named {EXPECTED}"
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
