"""CIFAR from the archives that its authors published, without TensorFlow.

A record of an archive is its labels, a byte each, then the red, the green and the blue
pixels of an image. TensorFlow Datasets numbers its records in the order of these files.
"""

import io
import tarfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tasks.data import downloads
from tasks.data.downloads import PublishedFile

_SIDE = 32
_URL = "https://www.cs.toronto.edu/~kriz/"


@dataclass(frozen=True)
class Archive:
    """Where an archive keeps what.

    Attributes:
        published: The archive.
        splits: Names of the files of the training and of the test set.
        names: Name of the file with the names of the classes.
        labels: Labels of a record; the last one is its class.
    """

    published: PublishedFile
    splits: tuple[list[str], list[str]]
    names: str
    labels: int


ARCHIVES = {
    "cifar10": Archive(
        PublishedFile(
            "cifar-10-binary.tar.gz",
            f"{_URL}cifar-10-binary.tar.gz",
            "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd",
        ),
        ([f"data_batch_{i}.bin" for i in range(1, 6)], ["test_batch.bin"]),
        "batches.meta.txt",
        1,
    ),
    "cifar100": Archive(
        PublishedFile(
            "cifar-100-binary.tar.gz",
            f"{_URL}cifar-100-binary.tar.gz",
            "58a81ae192c23a4be8b1804d68e518ed807d710a4eb253b1f2a199162a40d8ec",
        ),
        (["train.bin"], ["test.bin"]),
        "fine_label_names.txt",
        2,
    ),
}


def is_in(dataset: str, data_dir: str | None) -> bool:
    """Whether a folder holds the archive."""
    name = ARCHIVES[dataset].published.name
    return data_dir is not None and Path(data_dir, name).exists()


def read(dataset: str, data_dir: str | None) -> tuple[list, list[str]]:
    """Read a CIFAR.

    Args:
        dataset: `"cifar10"` or `"cifar100"`.
        data_dir: The folder that holds its archive; None for Keras' cache, into which
            it is downloaded where it is not there.

    Returns:
        `(splits, names)`; a split is `(images, labels)`, uint8 `(n, 32, 32, 3)` and
        int64 `(n,)` in file order.

    Raises:
        UserError: If the archive cannot be read or is not as published.
    """
    archive = ARCHIVES[dataset]
    content = downloads.get(archive.published, data_dir)
    with tarfile.open(fileobj=io.BytesIO(content.data)) as files:
        # As the archive has a folder around them.
        found = {member.name.rpartition("/")[2]: member for member in files}
        parts = [
            b"".join(files.extractfile(found[name]).read() for name in names)
            for names in archive.splits
        ]
        text = files.extractfile(found[archive.names]).read().decode()
    return [_records(part, archive.labels) for part in parts], text.split()


def _records(data, labels):
    records = np.frombuffer(data, "uint8").reshape(-1, labels + 3 * _SIDE**2)
    pixels = records[:, labels:].reshape(-1, 3, _SIDE, _SIDE)
    images = np.ascontiguousarray(np.moveaxis(pixels, 1, -1))
    return images, records[:, labels - 1].astype("int64")
