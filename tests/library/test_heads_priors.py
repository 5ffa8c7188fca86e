"""Priors in logits against their formulas, and EM against a prior that is known."""

import keras
import numpy as np
import pytest
from keras import layers

import keras_m2m
from helpers import heads_oracle
from helpers.pictures import outputs
from keras_m2m import CosineDense
from keras_m2m import heads
from keras_m2m import mlp

X = np.random.default_rng(0).normal(size=(20, 4)).astype("float32")
COUNTS = [60, 30, 10]
PRIOR = np.array([0.6, 0.3, 0.1])


@pytest.fixture(scope="module")
def f():
    return mlp(3, (4,), hidden=8)


@pytest.fixture(scope="module")
def of_one_logit():
    return mlp(2, (4,), hidden=8, head="logit")


@pytest.mark.parametrize("tau", [0.5, 1.0, 2.0])
def test_adjusted_logits_are_those_of_the_formula(f, tau):
    found = outputs(heads.adjust_logits(f, COUNTS, tau), X)
    np.testing.assert_allclose(found, outputs(f, X) - tau * np.log(PRIOR), atol=1e-6)


def test_one_logit_loses_the_log_odds_of_its_class(of_one_logit):
    found = outputs(heads.adjust_logits(of_one_logit, [90, 10], 0.5), X)
    expected = outputs(of_one_logit, X) - 0.5 * np.log(0.1 / 0.9)
    np.testing.assert_allclose(found, expected, atol=1e-6)


def test_cosines_are_adjusted_after_their_scale():
    inputs = keras.Input((4,))
    f = keras.Model(inputs, CosineDense(3)(inputs))
    adjusted = heads.adjust_logits(
        heads.temperature_scaled(f, temperature=1 / 30), PRIOR
    )
    expected = 30 * outputs(f, X) - np.log(PRIOR)
    np.testing.assert_allclose(outputs(adjusted, X), expected, atol=1e-5)


def test_bare_cosines_are_refused():
    inputs = keras.Input((4,))
    f = keras.Model(inputs, CosineDense(3)(inputs))
    with pytest.raises(ValueError, match=r"temperature=1 / 30\) after LDAMLoss"):
        heads.adjust_logits(f, COUNTS)


def test_tau_0_changes_nothing(f):
    found = heads.adjust_logits(f, COUNTS, tau=0).get_weights()
    for one, other in zip(found, f.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_uniform_prior_changes_no_prediction(f):
    found = outputs(heads.adjust_logits(f, [7, 7, 7]), X)
    np.testing.assert_array_equal(found.argmax(1), outputs(f, X).argmax(1))


@pytest.mark.parametrize("same", [PRIOR, dict(enumerate(COUNTS)), np.array(COUNTS)])
def test_counts_and_shares_are_one_prior(f, same):
    one, other = (heads.adjust_logits(f, prior) for prior in (COUNTS, same))
    np.testing.assert_allclose(one.get_weights()[-1], other.get_weights()[-1])


def test_adjusting_takes_back_what_a_prior_added():
    """Cross entropy of z + tau log(prior) trains a z that is balanced already."""
    f = mlp(3, (4,), hidden=8)
    added = heads.with_prior(f, [1, 1, 1], PRIOR)
    np.testing.assert_allclose(
        heads.adjust_logits(added, COUNTS).get_weights()[-1] - f.get_weights()[-1],
        np.log(3),  # The same for all classes.
        atol=1e-6,
    )


def test_a_network_whose_loss_holds_the_prior_is_not_adjusted_again():
    f = mlp(3, (4,), hidden=8)
    f.compile(loss=keras_m2m.LogitAdjustedLoss(COUNTS))
    with pytest.raises(ValueError, match="must not be adjusted twice"):
        heads.adjust_logits(f, COUNTS)


@pytest.mark.parametrize(
    "prior, message",
    [
        ([60, 30, 0], "logarithm of a class without samples is infinite"),
        ([60, 30, -1], "must be positive and finite"),
        ([60, 30, np.nan], "must be positive and finite"),
        ([60, 30], "a number for each of the 3 classes"),
        (["many", "few", "few"], "a number for each of the 3 classes"),
        ({0: 60, 2: 10, 3: 1}, "lack 1"),
    ],
)
def test_what_is_no_prior_is_refused(f, prior, message):
    with pytest.raises(ValueError, match=message):
        heads.adjust_logits(f, prior)


@pytest.mark.parametrize("tau", [np.nan, np.inf, "auto", None])
def test_tau_must_be_a_number(f, tau):
    with pytest.raises(ValueError, match="`tau` must be a finite number"):
        heads.adjust_logits(f, COUNTS, tau)


def test_the_prior_of_the_test_replaces_that_of_training(f):
    found = outputs(heads.with_prior(f, COUNTS, test_prior=[1, 1, 8]), X)
    after = heads_oracle.softmax(found.astype("float64"))
    before = heads_oracle.softmax(outputs(f, X).astype("float64"))
    weighed = before * np.array([0.1, 0.1, 0.8]) / PRIOR
    np.testing.assert_allclose(
        after, weighed / weighed.sum(1, keepdims=True), atol=1e-6
    )


def test_the_prior_of_one_logit_is_replaced_too(of_one_logit):
    found = outputs(heads.with_prior(of_one_logit, [90, 10], [0.3, 0.7]), X)
    shift = np.log(0.7 / 0.1) - np.log(0.3 / 0.9)
    np.testing.assert_allclose(found, outputs(of_one_logit, X) + shift, atol=1e-6)


@pytest.mark.parametrize("given", [{}, {"test_prior": [1, 1, 1], "x": X}])
def test_a_prior_of_the_test_is_given_or_estimated(f, given):
    with pytest.raises(ValueError, match="Give `test_prior`, or unlabelled samples"):
        heads.with_prior(f, COUNTS, **given)


def test_em_takes_the_rounds_of_the_paper():
    """Until it settles, at what many rounds, sample by sample, come to."""
    f = mlp(3, (4,), hidden=8)
    f.layers[-1].set_weights([5 * w for w in f.layers[-1].get_weights()])
    posteriors = heads_oracle.softmax(outputs(f, X).astype("float64"))
    expected = heads_oracle.em_prior(posteriors, PRIOR, rounds=3000)
    np.testing.assert_allclose(heads.estimate_prior(f, COUNTS, X), expected, atol=1e-5)


@pytest.fixture(scope="module")
def shifted():
    """A network that knows p(class given x) of Gaussians, and samples of another prior.

    Of unit covariance and means m_k: logits m_k x - |m_k|^2 / 2 + log(prior).
    """
    means = np.array([[0, 0], [2, 0], [0, 2]], "float32")
    f = keras.Sequential([keras.Input((2,)), layers.Dense(3)])
    f.set_weights([means.T, np.log(PRIOR) - (means**2).sum(1) / 2])
    rng, prior = np.random.default_rng(0), np.array([0.2, 0.3, 0.5])
    labels = rng.choice(3, size=20_000, p=prior)
    x = (means[labels] + rng.normal(size=(len(labels), 2))).astype("float32")
    return f, x, labels, prior


def test_em_recovers_a_prior_that_is_known(shifted):
    f, x, _, prior = shifted
    np.testing.assert_allclose(heads.estimate_prior(f, COUNTS, x), prior, atol=0.015)


def test_the_estimated_prior_is_as_good_as_the_known_one(shifted):
    f, x, labels, prior = shifted
    own, known, before = (
        heads_oracle.nll(outputs(network, x).astype("float64"), labels)
        for network in (
            heads.with_prior(f, COUNTS, x=x),
            heads.with_prior(f, COUNTS, test_prior=prior),
            f,
        )
    )
    assert abs(own - known) < 1e-3 < before - known


def test_a_class_that_no_sample_looks_like_keeps_a_finite_logit():
    f = keras.Sequential([keras.Input((1,)), layers.Dense(2)])
    f.set_weights([np.zeros((1, 2)), np.array([0, -300])])
    found = heads.with_prior(f, [1, 1], x=np.ones((5, 1), "float32"))
    assert np.isfinite(found.get_weights()[-1]).all()
