"""A trial of f and of g finds what their layers do not show, and changes nothing."""

import numpy as np
import pytest
from keras import layers
from keras import ops

from helpers.m2m_cases import linear
from helpers.three_logits import Subclass
from helpers.three_logits import stacked
from keras_m2m import CosineDense
from keras_m2m.m2m_model.network_checks import check_networks
from keras_m2m.m2m_model.network_trial import Trial


class SoftmaxInCall(Subclass):
    def call(self, x):
        return ops.softmax(super().call(x))


class DictOut(Subclass):
    def call(self, x):
        return {"logits": super().call(x)}


class TwoOut(Subclass):
    def call(self, x):
        return super().call(x), x


class DictIn(Subclass):
    def __init__(self):
        super().__init__(shape=None)
        self({"x": np.zeros((2, 4), "float32")})

    def call(self, x):
        return super().call(x["x"])


def refused(network, match, name="f", other=None, num_classes=3, bounds=None):
    other = other or linear(2)
    pair = {"f": other, "g": other, name: network}
    with pytest.raises(ValueError, match=f"(?s){match}"):
        check_networks(pair["f"], pair["g"], num_classes, bounds)


def welcome(network, name="f", **arguments):
    pair = {"f": linear(2), "g": linear(3), name: network}
    check_networks(**pair, num_classes=3, **arguments)


# Logits.

SQUASHED = {
    "in a Lambda": lambda: stacked(layers.Dense(3), layers.Lambda(ops.softmax)),
    "before a Reshape": lambda: stacked(
        layers.Dense(3, "softmax"), layers.Reshape((3,))
    ),
    "in a call": SoftmaxInCall,
    "head of a subclass": lambda: Subclass(layers.Dense(3, "softmax")),
    "sigmoid in a Lambda": lambda: stacked(layers.Dense(3), layers.Lambda(ops.sigmoid)),
    "sigmoid head of a subclass": lambda: Subclass(layers.Dense(3, "sigmoid")),
}


@pytest.mark.parametrize("name", ["f", "g"])
@pytest.mark.parametrize("build", SQUASHED.values(), ids=SQUASHED)
def test_probabilities_are_refused_wherever_they_are_made(build, name):
    match = f"`{name}` must return logits.*remove the activation.*from_logits=True"
    refused(build(), match, name)


def test_a_sigmoid_gate_that_is_declared_last_is_welcome():
    welcome(Subclass())


def test_positive_logits_are_welcome():
    network = linear(1)
    network.set_weights([0.1 * np.ones((4, 3)), np.array([0.1, 0.2, 0.3])])
    welcome(network)


def test_a_head_of_zeros_is_welcome():
    welcome(
        stacked(layers.Dense(5, "relu"), layers.Dense(3, kernel_initializer="zeros"))
    )


def test_a_deep_network_without_trained_weights_is_called_but_once(monkeypatch):
    calls = []
    network = stacked(layers.Dense(5), layers.Rescaling(1e-9), layers.Dense(3))
    monkeypatch.setattr(Trial, "stays_within", lambda *_: calls.append(1))
    welcome(network, name="g")
    assert not calls


@pytest.mark.parametrize("size", [1e-30, 1e-9, 1e-5, 3e-4, 1e-2])
def test_small_logits_of_a_deep_network_are_welcome(size):
    tiny = layers.Rescaling(size)
    welcome(stacked(layers.Dense(5, "relu"), tiny, layers.Dense(3)), name="g")


@pytest.mark.parametrize(
    "head", [CosineDense(3), layers.Dense(3, "tanh")], ids=["cosines", "tanh"]
)
def test_g_of_values_that_cannot_grow_is_refused_within_a_subclass_too(head):
    refused(Subclass(head), "`g` must not end in a CosineDense of scale 1", "g")


def test_f_of_cosines_within_a_subclass_is_welcome():
    welcome(Subclass(CosineDense(3)))


# Shapes.


def test_more_logits_of_a_subclass_than_classes_are_refused():
    refused(Subclass(layers.Dense(4)), r"`f` must return one logit.*\(None, 4\)")


@pytest.mark.parametrize("build", [DictOut, TwoOut, DictIn])
def test_dicts_and_several_outputs_of_a_subclass_are_refused(build):
    refused(build(), "`f` must have one input and one output, the logits")


@pytest.mark.parametrize("units", [(1, 1), (1, 2), (2, 1), (2, 2)])
def test_two_classes_have_one_logit_or_two(units):
    f, g = (stacked(layers.Dense(n)) for n in units)
    check_networks(f, g, num_classes=2)


def test_one_probability_of_two_classes_is_refused():
    f, g = stacked(layers.Dense(1, "sigmoid")), stacked(layers.Dense(1))
    refused(f, "`f` must return logits", other=g, num_classes=2)


def test_a_subclass_that_does_not_say_its_input_takes_that_of_the_other():
    class Silent(Subclass):
        def get_build_config(self):
            return None

    refused(Silent(layers.Dense(4)), r"\(None, 4\)")


def test_inputs_may_be_of_open_length_in_one_network():
    f, g = (
        stacked(layers.GlobalAveragePooling1D(), layers.Dense(3), shape=shape)
        for shape in [(None, 4), (6, 4)]
    )
    check_networks(f, g, num_classes=3)
    with pytest.raises(ValueError, match="must take the same inputs"):
        check_networks(f, stacked(layers.Flatten(), layers.Dense(3), shape=(6, 5)), 3)


def test_a_network_of_open_length_that_needs_many_values_is_tried_with_many():
    def build():
        stack = [layers.Conv1D(3, 100), layers.GlobalMaxPooling1D(), layers.Dense(3)]
        return stacked(*stack, shape=(None, 2))

    check_networks(build(), build(), num_classes=3)


# Values.


def test_weights_of_nan_are_named():
    network = linear(1)
    network.set_weights([np.full((4, 3), np.nan), np.zeros(3)])
    refused(network, "`g` must return finite logits.*NaN.*1 weights.*kernel", "g")


def test_a_network_that_makes_nan_of_finite_weights_is_refused():
    refused(mlp_of_negative_variance(), "returns NaN.*Received: finite weights")


def mlp_of_negative_variance():
    return stacked(layers.Lambda(lambda x: ops.sqrt(-1.0 - x)), layers.Dense(3))


def test_a_logarithm_of_positive_samples_is_welcome():
    welcome(stacked(layers.Lambda(ops.log), layers.Dense(3)))


# The gradient.

WITHOUT_GRADIENT = {
    "uint8": lambda: stacked(
        layers.Lambda(lambda x: ops.cast(ops.cast(x, "uint8"), "float32")),
        layers.Dense(3),
    ),
    "ids": lambda: stacked(layers.Embedding(9, 5), layers.Flatten(), layers.Dense(3)),
    "integer input": lambda: stacked(
        layers.Embedding(9, 5), layers.Flatten(), layers.Dense(3), dtype="int32"
    ),
    "discretisation": lambda: stacked(
        layers.Discretization([0.5]),
        layers.Lambda(lambda x: ops.cast(x, "float32"), output_shape=(4,)),
        layers.Dense(3),
    ),
}


@pytest.mark.parametrize("name", ["f", "g"])
@pytest.mark.parametrize("build", WITHOUT_GRADIENT.values(), ids=WITHOUT_GRADIENT)
def test_a_network_without_a_gradient_to_its_input_is_refused(build, name):
    match = f"`{name}` must depend smoothly on its input.*such as embeddings"
    refused(build(), match, name)


# A network that cannot be called.


class Demanding(Subclass):
    """Looks up ids that the trial's samples are not."""

    def call(self, x):
        raise RuntimeError("no samples like these")


def test_a_network_that_raises_is_warned_of_and_no_more():
    network = Demanding(shape=None)
    network.built = True
    # An error, since warnings are errors in tests.
    with pytest.raises(UserWarning, match=r"(?s)`f` could.*\(8, 4\).*no samples"):
        check_networks(network, linear(2), 3)
