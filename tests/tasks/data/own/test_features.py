"""Features of image files: in chunks, kept, and the same after a kill."""

import os
import pathlib
import signal
import subprocess
import sys

import keras
import numpy as np
import pytest
from PIL import Image

from helpers import own_data
from tasks.data.own import features as own_features
from tasks.data.own.features import features
from tasks.experiment.errors import UserError

ROOT = pathlib.Path(__file__).parents[4]


class Network:
    """The mean of each channel of each row of an image, and how often it is asked."""

    input_shape = (None, 8, 8, 3)

    def __init__(self):
        self.calls = 0

    def predict(self, images, batch_size, verbose):
        self.calls += 1
        assert len(images) % batch_size == 0
        return images.mean(axis=(2,)).reshape(len(images), -1)


@pytest.fixture(autouse=True)
def small_chunks(tmp_path, monkeypatch):
    """Chunks of a batch of 4."""
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    monkeypatch.setattr(own_features, "_BATCH", 4)
    monkeypatch.setattr(own_features, "_PIXELS", 4 * 8 * 8)


@pytest.fixture
def folder(tmp_path):
    return own_data.write_images(tmp_path / "data", {"a": 10})


def files(folder):
    return sorted((folder / "a").iterdir())


def pixels(paths):
    return np.stack([np.asarray(Image.open(path)) for path in paths]) / np.float32(255)


def chunks(tmp_path):
    return sorted((tmp_path / "keras" / "keras_m2m").rglob("0*.npz"))


def test_features_are_those_of_the_images_in_order(folder):
    found, bits = features(files(folder), folder, Network(), "network")
    expected = pixels(files(folder)).mean(axis=2).reshape(10, -1)
    np.testing.assert_allclose(found, expected, rtol=1e-6)
    assert bits is None


def test_they_are_computed_once(folder):
    network = Network()
    first, _ = features(files(folder), folder, network, "network")
    second, _ = features(files(folder), folder, network, "network")
    assert network.calls == 3
    np.testing.assert_array_equal(first, second)


def test_another_network_has_its_own(folder):
    network = Network()
    for digest in ("one", "two"):
        features(files(folder), folder, network, digest)
    assert network.calls == 6


def test_only_the_chunk_of_a_changed_image_is_made_again(folder):
    network = Network()
    features(files(folder), folder, network, "network")
    changed = files(folder)[5]
    Image.new("RGB", (8, 8), "white").save(changed)
    found, _ = features(files(folder), folder, network, "network")
    assert network.calls == 4
    np.testing.assert_array_equal(found[5], np.ones(24, "float32"))


def test_a_damaged_chunk_is_made_again(folder, tmp_path):
    network = Network()
    first, _ = features(files(folder), folder, network, "network")
    chunks(tmp_path)[1].write_bytes(b"damaged")
    second, _ = features(files(folder), folder, network, "network")
    assert network.calls == 4
    np.testing.assert_array_equal(first, second)


def test_white_of_deep_grey_images_is_that_of_all_chunks(folder):
    for row, value in ((0, 1000), (9, 4000)):  # In the first and in the last chunk.
        deep = np.full((8, 8), value, "uint16")
        Image.fromarray(deep).save(files(folder)[row])
    found, bits = features(files(folder), folder, Network(), "network")
    assert bits == 12
    np.testing.assert_allclose(found[0], 1000 / 4095, rtol=1e-3)
    np.testing.assert_allclose(found[9], 4000 / 4095, rtol=1e-3)


def test_images_that_cannot_be_read_are_named(folder):
    files(folder)[6].write_bytes(b"no image")
    with pytest.raises(UserError, match=files(folder)[6].name):
        features(files(folder), folder, Network(), "network")


def test_features_that_are_not_finite_are_refused(folder):
    network = Network()
    network.predict = lambda images, **_: np.full((len(images), 2), np.nan)
    with pytest.raises(UserError, match="not finite"):
        features(files(folder), folder, network, "network")


PROGRAM = """
import os, pathlib, signal, sys
import keras
from tasks.data.own import features as own
own._BATCH, own._PIXELS = 4, 4 * 8 * 8
write, killed_after = own.kept_arrays.write, int(sys.argv[3])
def write_and_die(path, about, **arrays):
    global killed_after
    write(path, about, **arrays)
    if "features" in arrays:
        killed_after -= 1
        if not killed_after:
            os.kill(os.getpid(), signal.SIGKILL)
own.kept_arrays.write = write_and_die
folder = pathlib.Path(sys.argv[1])
network = keras.saving.load_model(sys.argv[2])
own.features(sorted((folder / "a").iterdir()), folder, network, "network")
"""


@pytest.mark.no_backend
def test_a_killed_command_goes_on_after_its_last_chunk(folder, tmp_path, monkeypatch):
    inputs = keras.Input((8, 8, 3))
    x = keras.layers.Conv2D(4, 3, activation="relu")(inputs)
    network = keras.Model(inputs, keras.layers.GlobalAveragePooling2D()(x))
    network.save(tmp_path / "network.keras")
    command = [sys.executable, "-c", PROGRAM, str(folder), tmp_path / "network.keras"]
    killed = subprocess.run([*command, "2"], cwd=ROOT, env=dict(os.environ))
    assert killed.returncode == -signal.SIGKILL
    assert len(chunks(tmp_path)) == 2
    written = [path.stat().st_mtime_ns for path in chunks(tmp_path)]
    found, _ = features(files(folder), folder, network, "network")
    assert [path.stat().st_mtime_ns for path in chunks(tmp_path)][:2] == written
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "elsewhere"))
    whole, _ = features(files(folder), folder, network, "network")
    np.testing.assert_array_equal(found, whole)
