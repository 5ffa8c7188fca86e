"""Folded networks compute what the networks do, and leave these alone."""

import keras
import numpy as np
import pytest
from keras import layers
from keras import ops

import keras_m2m
from helpers.compilation import ONCE
from helpers.compilation import normal
from helpers.compilation import run
from helpers.gradients import to_numpy
from keras_m2m._backend import input_gradient
from keras_m2m.folding import FoldedNetwork

# TensorFlow cannot run channels first on a CPU.
CHANNELS_FIRST = keras.config.backend() != "tensorflow"


def shaken(network):
    """The network with every bias, scale and statistic moved off its first value."""
    rng = np.random.default_rng(0)
    for variable in network.variables:
        if len(variable.shape) == 1 and "seed" not in variable.path:
            noise = rng.uniform(0.1, 0.4, size=variable.shape)
            variable.assign(to_numpy(variable) + noise)
    return network


def sequential(*parts, shape=(8, 8, 3)):
    ends = [layers.GlobalAveragePooling2D(), layers.Dense(3)]
    return keras.Sequential([keras.Input(shape), *parts, *ends])


def functional(body, shape=(8, 8, 3)):
    inputs = keras.Input(shape)
    features = layers.GlobalAveragePooling2D()(body(inputs))
    return keras.Model(inputs, layers.Dense(3)(features))


def norm(**arguments):
    return layers.BatchNormalization(**arguments)


def convolution_used_twice(x):
    x = layers.Conv2D(4, 3)(x)
    return layers.Add()([norm()(x), x])


def shared_activation(x):
    relu = layers.ReLU()
    x = relu(norm()(layers.Conv2D(4, 3)(x)))
    return relu(norm()(layers.Conv2D(4, 3)(x)))


def shared_convolution(x):
    conv = layers.Conv2D(3, 3, padding="same")
    return norm()(conv(norm()(conv(x))))


def plain_operations(x):
    x = norm()(layers.Conv2D(4, 3)(2 * x - 1))
    return ops.concatenate([ops.relu(x), -x], axis=-1)


def nested(x):
    backbone = sequential(layers.Conv2D(4, 3), norm(), layers.ReLU())
    backbone = keras.Model(backbone.inputs, backbone.layers[-3].output)
    return norm()(layers.Conv2D(5, 3)(backbone(x)))


def shared_with_a_nested_model(x):
    conv = layers.Conv2D(3, 3, padding="same")
    inputs = keras.Input((8, 8, 3))
    x = keras.Model(inputs, norm()(conv(inputs)))(x)
    return norm()(layers.ReLU()(conv(x)))


def masked_and_dropped(x):
    return layers.Dropout(0.5)(norm(center=False)(layers.Conv2D(4, 3)(x)))


# With the number of BatchNormalizations that go into a convolution.
NETWORKS = {
    "bias and strides": (
        lambda: sequential(layers.Conv2D(4, 3, strides=2, padding="same"), norm()),
        1,
    ),
    "no scale, no offset": (
        lambda: sequential(
            layers.Conv2D(4, 3, use_bias=False), norm(scale=False, center=False)
        ),
        1,
    ),
    "activation between": (
        lambda: sequential(layers.Conv2D(4, 3, activation="relu"), norm()),
        0,
    ),
    "another axis": (lambda: sequential(layers.Conv2D(4, 3), norm(axis=1)), 0),
    "normalisation first": (
        lambda: sequential(norm(), layers.ReLU(), layers.Conv2D(4, 3), norm()),
        1,
    ),
    "used twice": (lambda: functional(convolution_used_twice), 0),
    "shared activation": (lambda: functional(shared_activation), 2),
    "shared convolution": (lambda: functional(shared_convolution), 0),
    "shared with a nested model": (lambda: functional(shared_with_a_nested_model), 0),
    "plain operations": (lambda: functional(plain_operations), 1),
    "nested model": (lambda: functional(nested), 2),
    "dropout": (lambda: functional(masked_and_dropped), 1),
    "dilated and grouped": (
        lambda: sequential(
            layers.Conv2D(6, 3, dilation_rate=2),
            norm(),
            layers.Conv2D(6, 3, groups=3),
            norm(),
        ),
        0,
    ),
    "one dimension": (
        lambda: keras.Sequential(
            [
                keras.Input((9, 3)),
                layers.Conv1D(4, 3),
                norm(),
                layers.Conv1D(4, 4, strides=2, padding="same"),
                norm(),
                layers.Conv1D(4, 3, padding="causal"),
                norm(),
                layers.Flatten(),
                layers.Dense(3),
            ]
        ),
        2,
    ),
    "dense": (
        lambda: keras.Sequential(
            [keras.Input((6,)), layers.Dense(5), norm(), layers.Dense(3)]
        ),
        0,
    ),
    "resnet8": (
        lambda: keras_m2m.cifar_resnet(8, 3, mean=[0.4] * 3, variance=[2] * 3),
        7,
    ),
    # Nine convolutions and two projections; the third shortcut has none.
    "resnet of series": (lambda: keras_m2m.resnet1d(3, (9, 2), width=4), 11),
    "preactivation": (lambda: keras_m2m.preact_resnet18(3, input_shape=(8, 8, 3)), 8),
}
# Of 11 million weights, with no part that is not in another network.
CASES = [
    pytest.param(name, marks=[pytest.mark.no_backend] * (name == "preactivation"))
    for name in NETWORKS
]


class Halved(keras.Model):
    """A functional model with a call of its own."""

    def call(self, x, training=None):
        return super().call(x, training=training) / 2


class Subclassed(keras.Model):
    def __init__(self):
        super().__init__()
        self.inner = sequential(layers.Conv2D(4, 3), norm())
        self.built = True

    def call(self, x, training=None):
        return self.inner(x, training=training)


def halved():
    network = sequential(layers.Conv2D(4, 3), norm())
    return Halved(network.inputs, network.outputs)


def folded_norms(folded):
    return sum(conv is not None for _, conv in folded._norms)


def samples(network):
    return ops.convert_to_tensor(normal(3, *network.input_shape[1:]))


@pytest.fixture(scope="module", params=CASES)
def case(request):
    keras.utils.set_random_seed(0)
    build, folded = NETWORKS[request.param]
    return shaken(build()), folded


def values_and_gradient(logits, x):
    """Logits at x, and the gradient of their squares: all count by other weights."""

    def both(x):
        return logits(x), input_gradient(lambda x: ops.sum(ops.square(logits(x))), x)

    return run(ONCE, both, x)


def assert_close(actual, expected):
    scale = np.abs(expected).max()
    np.testing.assert_allclose(actual / scale, expected / scale, atol=1e-5)


def test_logits_and_input_gradients_are_the_networks(case):
    network, _ = case
    x = samples(network)
    expected = values_and_gradient(lambda x: network(x, training=False), x)
    for forward_gradient in (False, True):
        folded = FoldedNetwork(network).freeze(forward_gradient)
        for actual, own in zip(values_and_gradient(folded, x), expected, strict=True):
            assert_close(actual, own)


def test_as_many_normalisations_go_into_convolutions_as_can(case):
    network, expected = case
    assert folded_norms(FoldedNetwork(network)) == expected


def test_the_network_is_left_as_it_was(case):
    network, _ = case
    weights, graph = network.get_weights(), network.to_json()
    x = samples(network)
    FoldedNetwork(network).freeze()(x)
    for before, after in zip(weights, network.get_weights(), strict=True):
        np.testing.assert_array_equal(before, after)
    assert network.to_json() == graph
    features = keras.Model(network.inputs, network.layers[-1].output)
    assert_close(
        to_numpy(features(x, training=False)), to_numpy(network(x, training=False))
    )


@pytest.mark.parametrize("build", [Subclassed, halved])
def test_a_model_with_a_call_of_its_own_runs_as_it_is(build):
    network = shaken(build())
    x = ops.convert_to_tensor(normal(3, 8, 8, 3))
    folded = FoldedNetwork(network)
    expected = to_numpy(network(x, training=False))
    np.testing.assert_array_equal(to_numpy(folded.freeze()(x)), expected)
    assert not folded.nests


def test_weights_are_those_of_the_moment_of_freezing():
    network = shaken(sequential(layers.Conv2D(4, 3), norm()))
    folded, x = FoldedNetwork(network), ops.convert_to_tensor(normal(3, 8, 8, 3))
    before = to_numpy(folded.freeze()(x))
    shaken(network)
    after = to_numpy(folded.freeze()(x))
    assert np.abs(after - before).max() > 0.1
    assert_close(after, to_numpy(network(x, training=False)))


@pytest.mark.skipif(not CHANNELS_FIRST, reason="not on TensorFlow's CPU")
def test_channels_first_folds_too():
    network = shaken(
        sequential(
            layers.Conv2D(4, 3, strides=2, data_format="channels_first"),
            norm(axis=1),
            layers.Conv2D(4, 2, data_format="channels_first"),
            shape=(3, 8, 8),
        )
    )
    folded, x = FoldedNetwork(network), ops.convert_to_tensor(normal(3, 3, 8, 8))
    assert folded_norms(folded) == 1
    for forward_gradient in (False, True):
        logits = folded.freeze(forward_gradient)
        assert_close(to_numpy(logits(x)), to_numpy(network(x, training=False)))


def test_convolutions_that_are_not_rebuilt_do_not_nest():
    build, _ = NETWORKS["dilated and grouped"]
    assert not FoldedNetwork(build()).nests
    for name in ("resnet8", "resnet of series"):
        build, _ = NETWORKS[name]
        assert FoldedNetwork(build()).nests
