"""Data where TensorFlow is not installed; `test_resume.py` has runs without it."""

import sys

import keras
import numpy as np
import pytest

from tasks import cifar_lt
from tasks import sun397
from tasks.data import packed_images
from tasks.experiment.errors import UserError
from tasks.experiment.settings import parse

pytestmark = [
    pytest.mark.no_backend,
    pytest.mark.skipif(
        keras.config.backend() == "tensorflow", reason="the backend itself"
    ),
]


@pytest.fixture(autouse=True)
def without_tensorflow(monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorflow", None)  # So that to import it fails.


def test_packed_images_are_read(tmp_path):
    rng = np.random.default_rng(0)
    splits = [
        (rng.integers(256, size=(n, 32, 32, 3)).astype("uint8"), np.arange(n) % 10)
        for n in (80, 200)
    ]
    names = [f"class {k}" for k in range(10)]
    packed_images.write(tmp_path / "cifar10.npz", splits, names, "noise")
    settings = parse(cifar_lt.TASK, [f"--data_dir={tmp_path}", "--rho=4"])
    counts = cifar_lt.TASK.load(settings).class_counts
    assert list(counts) == [8, 6, 5, 5, 4, 3, 3, 2, 2, 2]


def test_a_task_that_needs_it_says_so():
    expected = "sun397/tfds:4.0.0 is read through tensorflow-datasets"
    with pytest.raises(UserError, match=expected):
        sun397.TASK.load(parse(sun397.TASK, []))
