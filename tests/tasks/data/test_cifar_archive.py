"""The published archives of CIFAR, made small: layout of bytes, order, names."""

import dataclasses
import hashlib
import io
import tarfile

import numpy as np
import pytest

from tasks import cifar_lt
from tasks.data import cifar_archive
from tasks.experiment.errors import UserError
from tasks.experiment.settings import parse

LABELS = {"cifar10": 1, "cifar100": 2}


def pixels(number):
    """An image whose every pixel says which image, row, column and channel it is."""
    image = np.empty((32, 32, 3), "uint8")
    rows, columns = np.indices((32, 32))
    for channel in range(3):
        image[..., channel] = (7 * number + 3 * rows + columns + 80 * channel) % 256
    return image


def record(dataset, number):
    """As the page of CIFAR says: label bytes, then channels, each row by row."""
    channels = b"".join(pixels(number)[..., c].tobytes() for c in range(3))
    coarse = bytes([number % 20]) if LABELS[dataset] == 2 else b""
    return coarse + bytes([number % 10]) + channels


@pytest.fixture(params=["cifar10", "cifar100"])
def made(request, tmp_path, monkeypatch):
    """`(dataset, folder)` with an archive of 20 images a file."""
    dataset = request.param
    archive = cifar_archive.ARCHIVES[dataset]
    path = tmp_path / archive.published.name
    number = iter(range(1000))
    files = {
        name: b"".join(record(dataset, next(number)) for _ in range(20))
        for name in [*archive.splits[0], *archive.splits[1]]
    }
    files[archive.names] = b"".join(b"name%d\n" % k for k in range(10)) + b"\n"
    with tarfile.open(path, "w:gz") as tar:
        for name, data in files.items():
            member = tarfile.TarInfo(f"folder/{name}")
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    checksum = hashlib.sha256(path.read_bytes()).hexdigest()
    published = dataclasses.replace(archive.published, checksum=checksum)
    small = dataclasses.replace(archive, published=published)
    monkeypatch.setitem(cifar_archive.ARCHIVES, dataset, small)
    return dataset, tmp_path


def test_an_archive_gives_its_images_in_file_order(made):
    dataset, folder = made
    (train, test), names = cifar_archive.read(dataset, str(folder))
    of_train = 100 if dataset == "cifar10" else 20
    assert names == [f"name{k}" for k in range(10)]
    assert train[1].tolist() == [n % 10 for n in range(of_train)]
    np.testing.assert_array_equal(train[0], [pixels(n) for n in range(of_train)])
    numbers = range(of_train, of_train + 20)
    np.testing.assert_array_equal(test[0], [pixels(n) for n in numbers])


def test_a_task_reads_an_archive_that_is_in_its_folder(made):
    dataset, folder = made
    flags = [f"--data_dir={folder}", f"--dataset={dataset}", "--rho=2"]
    data = cifar_lt.load(parse(cifar_lt.TASK, [*flags, "--largest=2"]))
    assert data.class_counts.tolist() == [2, 1, 1, 1, 1, 1, 1, 1, 1, 1]
    assert "the published archive" in data.source


def test_another_archive_than_the_published_one_is_refused(made):
    dataset, folder = made
    (file,) = folder.glob("*.tar.gz")
    file.write_bytes(file.read_bytes()[:-1])
    with pytest.raises(UserError, match="is not the file that was published"):
        cifar_archive.read(dataset, str(folder))
