"""CIFAR-LT: its augmentation, facts of the real images, a run on made ones."""

import json
import os
import pathlib

import keras
import numpy as np
import pytest

from tasks import cifar_lt
from tasks import runner
from tasks.settings import Settings
from tasks.settings import parse

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


def test_a_run_on_made_images_of_the_real_schema(tmp_path):
    import tensorflow_datasets as tfds

    flags = ["--preset=small", "--depth=8", "--largest=20", "--rho=4"]
    flags += ["--epochs=2", "--defer_epoch=1", "--steps=2", "--gamma=0"]
    flags += ["--batch_size=35", f"--out_dir={tmp_path}"]
    # A batch is a third of the samples: all batches have one shape.
    with tfds.testing.mock_data(num_examples=400):
        runner.run(cifar_lt.TASK, parse(cifar_lt.TASK, flags))
    result = json.loads((tmp_path / "result.json").read_text())
    assert result["class_counts"] == [20, 17, 14, 12, 10, 9, 7, 6, 5, 5]
    # The preset's value, where no flag was given.
    assert result["flags"]["beta"] == 0.99
    # A tenth of each class of the test set is for validation.
    assert np.sum(result["confusion_matrix"]) < 400
    assert (tmp_path / "translations.png").exists()
