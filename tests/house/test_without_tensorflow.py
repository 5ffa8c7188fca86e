"""Tasks on JAX and PyTorch where TensorFlow is not installed."""

import os
import subprocess
import sys

import keras
import numpy as np
import pytest

from tasks.data import packed_images

pytestmark = pytest.mark.skipif(
    keras.backend.backend() == "tensorflow", reason="the backend itself"
)
RUN = """
import sys

sys.modules["tensorflow"] = None  # So that to import it fails.
from helpers.tiny import with_mlp

from tasks import cifar_lt, sun397
from tasks.runs import runner
from tasks.experiment.settings import parse
from tasks.experiment.errors import UserError

folder, out = sys.argv[1:]
flags = [f"--data_dir={folder}", f"--out_dir={out}", "--method=m2m", "--rho=4"]
flags += ["--epochs=2", "--defer_epoch=1", "--batch_size=16", "--steps=1"]
(result,) = runner.run(with_mlp(cifar_lt.TASK), parse(cifar_lt.TASK, flags)).values()
assert result["class_counts"] == [8, 6, 5, 5, 4, 3, 3, 2, 2, 2], result["class_counts"]
try:
    sun397.load(parse(sun397.TASK, []))
except UserError as error:
    print(error)
assert not [name for name in sys.modules if name.startswith("tensorflow.")]
"""


def test_a_task_runs_and_another_says_that_it_needs_tensorflow(tmp_path):
    rng = np.random.default_rng(0)
    splits = [
        (rng.integers(256, size=(n, 32, 32, 3)).astype("uint8"), np.arange(n) % 10)
        for n in (80, 200)
    ]
    names = [f"class {k}" for k in range(10)]
    packed_images.write(tmp_path / "cifar10.npz", splits, names, "noise")
    done = subprocess.run(
        [sys.executable, "-c", RUN, str(tmp_path), tmp_path / "out"],
        env={**os.environ, "PYTHONPATH": os.pathsep.join([".", "tests"])},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert "sun397/tfds:4.0.0 is read through tensorflow-datasets" in done.stdout
    assert list((tmp_path / "out").rglob("events.out.tfevents.*"))
