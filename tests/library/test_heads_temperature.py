"""One temperature, the one of least NLL."""

import numpy as np
import pytest
import scipy.optimize

from helpers import heads_oracle
from helpers.pictures import outputs
from keras_m2m import heads
from keras_m2m import mlp

RNG = np.random.default_rng(0)
X = RNG.normal(size=(60, 4)).astype("float32")
# Labels that follow X, and noise.
Y = (X[:, :3] + RNG.normal(0, 0.5, size=(60, 3))).argmax(1)


@pytest.fixture(scope="module")
def f():
    """Logits that know something of Y, and are surer than they are right."""
    f = mlp(3, (4,), hidden=4)
    f.layers[1].set_weights([np.eye(4), np.full(4, 5.0)])
    f.layers[-1].set_weights([9 * np.eye(4)[:, :3], np.zeros(3)])
    return f


def least(logits, labels):
    """The best temperature by SciPy, found by another method on another scale."""

    def cost(log_temperature):
        return heads_oracle.nll(logits / np.exp(log_temperature), labels)

    options = {"xatol": 1e-8}
    found = scipy.optimize.minimize_scalar(
        cost, bounds=(-9, 9), method="bounded", options=options
    )
    return np.exp(found.x), found.fun


def test_the_temperature_is_that_of_the_least_nll(f):
    logits = outputs(f, X).astype("float64")
    temperature, nll = least(logits, Y)
    scaled = outputs(heads.temperature_scaled(f, X, Y), X)
    np.testing.assert_allclose(scaled, logits / temperature, rtol=1e-3, atol=1e-4)
    assert heads_oracle.nll(scaled.astype("float64"), Y) == pytest.approx(nll, abs=1e-6)
    assert temperature > 1  # As made: surer than right.


def test_predictions_stay(f):
    scaled = outputs(heads.temperature_scaled(f, X, Y), X)
    np.testing.assert_array_equal(scaled.argmax(1), outputs(f, X).argmax(1))


def test_one_logit_has_a_temperature_too():
    f = mlp(2, (4,), hidden=4, head="logit")
    f.layers[1].set_weights([np.eye(4), np.full(4, 5.0)])
    f.layers[-1].set_weights([np.array([[8.0], [0], [0], [0]]), np.array([-40.0])])
    labels = (X[:, 0] + RNG.normal(size=60) > 0).astype(int)
    z = outputs(f, X).astype("float64")
    temperature, _ = least(np.concatenate([0 * z, z], axis=1), labels)
    scaled = outputs(heads.temperature_scaled(f, X, labels), X)
    np.testing.assert_allclose(scaled, z / temperature, rtol=1e-3, atol=1e-4)


def test_a_given_temperature_divides_the_logits(f):
    scaled = outputs(heads.temperature_scaled(f, temperature=4.0), X)
    np.testing.assert_allclose(scaled, outputs(f, X) / 4, rtol=1e-5)


def test_cosines_of_means_become_probabilities(f):
    means = heads.nearest_class_mean(f, X, Y)
    scaled = heads.temperature_scaled(means, X, Y)
    temperature, _ = least(outputs(means, X).astype("float64"), Y)
    assert scaled.layers[-1].scale == pytest.approx(1 / temperature, rel=1e-3)


def test_samples_that_are_all_right_have_no_best_temperature(f):
    right = outputs(f, X).argmax(1)
    with pytest.raises(ValueError, match="right on all of these samples"):
        heads.temperature_scaled(f, X, right)


def test_labels_that_do_not_belong_to_the_samples_are_refused(f):
    with pytest.raises(ValueError, match="say no more about these labels"):
        heads.temperature_scaled(f, X, outputs(f, X).argmin(1))


@pytest.mark.parametrize(
    "given",
    [{}, {"x_val": X}, {"y_val": Y}, {"x_val": X, "y_val": Y, "temperature": 1}],
)
def test_samples_or_a_temperature_are_given(f, given):
    with pytest.raises(ValueError, match="Give held-out samples"):
        heads.temperature_scaled(f, **given)


@pytest.mark.parametrize("temperature", [0, -1, np.nan])
def test_a_temperature_is_positive(f, temperature):
    with pytest.raises(ValueError, match="`temperature` must be a finite positive"):
        heads.temperature_scaled(f, temperature=temperature)
