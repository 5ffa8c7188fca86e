"""Tiny classifiers of 3 classes, and a data set on which M2m has no choice."""

import keras
import numpy as np

from helpers import oracles
from helpers.compilation import normal

# How `compile` is told of each of `compilation.MODES`, and of its own choice.
COMPILE = {
    "auto": {},
    "eager": {"run_eagerly": True},
    "graph": {"jit_compile": False},
    "xla": {"jit_compile": True},
}
# Where compiling plays no part: the least time. JAX compiles each eager operation.
UNCOMPILED = COMPILE["auto" if keras.backend.backend() == "jax" else "eager"]
COMPILE["once"] = UNCOMPILED
# One mode for either kind of step: the wanted rows alone, or all rows.
SHAPES = ["graph", "xla"] if keras.backend.backend() == "tensorflow" else ["auto"]
LOSS = keras.losses.SparseCategoricalCrossentropy(from_logits=True)

# Class 1 is so much larger that, in float32, each row of the others is generated
# for certain, from a row of class 1, and is never rejected.
COUNTS = [1, 10**9, 1]
LABELS = np.array([1, 0, 2, 0, 2])


def linear(seed):
    """x W + b on 4 values."""
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3)])
    model.set_weights([normal(4, 3, seed=seed), normal(3, seed=seed + 100)])
    return model


def convolutional(seed):
    """A convolution with batch normalisation on 5x5 images of 2 channels."""
    keras.utils.set_random_seed(seed)
    axis = 1 if keras.config.image_data_format() == "channels_first" else -1
    return keras.Sequential(
        [
            keras.Input(image_shape()),
            keras.layers.Conv2D(4, 3),
            keras.layers.BatchNormalization(axis=axis),
            keras.layers.ReLU(),
            keras.layers.GlobalAveragePooling2D(),
            keras.layers.Dense(3),
        ]
    )


def regularised(seed):
    """Whatever adds losses or draws numbers when a network is called."""
    keras.utils.set_random_seed(seed)
    return keras.Sequential(
        [
            keras.Input((4,)),
            keras.layers.Dense(
                8, "relu", activity_regularizer="l2", kernel_regularizer="l2"
            ),
            keras.layers.Dropout(0.5, seed=seed),
            keras.layers.Dense(3),
        ]
    )


def image_shape():
    channels_first = keras.config.image_data_format() == "channels_first"
    return (2, 5, 5) if channels_first else (5, 5, 2)


def twin(network):
    """Another network of the same weights and the same seeds."""
    copy = keras.models.clone_model(network)
    copy.set_weights(network.get_weights())
    return copy


def undecided(network):
    """The network with all weights zero: a probability of 1/3 for each class."""
    network.set_weights([np.zeros_like(weight) for weight in network.get_weights()])
    return network


def sgd():
    return keras.optimizers.SGD(0.1, momentum=0.9)


def translations(f, g, starts, targets, seed_class=1, **arguments):
    """What M2m makes of samples of one class, for linear f and g, by the oracle."""
    (w_f, b_f), (w_g, b_g) = f.get_weights(), g.get_weights()
    seed_classes = [seed_class] * len(targets)
    return oracles.translate_linear(
        starts, w_g, b_g, w_f, b_f, seed_classes, targets, **arguments
    )


def confidences(g, x, targets):
    """Probability of each target under a linear g."""
    kernel, bias = g.get_weights()
    return np.array([oracles.softmax(v @ kernel + bias)[k] for v, k in zip(x, targets)])


def loss_gradients(kernel, bias, x, y, weights=None):
    """Of the mean of weight * cross entropy of x W + b, for W and for b."""
    weights = np.ones(len(y)) if weights is None else weights
    errors = np.array([oracles.softmax(v @ kernel + bias) for v in x])
    errors[np.arange(len(y)), y] -= 1.0
    errors *= np.reshape(weights, (-1, 1)) / len(y)
    return x.T @ errors, errors.sum(axis=0)


def assert_one_sgd_step(f, before, x, y, weights=None, rate=1.0):
    """That f went from `before` one step of plain gradient descent on this batch."""
    gradients = loss_gradients(*before, x, y, weights)
    for value, start, gradient in zip(f.get_weights(), before, gradients):
        np.testing.assert_allclose(value, start - rate * gradient, rtol=1e-5, atol=1e-5)
