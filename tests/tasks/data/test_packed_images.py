"""Packed images: what comes out is what went in, or a message."""

import numpy as np
import pytest

from tasks.data import packed_images
from tasks.experiment.errors import UserError

NAMES = ["cat", "dog"]


def made(n, seed):
    rng = np.random.default_rng(seed)
    images = rng.integers(256, size=(n, 32, 32, 3)).astype("uint8")
    images[0] = 7  # Of one colour; the others are noise.
    return images, np.arange(n) % 2


def test_unpacked_images_are_the_packed_ones_to_the_bit(tmp_path):
    splits = [made(5, 0), made(3, 1)]
    packed_images.write(tmp_path / "pets.npz", splits, NAMES, "pets at home")
    found, names, source = packed_images.read(tmp_path / "pets.npz")
    assert (names, source) == (NAMES, "pets at home")
    for (images, labels), (expected, classes) in zip(found, splits, strict=True):
        np.testing.assert_array_equal(images, expected)
        np.testing.assert_array_equal(labels, classes)
        assert (images.dtype, labels.dtype) == ("uint8", "int64")


def test_a_damaged_file_of_packed_images_is_named(tmp_path):
    path = tmp_path / "pets.npz"
    packed_images.write(path, [made(5, 0), made(3, 1)], NAMES, "pets at home")
    whole = path.read_bytes()
    half = len(whole) // 2
    changed = bytes([whole[half] ^ 1])
    for damaged in (whole[:-9], whole[:half] + changed + whole[half + 1 :], b""):
        path.write_bytes(damaged)
        with pytest.raises(UserError, match=r"pets.npz does not hold packed images"):
            packed_images.read(path)
