import os
import pathlib
import subprocess
import sys
from importlib.util import find_spec

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


@pytest.mark.skipif(BACKEND != "torch", reason="the other backends export themselves")
@pytest.mark.skipif(not find_spec("tensorflow"), reason="needs TensorFlow")
def test_a_network_of_pytorch_is_loaded_and_exported_in_a_process_of_tensorflow(
    network, tmp_path
):
    """Keras loads in safe mode, where nothing but `import keras_m2m` came before."""
    path, samples, results = (str(tmp_path / n) for n in ("f.keras", "x.npy", "y.npy"))
    network.save(path)
    np.save(samples, photos(size=8))
    process = subprocess.run(
        [sys.executable, "-c", EXPORT, path, samples, results],
        cwd=tmp_path,
        env={**os.environ, "KERAS_BACKEND": "tensorflow", "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    assert process.returncode == 0, process.stderr
    expected = outputs(network, photos(size=8))
    np.testing.assert_allclose(np.load(results), expected, atol=1e-5)


@pytest.mark.skipif(BACKEND == "torch", reason="PyTorch's export needs torch_xla")
def test_an_exported_network_gives_the_same_logits(network, tmp_path):
    tensorflow = pytest.importorskip("tensorflow")

    network.export(str(tmp_path / "f"), format="tf_saved_model", verbose=False)
    served = tensorflow.saved_model.load(str(tmp_path / "f"))
    np.testing.assert_allclose(
        served.serve(photos(size=8)).numpy(),
        outputs(network, photos(size=8)),
        atol=1e-5,
    )
