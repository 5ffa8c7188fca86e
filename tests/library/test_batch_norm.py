"""`FusedBatchNormalization` against Keras' own."""

import keras
import numpy as np
import pytest
from keras import ops

from helpers.compilation import normal
from helpers.gradients import to_numpy
from keras_m2m._backend import input_gradient
from keras_m2m.layers import FusedBatchNormalization


def normalised(layer_class, x, steps=2, **arguments):
    """What training steps return, the gradient of the last, and the weights then."""
    layer = layer_class(momentum=0.8, epsilon=1e-3, **arguments)
    layer.build(x.shape)
    for index, variable in enumerate(layer.weights):
        offset = normal(*variable.shape, seed=index)
        variable.assign(to_numpy(variable) + 0.1 * offset)
    x = ops.convert_to_tensor(x)
    outputs = [to_numpy(layer(x * (n + 1), training=True)) for n in range(steps)]
    weights = ops.convert_to_tensor(normal(*x.shape, seed=9))

    def objective(x):
        with keras.StatelessScope():  # JAX must not keep traced statistics
            return ops.sum(weights * ops.cast(layer(x, training=True), "float32"))

    gradient = input_gradient(objective, x)
    outputs.append(to_numpy(layer(x, training=False)))
    return [*outputs, to_numpy(gradient), *map(to_numpy, layer.weights)]


@pytest.mark.parametrize(
    "shape, arguments",
    [
        ((3, 4, 5, 2), {}),
        ((3, 4, 5, 2), {"axis": 3}),
        ((3, 4, 5, 2), {"axis": 1}),
        ((3, 4, 5, 2), {"scale": False}),
        ((3, 4, 5, 2), {"center": False}),
        ((3, 4, 5, 2), {"dtype": "mixed_bfloat16"}),
        ((6, 2), {}),
    ],
)
def test_fused_normalisation_is_keras_normalisation(shape, arguments):
    x = 1 + 2 * normal(*shape)
    expected = normalised(keras.layers.BatchNormalization, x, **arguments)
    actual = normalised(FusedBatchNormalization, x, **arguments)
    tolerance = 2e-2 if "dtype" in arguments else 1e-5
    for ours, theirs in zip(actual, expected, strict=True):
        np.testing.assert_allclose(
            ours.astype("float32"), theirs.astype("float32"), atol=tolerance
        )


def test_a_frozen_fused_normalisation_uses_its_moving_statistics():
    x = normal(3, 4, 5, 2)
    layer = FusedBatchNormalization(trainable=False)
    np.testing.assert_allclose(
        to_numpy(layer(x, training=True)), x / np.sqrt(1 + layer.epsilon), rtol=1e-5
    )
    assert to_numpy(layer.moving_mean).tolist() == [0, 0]
