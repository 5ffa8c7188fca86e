"""Sets the environment before Keras is imported, and seeds each test."""

import atexit
import gc
import os
import tempfile
from importlib.metadata import version
from importlib.util import find_spec

# Two test processes share the cores and, where there is one, a GPU.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("TF_FORCE_GPU_ALLOW_GROWTH", "true")
# What is compiled here runs a few times: half the time of JAX's tests otherwise.
os.environ.setdefault("JAX_DISABLE_MOST_OPTIMIZATIONS", "1")
if not find_spec("jaxlib") or version("jaxlib").startswith("0.10."):
    os.environ.setdefault(
        "XLA_FLAGS",
        "--xla_backend_optimization_level=0 --xla_llvm_disable_expensive_passes=true"
        " --xla_cpu_use_fusion_emitters=false",
    )
# Newer versions of JAX end the process at a flag that they do not know.
os.environ.setdefault(
    "XLA_FLAGS",
    "--xla_backend_optimization_level=0 --xla_llvm_disable_expensive_passes=true",
)
os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")
# JAX compiles a program once for all tests, in whatever process.
if "JAX_COMPILATION_CACHE_DIR" not in os.environ:
    compiled = tempfile.TemporaryDirectory()
    atexit.register(compiled.cleanup)
    os.environ["JAX_COMPILATION_CACHE_DIR"] = compiled.name
    os.environ["JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS"] = "0"
    os.environ["JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES"] = "-1"

import hypothesis
import keras
import pytest

# Compiling takes longer than hypothesis' deadline for one example.
hypothesis.settings.register_profile(
    "house", deadline=None, derandomize=True, database=None
)
hypothesis.settings.load_profile("house")


def pytest_collection_finish():
    # Keras collects garbage in every clear_session: not through all that imports left,
    # a fifth of the time of TensorFlow's tests.
    gc.freeze()


@pytest.fixture(autouse=True)
def seeded():
    keras.utils.set_random_seed(0)


@pytest.fixture(scope="module")
def untraced():
    """TensorFlow runs the steps of a file one by one: some take less than their graph.

    For tests of what is around a training: records, files and flags.
    """
    if keras.config.backend() != "tensorflow":
        yield
        return
    import tensorflow as tf

    tf.config.run_functions_eagerly(True)
    yield
    tf.config.run_functions_eagerly(False)


@pytest.fixture
def float16_everywhere():
    keras.config.set_floatx("float16")
    yield
    keras.config.set_floatx("float32")
