"""Which images a folder of class folders holds; none is read here."""

from pathlib import Path

import numpy as np

from tasks.data.own.class_names import check_class_names
from tasks.data.own.class_names import check_name
from tasks.data.own.class_names import listed
from tasks.data.own.image_walk import SUFFIXES
from tasks.data.own.image_walk import entries
from tasks.data.own.image_walk import files_below
from tasks.data.own.image_walk import is_image
from tasks.data.own.label_tables import ADVICE
from tasks.data.own.label_tables import check_are_classes
from tasks.data.own.label_tables import check_no_labels
from tasks.data.own.listing import Listing
from tasks.data.own.split_names import EXPECTED
from tasks.data.own.split_names import SPLITS
from tasks.experiment.errors import UserError

_PLAIN = {"images", "image", "imgs"}  # A folder in a class that says nothing.


def list_images(folder: Path, by_folder: bool = False) -> Listing:
    """The images of a folder by split and by class.

    Hidden files and those that systems leave are skipped. Links may not lead out of
    the folder.

    Args:
        folder: Holds a folder per class; or folders of splits (`split_names`), and
            nothing else, each with a folder per class. A class is all images below its
            folder, but for masks beside them.
        by_folder: Whether those in one folder of a class are to be in one split.

    Returns:
        The images, in order of split, class and name.

    Raises:
        UserError: If the folder is no such, or a name or a link in it is unsafe.
    """
    root = folder.resolve()
    folders = _folders(entries(folder, root), folder)
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
    number = {name: k for k, name in enumerate(names)}
    rows = [
        (path, number[name], split, place)
        for split, classes in found.items()
        for name, images in classes.items()
        for path, place in images
    ]
    files, labels, splits, places = zip(*rows, strict=True)
    _note_places(places, folder, by_folder)
    labels, splits = np.array(labels, "int64"), np.array(splits)
    groups = None
    if by_folder:
        groups = np.array([str(place or path) for path, place in zip(files, places)])
    return Listing([*files], labels, splits, names, groups)


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
    own = entries(folder, root)
    folders = _folders(own, folder)
    if not folders:
        raise UserError(
            f"{folder} holds no folders. Expected one per class with its images, or "
            f"{EXPECTED} with one per class in each"
        )
    check_are_classes([*folders], folder)
    names = [check_name(name, f"{folder}") for name in folders]
    check_class_names(names, f"{folder}")
    images = [_images(path, root) for path in folders.values()]
    _check_one_meaning(folder, images)
    paths = [path for own_images in images for path, _ in own_images]
    check_no_labels(folder, [e for e in own if e.is_file()], paths)
    return dict(sorted(zip(names, images, strict=True)))


def _folders(own, folder):
    """The folders in a folder by name; images beside them are refused."""
    folders = {entry.name: Path(entry.path) for entry in own if entry.is_dir()}
    loose = [e.name for e in own if is_image(e.name) and e.name not in folders]
    if loose:
        raise UserError(
            f"{folder} holds images outside class folders, such as {loose[0]!r} "
            f"({len(loose)} in all). Expected a folder per class. {ADVICE}"
        )
    return folders


def _images(folder, root):
    """The images of a class, each with the folder in it that it is below, or None."""
    found = files_below(folder, root)
    if found.others:
        raise UserError(
            f"{folder} is taken for a class, and holds "
            f"{found.others[0].relative_to(folder).as_posix()!r} ({len(found.others)} "
            f"such), which is no file named as an image ({' '.join(SUFFIXES)}). "
            f"Remove it. Splits are folders named {EXPECTED}"
        )
    if not found.images:
        raise UserError(f"{folder} holds no images. Add some, or remove the folder")
    if found.masks:
        left = [path.relative_to(folder).as_posix() for path in found.masks]
        print(f"note: {folder}: not read: {listed(left)}")
    inner = [path.relative_to(folder).parts[0] for path in found.images]
    if all(name.lower() in SPLITS for name in inner):
        raise UserError(
            f"{folder} holds {listed(sorted(set(inner)))}, which are splits. Expected "
            f"them outside, with the classes in them, as in {inner[0]}/{folder.name}"
        )
    pairs = zip(found.images, inner, strict=True)
    return [(p, None if p == folder / name else folder / name) for p, name in pairs]


def _check_one_meaning(folder, images):
    """Refuse `a/x, a/y, b/x, b/y`, where either may be the classes."""
    inner = [{place.name if place else "" for _, place in own} for own in images]
    same = len(inner) > 1 and all(one == inner[0] for one in inner)
    if same and len(inner[0]) > 1 and "" not in inner[0]:
        raise UserError(
            f"Each folder in {folder} holds {listed(sorted(inner[0]))}. Are these the "
            "classes, or the folders around them? Put all images of a class into one "
            f"folder. {ADVICE}"
        )


def _note_places(places, folder, by_folder):
    """Say what a class is where its images lie in folders."""
    inner = [p for p in dict.fromkeys(places) if p and p.name.lower() not in _PLAIN]
    if not inner:
        return
    print(
        "note: a class is all images below its folder, such as those in "
        f"{inner[0].relative_to(folder).as_posix()}"
    )
    if not by_folder:
        print(
            "note: if photographs in one folder are alike, as those of a patient are, "
            "--group=folder keeps them in one split"
        )
