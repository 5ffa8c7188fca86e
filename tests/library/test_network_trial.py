"""What a trial of f and g leaves alone, and what else is asked of them."""

import keras
import numpy as np
import pytest
from keras import layers
from keras import ops

from helpers.compilation import normal
from helpers.gradients import to_numpy
from helpers.m2m_cases import LOSS
from helpers.m2m_cases import regularised
from helpers.m2m_cases import sgd
from helpers.three_logits import Subclass
from helpers.three_logits import stacked
from keras_m2m import M2mModel
from keras_m2m.m2m_model.network_checks import check_networks
from keras_m2m.m2m_model.network_checks import check_number_of_classes

# What it leaves alone.


class Drawing(Subclass):
    """Draws from Keras' own generator and counts its calls, in inference too."""

    def __init__(self):
        super().__init__(shape=None)
        self.calls = self.add_weight(shape=(), initializer="zeros", trainable=False)
        self(np.zeros((2, 4), "float32"))

    def call(self, x):
        self.calls.assign_add(1.0)
        return super().call(x + keras.random.normal((4,)))


def test_neither_the_networks_nor_random_numbers_are_changed():
    f, g = Drawing(), regularised(2)
    before = [to_numpy(v) for v in f.variables + g.variables]
    keras.utils.set_random_seed(1)
    expected = to_numpy(keras.random.uniform((3,)))
    keras.utils.set_random_seed(1)
    check_networks(f, g, num_classes=3)
    np.testing.assert_array_equal(to_numpy(keras.random.uniform((3,))), expected)
    for value, variable in zip(before, f.variables + g.variables, strict=True):
        np.testing.assert_array_equal(value, to_numpy(variable))


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
def test_networks_of_mixed_precision_are_welcome(policy):
    keras.config.set_dtype_policy(policy)
    try:
        f, g = (stacked(layers.Dense(5, "relu"), layers.Dense(3)) for _ in range(2))
        check_networks(f, g, num_classes=3)
    finally:
        keras.config.set_dtype_policy("float32")


def test_pixels_up_to_255_are_welcome_where_bounds_say_so():
    f, g = (
        stacked(layers.Rescaling(1 / 255), layers.Dense(5, "relu"), layers.Dense(3))
        for _ in range(2)
    )
    check_networks(f, g, num_classes=3, bounds=(0, 255))


# A configuration that cannot be made.


class TakesAnArray(layers.Layer):
    """A layer whose constructor takes what Keras cannot write down."""

    def __init__(self, factors):
        super().__init__()
        self.factors = factors

    def call(self, x):
        return x * ops.convert_to_tensor(self.factors)


def test_training_asks_no_layer_for_its_configuration():
    def build():
        x = keras.Input((4,))
        return keras.Model(x, layers.Dense(3)(TakesAnArray(np.ones(4, "float32"))(x)))

    model = M2mModel(build(), build(), [5, 50, 5], steps=1, step_size=0.1)
    model.compile(sgd(), LOSS)
    history = model.fit(normal(6, 4), np.arange(6) % 3, verbose=0).history
    assert np.isfinite(history["loss"]).all()


# The number of classes.


def test_many_classes_are_warned_of_with_their_memory():
    with pytest.warns(UserWarning, match=r"about 3\.5 GiB for 8142 classes"):
        check_number_of_classes(8142)


def test_more_classes_than_memory_serves_are_refused():
    with pytest.raises(ValueError, match=r"20\.9 GiB for 20000 classes.*: 20000"):
        check_number_of_classes(20_000)


def test_a_thousand_classes_are_no_reason_to_warn():
    check_number_of_classes(1000)


def test_networks_are_not_called_for_too_many_classes():
    with pytest.raises(ValueError, match="10001 entries"):
        check_networks(None, None, 10_001)
