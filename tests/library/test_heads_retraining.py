"""cRT and LWS: what they minimise, against other minimisers."""

import keras
import numpy as np
import pytest
import scipy.optimize
from keras import layers
from sklearn.linear_model import LogisticRegression

import keras_m2m
from helpers import heads_oracle
from helpers.pictures import outputs
from keras_m2m import heads

RNG = np.random.default_rng(0)
Y = np.repeat([0, 1, 2], [120, 40, 15])
CENTERS = np.array([[0, 0], [1.5, 0], [0, 1.5]])
X = (CENTERS[Y] + RNG.normal(size=(len(Y), 2))).astype("float32")
# Long enough to get to the minimum, in batches that are near to balanced data.
LONG = {"epochs": 80, "batch_size": 4000, "weight_decay": 0.0, "learning_rate": 0.5}


@pytest.fixture(scope="module")
def f():
    """A linear network, so that its features are the samples."""
    f = keras.Sequential([keras.Input((2,)), layers.Dense(3)])
    f.set_weights([np.array([[1, 2, 0.1], [0.5, 0.1, 1]]), np.array([2, 1, -1])])
    return f


@pytest.fixture(scope="module")
def retrained(f):
    return heads.retrained_head(f, X, Y, **LONG)


@pytest.fixture(scope="module")
def scaled(f):
    return heads.scaled_head(f, X, Y, **LONG)


def balanced_nll(logits):
    weights = heads_oracle.balanced_weights(Y)
    return heads_oracle.nll(np.asarray(logits, "float64"), Y, weights)


def test_crt_finds_the_minimum_of_a_balanced_logistic_regression(retrained):
    known = LogisticRegression(C=np.inf, class_weight="balanced", max_iter=1000)
    least = balanced_nll(known.fit(X, Y).decision_function(X))
    found = balanced_nll(outputs(retrained, X))
    assert least - 1e-6 <= found <= least + 0.01
    # As near in what it predicts: other weights would have the same cost.
    agree = outputs(retrained, X).argmax(1) == known.predict(X)
    assert agree.mean() > 0.95


def test_lws_finds_the_factors_of_the_least_balanced_cost(f, scaled):
    logits = outputs(f, X).astype("float64")
    least = scipy.optimize.minimize(lambda s: balanced_nll(s * logits), np.ones(3)).fun
    found = balanced_nll(outputs(scaled, X))
    assert least - 1e-6 <= found <= least + 0.01 < balanced_nll(logits)


def test_lws_scales_each_logit_by_a_factor(f, scaled):
    factors = outputs(scaled, X) / outputs(f, X)
    np.testing.assert_allclose(factors, np.tile(factors[:1], (len(X), 1)), rtol=1e-3)
    assert len(set(factors[0].round(3))) == 3


def test_factors_of_cosines_stay_beside_them():
    inputs = keras.Input((2,))
    f = keras.Model(inputs, keras_m2m.CosineDense(3, scale=5.0)(inputs))
    found = heads.scaled_head(f, X, Y, epochs=1, batch_size=175)
    factors = np.array(found.layers[-1].scale) / 5
    np.testing.assert_allclose(outputs(found, X), factors * outputs(f, X), atol=1e-5)


def weights(make, f, **changes):
    short = {"epochs": 1, "batch_size": 35, **changes}
    return make(f, heads.Features(X), Y, **short).get_weights()


def test_a_seed_repeats_to_the_bit_and_another_does_not(f):
    first, again, other = (
        weights(heads.retrained_head, f, seed=seed) for seed in (1, 1, 2)
    )
    for one, same, another in zip(first, again, other, strict=True):
        np.testing.assert_array_equal(one, same)
        assert (one != another).all()


def test_the_head_begins_anew(f):
    """Kernel and bias are drawn from ±1/sqrt(dim), however f's are."""
    begun = weights(heads.retrained_head, f, learning_rate=1e-12)
    for values in begun:
        assert np.abs(values).max() <= 2**-0.5
        assert np.ptp(values) > 0


def test_another_loss_is_what_is_minimised(f):
    """Of a loss without a gradient nothing comes."""
    flat = keras.losses.MeanAbsoluteError()

    class Flat(keras.losses.Loss):
        def call(self, y_true, y_pred):
            return 0 * flat.call(y_pred, y_pred)

    found = weights(heads.scaled_head, f, loss=Flat(), weight_decay=0.0)
    for one, other in zip(found, f.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.no_backend
@pytest.mark.parametrize("make", [heads.retrained_head, heads.scaled_head])
@pytest.mark.parametrize(
    "wrong, message",
    [
        ({"epochs": 0}, "`epochs` must be an integer"),
        ({"batch_size": 0}, "`batch_size` must be an integer"),
        ({"learning_rate": 0}, "`learning_rate` must be a finite positive"),
        ({"weight_decay": -1}, "`weight_decay` must be a finite number"),
        ({"seed": -1}, "`seed` must be an integer"),
        ({"y": np.minimum(Y, 1)}, "Class counts must be positive"),
        ({"y": Y + 1}, r"Labels must lie in 0\.\.2"),
    ],
)
def test_what_cannot_be_trained_with_is_refused(f, make, wrong, message):
    with pytest.raises(ValueError, match=message):
        make(**{"f": f, "x": heads.Features(X), "y": Y, **wrong})
