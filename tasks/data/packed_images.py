"""Small images in one file that is read without TensorFlow, to the bit as they were.

An `.npz` archive holds each image as a lossless WebP file, about half of its pixels:
`names`, the classes; `source`; and for each split `images`, all files one after the
other, `lengths`, the bytes of each, and `labels`.
"""

import io
from pathlib import Path

import numpy as np
from PIL import Image

from tasks.data import whole_files
from tasks.experiment.errors import UserError

SPLITS = ("train", "test")


def read(path: Path) -> tuple[list, list[str], str]:
    """Read what `write` wrote.

    Args:
        path: The archive.

    Returns:
        `(splits, names, source)`; a split is `(images, labels)`, uint8
        `(n, height, width, 3)` and int64 `(n,)`.

    Raises:
        UserError: If it is damaged or another archive.
    """
    try:
        # The archive checks what it holds by checksums.
        with open(path, "rb") as file, np.load(file) as archive:
            splits = [_unpacked(archive, split) for split in SPLITS]
            return splits, archive["names"].tolist(), str(archive["source"])
    except Exception as error:  # A damaged archive raises many kinds.
        raise UserError(
            f"{path} does not hold packed images, or is damaged: {error}. Remove it, "
            "or give another --data_dir"
        ) from error


def write(path: Path, splits: list, names: list[str], source: str) -> None:
    """Pack images.

    Args:
        path: The archive, `.npz`.
        splits: Training and test set as `read` gives them.
        names: One per class.
        source: Where the images are from.
    """
    arrays = {"names": np.array(names), "source": np.array(source)}
    for split, (images, labels) in zip(SPLITS, splits, strict=True):
        files = [_encoded(image) for image in images]
        arrays[f"{split}_images"] = np.frombuffer(b"".join(files), "uint8")
        arrays[f"{split}_lengths"] = np.array([len(file) for file in files])
        arrays[f"{split}_labels"] = np.asarray(labels, "int64")
    with whole_files.aside(path) as part, open(part, "wb") as file:
        np.savez(file, **arrays)


def _unpacked(archive, split):
    data, ends = archive[f"{split}_images"], np.cumsum(archive[f"{split}_lengths"])
    images = [_decoded(file.tobytes()) for file in np.split(data, ends[:-1])]
    return np.stack(images), archive[f"{split}_labels"]


def _encoded(image):
    file = io.BytesIO()
    # Harder methods take three times as long and save nothing.
    Image.fromarray(image).save(file, "WEBP", lossless=True, method=2)
    return file.getvalue()


def _decoded(file):
    with Image.open(io.BytesIO(file)) as image:
        return np.asarray(image.convert("RGB"))
