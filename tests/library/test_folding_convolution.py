"""A convolution whose input gradient runs forwards, against Keras' own."""

import keras
import numpy as np
import pytest
from keras import ops

from helpers.compilation import MODES
from helpers.compilation import normal
from helpers.compilation import run
from helpers.gradients import to_numpy
from keras_m2m._backend import input_gradient
from keras_m2m.folding import conv_with_forward_gradient

if keras.config.backend() == "torch":
    # TensorFlow cannot run channels first on a CPU at all; there it goes untested.
    FORMATS = ["channels_last", "channels_first"]
else:
    FORMATS = ["channels_last"]
CASES = [
    (size, extent, strides, padding)
    for size in [(6, 6), (7, 8)]
    for extent in [(1, 1), (3, 3), (5, 2)]
    for strides in [(1, 1), (2, 3)]
    for padding in ["same", "valid"]
]
CASES += [
    ((9,), extent, strides, padding)
    for extent in [(3,), (8,)]
    for strides in [(1,), (2,)]
    for padding in ["same", "valid"]
]


def gradients(convolve, x, kernel, weights):
    """Of the weighted sum of the convolution of x."""

    def objective(x):
        return ops.sum(ops.convert_to_tensor(weights) * convolve(x, kernel))

    return input_gradient(objective, x)


@pytest.mark.parametrize("data_format", FORMATS)
@pytest.mark.parametrize("size, extent, strides, padding", CASES)
def test_values_and_input_gradients_are_those_of_keras(
    size, extent, strides, padding, data_format
):
    shape = (2, *size, 3) if data_format == "channels_last" else (2, 3, *size)
    x, kernel = normal(*shape), ops.convert_to_tensor(normal(*extent, 3, 4))

    def ours(x, kernel):
        return conv_with_forward_gradient(x, kernel, strides, padding, data_format)

    def keras_own(x, kernel):
        return ops.conv(x, kernel, strides, padding, data_format)

    x = ops.convert_to_tensor(x)
    value = to_numpy(keras_own(x, kernel))
    np.testing.assert_allclose(to_numpy(ours(x, kernel)), value, atol=1e-5)
    weights = normal(*value.shape, seed=1)
    expected, actual = (
        to_numpy(gradients(convolve, x, kernel, weights))
        for convolve in (keras_own, ours)
    )
    np.testing.assert_allclose(actual, expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("mode", MODES)
def test_it_differentiates_inside_a_loop(mode):
    x, kernel = normal(2, 5, 5, 1), normal(3, 3, 1, 1)

    def descend(convolve, x, kernel):
        def step(_, x):
            return x - 0.1 * input_gradient(
                lambda x: ops.sum(ops.square(convolve(x, kernel))), x
            )

        return ops.fori_loop(0, 3, step, x)

    def ours(x, kernel):
        return conv_with_forward_gradient(x, kernel, (2, 2), "same", "channels_last")

    def keras_own(x, kernel):
        return ops.conv(x, kernel, 2, "same", "channels_last")

    expected = run(mode, lambda x, k: descend(keras_own, x, k), x, kernel)
    actual = run(mode, lambda x, k: descend(ours, x, k), x, kernel)
    np.testing.assert_allclose(actual, expected, rtol=1e-5, atol=1e-5)
