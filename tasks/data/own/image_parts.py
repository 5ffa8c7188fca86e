"""Images in folders of classes, as arrays by split."""

from pathlib import Path

import numpy as np

from tasks.data.own.image_files import BYTES_A_VALUE
from tasks.data.own.image_files import prepare
from tasks.data.own.image_folder import list_images
from tasks.data.own.memory import check_memory
from tasks.experiment.errors import UserError
from tasks.experiment.settings import Settings


def read_images(path: Path, settings: Settings) -> tuple[dict, list[str]]:
    """The images of a folder, and their classes.

    Args:
        path: The folder.
        settings: The side of the images, and the kind of samples.

    Returns:
        `(parts, class_names)`, as `arrays.read_arrays` gives them; uint8 images.

    Raises:
        UserError: If the folder is none of images, or they do not fit into memory.
    """
    if settings.kind not in ("auto", "images"):
        raise UserError(
            f"--kind={settings.kind} is for arrays; {path} is a folder of images"
        )
    found = list_images(path)
    class_names = sorted({name for classes in found.values() for name in classes})
    rows = [
        (split, class_names.index(name), file)
        for split, classes in found.items()
        for name, files in classes.items()
        for file in files
    ]
    splits, labels, files = zip(*rows, strict=True)
    size = settings.image_size
    needed = len(files) * size * size * 3 * BYTES_A_VALUE
    what = f"{len(files)} images of {size}×{size} pixels"
    check_memory(needed, what, "Give a smaller --image_size")
    images, splits = prepare(files, size, path), np.array(splits)
    labels = np.array(labels, "int64")
    parts = {s: (images[splits == s], labels[splits == s]) for s in found}
    return parts, class_names
