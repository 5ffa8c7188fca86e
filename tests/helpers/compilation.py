"""Runs a function of tensors in each way that the running backend knows."""

import keras
import numpy as np

from helpers.gradients import to_numpy

# PyTorch has no graph here; its compiler takes minutes for the smallest model.
MODES = {
    "tensorflow": ["eager", "graph", "xla"],
    "jax": ["eager", "xla"],
    "torch": ["eager"],
}[keras.backend.backend()]
# The least time for what runs once: eagerly, JAX compiles each operation by itself.
ONCE = "xla" if keras.backend.backend() == "jax" else "eager"


def run(mode, fn, *arrays):
    """`fn(*arrays)` as a NumPy array, the arrays given as tensors."""
    tensors = [keras.ops.convert_to_tensor(array) for array in arrays]
    return keras.tree.map_structure(to_numpy, compiled(mode, fn)(*tensors))


def compiled(mode, fn):
    """`fn` as a function that is compiled once per shape, unless eager."""
    if mode == "eager":
        return fn
    if keras.backend.backend() == "jax":
        import jax

        return jax.jit(fn)
    import tensorflow

    return tensorflow.function(fn, jit_compile=mode == "xla")


def normal(*shape, seed=0):
    """Gaussian float32 numbers."""
    return np.random.default_rng(seed).standard_normal(shape).astype("float32")
