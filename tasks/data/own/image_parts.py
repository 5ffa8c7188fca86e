"""Photographs of a folder, as arrays by split."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any
from typing import NamedTuple

import keras
import numpy as np

from keras_m2m.sampling import is_stream
from tasks.data.own.features import features
from tasks.data.own.image_files import BYTES_A_VALUE
from tasks.data.own.image_files import prepare
from tasks.data.own.image_folder import list_images
from tasks.data.own.kept_images import keep
from tasks.data.own.label_files import labels_are_elsewhere
from tasks.data.own.labelled_images import FOLDER
from tasks.data.own.labelled_images import list_labelled
from tasks.data.own.listing import Listing
from tasks.data.own.memory import check_memory
from tasks.data.own.pretrained import digest_of
from tasks.data.own.splitting import complete
from tasks.experiment.errors import UserError
from tasks.experiment.settings import Settings

# Bytes. Not what is free: on each machine the same data is to give the same numbers.
_MOST_IN_MEMORY = 2**32


class Images(NamedTuple):
    """Photographs, read.

    Attributes:
        parts: `(x, y)` of each split: uint8 or uint16 images, or float32 features, or a
            stream of samples where arrays of all would take more than 4 GiB; and int64
            labels that index `class_names`.
        class_names: One per class.
        bits: As `prepare` gives it.
        files: Of the test images.
        defaults: As `Data` has them.
    """

    parts: dict
    class_names: list[str]
    bits: int | None
    files: list[Path]
    defaults: Mapping[str, Any]


def read_images(
    path: Path, settings: Settings, frozen: keras.Model | None = None
) -> Images:
    """The images of a folder, split, and their classes.

    Splits are drawn before an image is read.

    Args:
        path: The folder.
        settings: The side of the images, where their labels are, and how to split.
        frozen: A pretrained network whose features of the images are read instead.

    Returns:
        `Images`.

    Raises:
        UserError: If the folder is none of images, or they do not fit into memory.
    """
    if settings.kind not in ("auto", "images"):
        raise UserError(
            f"--kind={settings.kind} is for arrays; {path} is a folder of images"
        )
    found = _listing(path, settings)
    names = dict.fromkeys(found.splits.tolist())
    rows = {split: np.flatnonzero(found.splits == split) for split in names}
    if "train" not in rows:
        raise UserError(f"{path}: no image is of the split train")
    parts = {split: (own, found.labels[own]) for split, own in rows.items()}
    groups = found.groups
    if groups is not None:
        groups = {split: groups[own] for split, own in rows.items()}
    parts = complete(parts, found.class_names, settings, groups)
    if frozen is None:
        x, bits = _pixels(found.files, settings.image_size, path)
    else:
        digest = digest_of(frozen, settings.backbone)
        x, bits = features(found.files, path, frozen, digest)
    files = [Path(found.files[row]) for row in parts["test"][0]]
    take = x.part if is_stream(x) else x.__getitem__
    parts = {split: (take(own), y) for split, (own, y) in parts.items()}
    return Images(parts, found.class_names, bits, files, found.defaults)


def _pixels(files, size, folder):
    needed = len(files) * size * size * 3 * BYTES_A_VALUE
    if needed > _MOST_IN_MEMORY:
        return keep(files, size, folder), None
    what = f"{len(files)} images of {size}×{size} pixels"
    check_memory(needed, what, "Give a smaller --image_size")
    return prepare(files, size, folder)


def _listing(path, settings) -> Listing:
    """By a table if one is named or must be meant, else by class folders."""
    named = settings.labels or settings.label or settings.id
    if named or labels_are_elsewhere(path):
        found = list_labelled(path, settings)
        if found is not None and labels_are_elsewhere(path):
            return found
        if found is not None:  # Without a name, folders would be the classes.
            return found._replace(defaults={})
    if settings.label or settings.id:
        raise UserError(
            f"--label and --id are for tables, and none in {path} holds both names of "
            "images and labels. Give one by --labels=FILE"
        )
    if settings.group not in (None, FOLDER):
        raise UserError(
            f"--group={settings.group} is a column of --labels; of class folders, only "
            f"--group={FOLDER}, the folder of an image in that of its class"
        )
    return list_images(path, by_folder=settings.group == FOLDER)
