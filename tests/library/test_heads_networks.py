"""Which networks have a head that can be replaced, and what is said of the others."""

import keras
import numpy as np
import pytest
from keras import layers

from helpers.gradients import to_numpy
from helpers.pictures import outputs
from helpers.three_logits import Subclass
from keras_m2m import heads
from keras_m2m import mlp

X = np.random.default_rng(0).normal(5, 3, size=(20, 4)).astype("float32")


def stacked(*parts):
    return keras.Sequential([keras.Input((4,)), *parts])


def nested():
    inner = stacked(layers.Dense(5, "relu"), layers.BatchNormalization())
    inputs = keras.Input((4,))
    return keras.Model(inputs, layers.Dense(3)(inner(inputs)))


def branched():
    inputs = keras.Input((4,))
    parts = [layers.Dense(2)(inputs), layers.Dense(3)(inputs)]
    return keras.Model(inputs, layers.Dense(3)(layers.Concatenate()(parts)))


def normalised():
    statistics = layers.Normalization()
    statistics.adapt(X)
    return stacked(statistics, layers.Dense(5, "relu"), layers.Dense(3))


TAKEN = {
    "a list of layers": lambda: stacked(layers.Dense(5), layers.Dense(3)),
    "a network in a network": nested,
    "branches": branched,
    "statistics of samples": normalised,
    "no hidden layer": lambda: stacked(layers.Dense(3)),
    "no bias": lambda: stacked(layers.Dense(5), layers.Dense(3, use_bias=False)),
}


@pytest.mark.parametrize("name", TAKEN)
def test_logits_of_a_plain_network_are_adjusted(name):
    f = TAKEN[name]()
    shift = -np.log([0.6, 0.3, 0.1])
    adjusted = heads.adjust_logits(f, [60, 30, 10])
    np.testing.assert_allclose(outputs(adjusted, X), outputs(f, X) + shift, atol=1e-5)


def called_twice():
    head, body, inputs = layers.Dense(4), layers.Dense(4), keras.Input((4,))
    return keras.Model(inputs, head(layers.ReLU()(head(body(inputs)))))


def of_two_inputs():
    inputs = [keras.Input((4,)), keras.Input((4,))]
    return keras.Model(inputs, layers.Dense(3)(layers.Add()(inputs)))


def low_rank():
    f = stacked(layers.Dense(3))
    f.layers[-1].enable_lora(1)
    return f


REFUSED = {
    "softmax in the layer": (
        lambda: stacked(layers.Dense(3, "softmax")),
        "must return logits: remove the activation.*'softmax'",
    ),
    "softmax after it": (
        lambda: stacked(layers.Dense(3), layers.Softmax()),
        "must end in a Dense layer of logits.*such as a softmax.*Softmax",
    ),
    "another layer": (
        lambda: stacked(layers.Reshape((4, 1)), layers.Conv1D(3, 4), layers.Flatten()),
        "must end in a Dense layer.*Flatten",
    ),
    "an operation at the end": (
        lambda: keras.Model(i := keras.Input((4,)), layers.Dense(3)(i) * 2),
        "must end in a Dense layer",
    ),
    "several logits a sample": (
        lambda: stacked(layers.Reshape((2, 2)), layers.Dense(3)),
        r"must end in a Dense layer.*\(None, 2, 3\)",
    ),
    "a head with two uses": (called_twice, "must end in a Dense layer"),
    "a low-rank update": (low_rank, "must end in a Dense layer"),
    "two inputs": (of_two_inputs, "one input and one output.*2 inputs"),
    "a call of its own": (Subclass, "must be a built Functional or Sequential model"),
    "not built": (
        lambda: keras.Sequential([layers.Dense(3)]),
        "must be a built Functional or Sequential model",
    ),
    "no network": (lambda: "f", "`f` must be a keras.Model"),
}


@pytest.mark.no_backend
@pytest.mark.parametrize("name", REFUSED)
def test_another_network_is_refused(name):
    make, message = REFUSED[name]
    f = make()
    with pytest.raises(ValueError, match=f"(?s){message}"):
        heads.adjust_logits(f, [60, 30, 10])


class NoConfig(layers.Layer):
    def __init__(self, units):
        super().__init__()
        self.units = units

    def get_config(self):
        return {}

    def call(self, x):
        return x[:, : self.units]


@pytest.mark.no_backend
def test_a_layer_without_config_is_named():
    f = stacked(NoConfig(2), layers.Dense(3))
    with pytest.raises(ValueError, match="own layers with a get_config"):
        heads.adjust_logits(f, [60, 30, 10])


ONE_LOGIT = {
    "τ-normalisation": lambda f: heads.tau_normalised(f),
    "cRT": lambda f: heads.retrained_head(f, X, [0, 1] * 10),
    "LWS": lambda f: heads.scaled_head(f, X, [0, 1] * 10),
    "The nearest class mean": lambda f: heads.nearest_class_mean(f, X, [0, 1] * 10),
}


@pytest.mark.no_backend
@pytest.mark.parametrize("name", ONE_LOGIT)
def test_what_needs_a_logit_for_each_class_says_so(name):
    f = mlp(2, (4,), hidden=4, head="logit")
    with pytest.raises(ValueError, match=f"{name} needs a logit for each class"):
        ONE_LOGIT[name](f)


@pytest.mark.parametrize(
    "x, message",
    [
        (np.ones((3, 5)), r"samples of shape \(n, 4\).*\(3, 5\)"),
        (np.ones((0, 4)), r"samples of shape \(n, 4\)"),
        (np.array([["a"] * 4]), "samples of shape"),
        (heads.Features(np.ones((2, 3))), r"must be of shape \(n, 8\).*\(2, 3\)"),
        (heads.Features(np.full((2, 8), np.nan)), "must be finite floats"),
    ],
)
def test_what_is_no_sample_is_refused(x, message):
    f = mlp(3, (4,), hidden=8)
    with pytest.raises(ValueError, match=message):
        heads.estimate_prior(f, [1, 1, 1], x)


@pytest.mark.no_backend
def test_labels_and_features_must_be_equally_many():
    f = mlp(3, (4,), hidden=8)
    with pytest.raises(ValueError, match=r"len\(x\)=2, len\(y\)=3"):
        heads.nearest_class_mean(f, heads.Features(np.ones((2, 8))), [0, 1, 2])


def test_the_feature_network_shares_the_layers_of_f():
    f = mlp(3, (4,), hidden=8)
    network = heads.feature_network(f)
    assert [id(v) for v in network.variables] == [id(v) for v in f.variables[:-2]]
    expected = to_numpy(f.layers[-2](X))
    np.testing.assert_array_equal(outputs(network, X), expected)
