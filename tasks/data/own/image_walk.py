"""The image files below a folder, at any depth; none is read here."""

import os
import re
from dataclasses import dataclass
from dataclasses import field
from pathlib import Path

from tasks.data.own.class_names import check_name
from tasks.experiment.errors import UserError

SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".gif", ".tif", ".tiff")
_JUNK = {"thumbs.db", "desktop.ini", "__macosx"}  # And what is hidden by a dot.
_DEEPEST = 20  # Folders in folders.
# What lies beside images: folders, and files named after an image.
_MASKS = re.compile("(?!with).*masks?|segmentations?|annotations?|bboxes")
_MASK = re.compile(r"(.+?)[ _-]*(mask|segmentation)([ _-]?\d+)?", re.IGNORECASE)


@dataclass(frozen=True)
class Below:
    """What is below a folder, in order.

    Attributes:
        images: Files named as images.
        masks: Folders of masks beside images, and files such as `x_mask.png` beside
            `x.png`.
        others: All other files.
    """

    images: list[Path] = field(default_factory=list)
    masks: list[Path] = field(default_factory=list)
    others: list[Path] = field(default_factory=list)


def files_below(folder: Path, root: Path) -> Below:
    """The files below a folder.

    Hidden files and those that systems leave are skipped. Links may lead to files and
    folders below `root`, and to each folder once.

    Args:
        folder: Where to look, `root` or below it.
        root: Resolved.

    Raises:
        UserError: If a name or a link is unsafe, or a folder cannot be read.
    """
    found = Below()
    _walk(folder, root, found, [folder.resolve()], 0)
    return found


def _walk(folder, root, found, seen, depth):
    if depth > _DEEPEST:
        raise UserError(f"{folder} is more than {_DEEPEST} folders deep")
    own = entries(folder, root)
    masks = _masks_of(own)
    for entry in own:
        path = Path(entry.path)
        if entry.name in masks:
            found.masks.append(path)
        elif entry.is_dir():
            _check_is_new(path, seen)
            _walk(path, root, found, seen, depth + 1)
        elif entry.is_file() and is_image(entry.name):
            found.images.append(path)
        else:
            found.others.append(path)


def is_image(name: str) -> bool:
    """Whether a file is by its name an image."""
    return name.lower().endswith(SUFFIXES)


def _masks_of(own):
    """The names of what holds masks, beside images or folders of images."""
    folders = {entry.name for entry in own if entry.is_dir()}
    files = {entry.name for entry in own} - folders
    stems = {os.path.splitext(name)[0] for name in files if is_image(name)}
    masks = {name for name in folders if _MASKS.fullmatch(name.lower())}
    if not stems and masks == folders:
        masks = set()  # Then they hold what there is.
    named = {name: _MASK.fullmatch(os.path.splitext(name)[0]) for name in files}
    return masks | {name for name, of in named.items() if of and of[1] in stems}


def _check_is_new(path, seen):
    if not path.is_symlink():
        return
    target = path.resolve()
    if any(target.is_relative_to(o) or o.is_relative_to(target) for o in seen):
        raise UserError(
            f"{path} is a link to {target}, which is read already. Remove it"
        )
    seen.append(target)


def entries(folder: Path, root: Path) -> list[os.DirEntry]:
    """What a folder holds, sorted by name, without hidden files and such.

    Args:
        folder: The folder.
        root: Where links may not lead out of, resolved.

    Raises:
        UserError: If it cannot be read, or a name or a link is unsafe.
    """
    try:
        own = sorted(os.scandir(folder), key=lambda entry: entry.name)
    except OSError as error:
        raise UserError(f"{folder} cannot be read: {error.strerror}") from error
    own = [e for e in own if e.name[0] != "." and e.name.lower() not in _JUNK]
    for entry in own:
        check_name(entry.name, f"{folder}")
        if entry.is_symlink():
            _check_link(Path(entry.path), root)
    return own


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
