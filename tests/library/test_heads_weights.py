"""τ-normalisation, the choice of τ, and the nearest class mean, by their formulas."""

import keras
import numpy as np
import pytest
from sklearn.metrics import balanced_accuracy_score

from helpers import heads_oracle
from helpers.pictures import outputs
from keras_m2m import CosineDense
from keras_m2m import heads
from keras_m2m import mlp

RNG = np.random.default_rng(0)
X = RNG.normal(size=(40, 4)).astype("float32")
Y = RNG.choice(3, size=40, p=[0.6, 0.3, 0.1])
COUNTS = np.bincount(Y)


@pytest.fixture(scope="module")
def f():
    f = mlp(3, (4,), hidden=8)
    kernel, bias = f.layers[-1].get_weights()
    f.layers[-1].set_weights([kernel * np.array([9, 3, 1]), bias + [1, 0, -1]])
    return f


@pytest.mark.parametrize("tau", [0.0, 0.5, 1.0, 2.0])
def test_weights_are_divided_by_a_power_of_their_norm(f, tau):
    found = heads.tau_normalised(f, tau)
    kernel = f.layers[-1].get_weights()[0].astype("float64")
    expected = heads_oracle.tau_normalised(kernel, tau)
    np.testing.assert_allclose(found.layers[-1].get_weights()[0], expected, rtol=1e-5)


def test_there_is_no_bias(f):
    found = heads.tau_normalised(f)
    assert not found.layers[-1].use_bias
    assert found.count_params() == f.count_params() - 3


def test_weights_of_zeros_stay_zeros(f):
    kernel, bias = f.layers[-1].get_weights()
    other = keras.models.clone_model(f)
    other.set_weights([*f.get_weights()[:-2], kernel * np.array([1, 0, 1]), bias])
    found = heads.tau_normalised(other).layers[-1].get_weights()[0]
    np.testing.assert_allclose(np.linalg.norm(found, axis=0), [1, 0, 1], rtol=1e-5)


def test_cosines_are_normalised_already():
    inputs = keras.Input((4,))
    f = keras.Model(inputs, CosineDense(3)(inputs))
    with pytest.raises(ValueError, match="which normalises the weights"):
        heads.tau_normalised(f)


@pytest.mark.parametrize("tau", [-0.1, np.nan, "auto"])
def test_tau_of_a_norm_is_at_least_0(f, tau):
    with pytest.raises(ValueError, match="`tau` must be a finite number"):
        heads.tau_normalised(f, tau)


def adjusted(network, tau):
    return heads.adjust_logits(network, COUNTS, tau)


@pytest.mark.parametrize("make", [heads.tau_normalised, adjusted])
def test_the_chosen_tau_is_the_best_on_validation(f, make):
    choice = heads.choose_tau(make, f, X, Y)
    np.testing.assert_allclose(choice.taus, np.linspace(0, 2, 21))
    for tau, score in list(zip(choice.taus, choice.scores))[::5]:
        predicted = outputs(make(f, tau), X).argmax(1)
        assert score == pytest.approx(balanced_accuracy_score(Y, predicted))
    assert choice.tau == choice.taus[np.argmax(choice.scores)]
    assert len(set(choice.scores)) > 1  # Else nothing was chosen.


def test_of_taus_that_are_as_good_the_smallest_is_taken(f):
    choice = heads.choose_tau(lambda f, tau: f, f, X, Y, taus=[1.0, 0.5, 2.0])
    assert choice.tau == 0.5


def test_there_must_be_a_tau_to_try(f):
    with pytest.raises(ValueError, match="`taus` must be a list of numbers"):
        heads.choose_tau(heads.tau_normalised, f, X, Y, taus=[])


def test_the_nearest_mean_is_that_of_the_formula(f):
    values = heads.features(f, X).values.astype("float64")
    found = outputs(heads.nearest_class_mean(f, X, Y), X)
    expected = heads_oracle.nearest_mean_cosines(values, Y, values)
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_a_class_without_samples_has_no_mean(f):
    with pytest.raises(ValueError, match="Class counts must be positive"):
        heads.nearest_class_mean(f, X, np.minimum(Y, 1))
