"""Gradients as NumPy arrays, on the backend that runs."""

import keras
import numpy as np

from keras_m2m._backend import input_gradient


def gradient(fn, x, dtype="float32"):
    """Gradient of the scalar `fn(x)` at the array `x`."""
    return to_numpy(input_gradient(fn, keras.ops.convert_to_tensor(x, dtype)))


def to_numpy(tensor):
    return np.asarray(keras.ops.convert_to_numpy(tensor))
