"""How each task makes its data: augmentation, splits, and facts of the real data."""

import os
import pathlib

import keras
import numpy as np
import pytest

from keras_m2m import long_tailed_counts
from tasks import cifar_lt
from tasks import digits_lt
from tasks.settings import Settings
from tasks.task import UserError

DATA = os.environ.get("DATA")
needs_data = pytest.mark.skipif(not DATA, reason="needs the folder named by DATA")


def to_format(images):
    """Images of channels last in the order that Keras is set to."""
    first = keras.config.image_data_format() == "channels_first"
    return np.moveaxis(images, -1, 1) if first else images


def test_augmented_images_are_shifted_and_flipped_windows_of_the_padded_ones():
    rng = np.random.default_rng(0)
    image = rng.uniform(0.1, 1, size=(1, 6, 6, 3)).astype("float32")
    padded = np.pad(image[0], [(4, 4), (4, 4), (0, 0)])
    windows = {}
    for top in range(9):
        for left in range(9):
            window = padded[top : top + 6, left : left + 6]
            windows[window.tobytes()] = (top, left, False)
            windows[window[:, ::-1].tobytes()] = (top, left, True)
    batch = to_format(np.repeat(image, 3000, axis=0))
    augmented = cifar_lt.augment(batch, np.random.default_rng(1))
    if keras.config.image_data_format() == "channels_first":
        augmented = np.moveaxis(augmented, 1, -1)
    found = {windows[np.ascontiguousarray(window).tobytes()] for window in augmented}
    # Every crop in either direction; where nothing of the image is lost to
    # symmetry, 81 crops and 81 flipped ones.
    assert len(found) == 162


def test_augmentation_follows_from_its_generator():
    batch = to_format(np.random.default_rng(0).random((4, 8, 8, 3), dtype="float32"))
    runs = [cifar_lt.augment(batch, np.random.default_rng(s)) for s in (5, 5, 6)]
    assert (runs[0] == runs[1]).all()
    assert (runs[0] != runs[2]).any()


def digits(**changes):
    values = {"largest": 80, "rho": 40.0, **changes}
    return digits_lt.load(Settings(**values))


def test_too_large_a_ratio_says_so():
    with pytest.raises(UserError, match="leaves the rarest class without an image"):
        digits(largest=20)


def test_digits_are_long_tailed_in_pixels_and_their_splits_are_apart():
    data = digits()
    assert data.class_counts.tolist() == long_tailed_counts(80, 10, 40).tolist()
    parts = [data.train[0], data.validation[0], data.test[0]]
    assert np.bincount(data.validation[1]).tolist() == [30] * 10
    assert np.bincount(data.test[1]).min() >= 174 - 30 - 80
    assert min(part.min() for part in parts) == 0
    assert max(part.max() for part in parts) == 1
    rows = [{image.tobytes() for image in part} for part in parts]
    assert len(rows[0] | rows[1] | rows[2]) == sum(map(len, rows))


def cifar(**changes):
    values = {
        "dataset": "cifar10",
        "data_dir": str(pathlib.Path(DATA) / "tfds"),
        "rho": 100.0,
        "largest": 0,
        "subset": "first",
        "protocol": "m2m",
        **changes,
    }
    return cifar_lt.load(Settings(**values))


@needs_data
def test_cifar_lt_10_has_the_published_counts_and_a_tenth_of_the_test_set():
    data = cifar()
    assert data.class_counts.tolist() == [
        *(5000, 2997, 1796, 1077, 645, 387, 232, 139, 83, 50)
    ]
    assert np.bincount(data.validation[1]).tolist() == [100] * 10
    assert np.bincount(data.test[1]).tolist() == [900] * 10
    assert data.train[0].min() == 0
    assert data.train[0].max() == 1
