import os
import pathlib
import subprocess
import sys

import keras
import numpy as np
import pytest

from helpers.pictures import STATISTICS
from helpers.pictures import outputs
from helpers.pictures import photos
from helpers.pictures import scrambled
from keras_m2m.models import cifar_resnet

BACKEND = keras.backend.backend()
ROOT = pathlib.Path(__file__).parents[2]

LOAD = """
import sys
import numpy as np
import keras_m2m
import keras
path, samples, results = sys.argv[1:]
model = keras.saving.load_model(path)
np.save(results, model.predict(np.load(samples), verbose=0))
"""

EXPORT = """
import sys
import numpy as np
import keras_m2m
import keras
import tensorflow as tf
path, samples, results = sys.argv[1:]
model = keras.saving.load_model(path)
model.export(path + ".exported", format="tf_saved_model", verbose=False)
served = tf.saved_model.load(path + ".exported")
np.save(results, served.serve(np.load(samples)).numpy())
"""


@pytest.fixture(scope="module")
def network():
    """One with every layer of ours in it, and BatchNorm statistics to lose."""
    keras.utils.set_random_seed(0)
    arguments = {"head": "cosine", "weight_decay": 2e-4, **STATISTICS}
    return scrambled(cifar_resnet(8, 10, input_shape=(8, 8, 3), **arguments))


def in_fresh_process(script, backend, network, folder):
    """Outputs for `photos(size=8)` of `network` after saving it for `script`."""
    path, samples, results = (
        str(folder / name) for name in ("f.keras", "x.npy", "y.npy")
    )
    network.save(path)
    np.save(samples, photos(size=8))
    environment = {
        **os.environ,
        "KERAS_BACKEND": backend,
        "PYTHONPATH": str(ROOT),
    }
    process = subprocess.run(
        [sys.executable, "-c", script, path, samples, results],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert process.returncode == 0, process.stderr
    return np.load(results)


def test_a_saved_network_loads_in_safe_mode_elsewhere(network, tmp_path):
    np.testing.assert_allclose(
        in_fresh_process(LOAD, BACKEND, network, tmp_path),
        outputs(network, photos(size=8)),
        atol=1e-5,
    )


@pytest.mark.skipif(BACKEND != "torch", reason="the other backends export themselves")
def test_a_network_of_pytorch_is_exported_under_tensorflow(network, tmp_path):
    np.testing.assert_allclose(
        in_fresh_process(EXPORT, "tensorflow", network, tmp_path),
        outputs(network, photos(size=8)),
        atol=1e-5,
    )


@pytest.mark.skipif(BACKEND == "torch", reason="PyTorch's export needs torch_xla")
def test_an_exported_network_gives_the_same_logits(network, tmp_path):
    import tensorflow

    network.export(str(tmp_path / "f"), format="tf_saved_model", verbose=False)
    served = tensorflow.saved_model.load(str(tmp_path / "f"))
    np.testing.assert_allclose(
        served.serve(photos(size=8)).numpy(),
        outputs(network, photos(size=8)),
        atol=1e-5,
    )
