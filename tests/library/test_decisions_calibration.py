"""Measures of probabilities against formulas, scikit-learn and SciPy."""

import numpy as np
import pytest
import scipy.optimize
from sklearn.metrics import brier_score_loss
from sklearn.metrics import log_loss

from helpers import decisions_oracle
from helpers import heads_oracle
from keras_m2m import decisions

pytestmark = pytest.mark.no_backend
Y, P = decisions_oracle.made(400, [0.6, 0.3, 0.1])


@pytest.mark.parametrize("bins", [1, 5, 15])
def test_ece_is_that_of_its_formula(bins):
    expected = decisions_oracle.expected_calibration_error(
        P.argmax(1) == Y, P.max(1), bins
    )
    found = decisions.expected_calibration_error(Y, P, bins)
    assert found == pytest.approx(expected, abs=1e-12)


def test_ece_by_class_is_the_mean_of_those_of_each_class():
    expected = [
        decisions_oracle.expected_calibration_error(k == Y, P[:, k], 15)
        for k in range(3)
    ]
    found = decisions.classwise_calibration_error(Y, P)
    assert found == pytest.approx(np.mean(expected), abs=1e-12)


def test_probabilities_of_1_that_are_right_have_no_error():
    sure = np.eye(3)[Y]
    assert decisions.expected_calibration_error(Y, sure) == 0
    assert decisions.classwise_calibration_error(Y, sure) == 0
    assert decisions.brier_score(Y, sure) == 0
    assert decisions.negative_log_likelihood(Y, sure) == 0


def test_sure_and_wrong_is_the_worst():
    wrong = np.eye(3)[(Y + 1) % 3]
    assert decisions.expected_calibration_error(Y, wrong) == 1
    assert decisions.brier_score(Y, wrong) == 2


def test_probabilities_that_labels_are_drawn_from_are_calibrated():
    y, p = decisions_oracle.calibrated(20_000, [0.7, 0.2, 0.1])
    assert decisions.expected_calibration_error(y, p) < 0.015
    assert decisions.expected_calibration_error(y, p**3 / (p**3).sum(1)[:, None]) > 0.1


def test_the_brier_score_of_two_classes_is_twice_that_of_scikit_learn():
    y, p = decisions_oracle.made(100, [0.7, 0.3])
    expected = 2 * brier_score_loss(y, p[:, 1])
    assert decisions.brier_score(y, p) == pytest.approx(expected)


def test_nll_is_that_of_scikit_learn():
    assert decisions.negative_log_likelihood(Y, P) == pytest.approx(log_loss(Y, P))


def test_nll_of_an_impossible_label_is_finite():
    found = decisions.negative_log_likelihood([1], [[1.0, 0.0]])
    assert found == pytest.approx(-np.log(np.finfo("float64").eps))


def test_reliability_has_the_samples_of_its_bins():
    found = decisions.reliability([0, 0, 1], [[0.9, 0.1], [0.8, 0.2], [0.6, 0.4]], 4)
    np.testing.assert_allclose(found.confidence, [0.6, 0.85])
    np.testing.assert_allclose(found.accuracy, [0, 1])
    np.testing.assert_array_equal(found.samples, [1, 2])


def test_the_temperature_is_that_of_the_least_nll():
    def cost(log_temperature):
        return heads_oracle.nll(np.log(P) / np.exp(log_temperature), Y)

    expected = scipy.optimize.minimize_scalar(cost, bounds=(-5, 5), method="bounded")
    found = decisions.best_temperature(Y, P)
    assert found == pytest.approx(np.exp(expected.x), rel=1e-4)
    nll = decisions.negative_log_likelihood(Y, decisions.with_temperature(P, found))
    assert nll == pytest.approx(expected.fun)


def test_a_temperature_changes_no_decision():
    hot = decisions.with_temperature(P, 7.0)
    np.testing.assert_array_equal(hot.argmax(1), P.argmax(1))
    np.testing.assert_allclose(hot.sum(1), 1)


def test_a_prior_is_replaced_by_bayes_rule():
    found = decisions.prior_replaced(P, [60, 30, 10], [1, 1, 1])
    weighed = P / [0.6, 0.3, 0.1]
    np.testing.assert_allclose(found, weighed / weighed.sum(1, keepdims=True))


def test_em_takes_the_rounds_of_the_paper():
    prior = np.array([0.2, 0.3, 0.5])
    expected = heads_oracle.em_prior(P, prior, rounds=100)
    found = decisions.prior_of_unlabelled(P, prior)
    np.testing.assert_allclose(found, expected, atol=1e-5)


def test_em_finds_the_prior_of_samples_whose_classes_are_as_frequent_as_never_before():
    y, p = decisions_oracle.calibrated(20_000, [0.7, 0.2, 0.1])
    before, after = np.bincount(y) / len(y), np.array([0.2, 0.3, 0.5])
    # A tenth of them, so that classes are as frequent as after.
    share = np.random.default_rng(1).random(len(y)) < (after / before)[y] / 10
    found = decisions.prior_of_unlabelled(p[share], before)
    np.testing.assert_allclose(found, after, atol=0.03)


def test_right_probabilities_are_left_as_they_are():
    y, p = decisions_oracle.calibrated(2000, [0.6, 0.3, 0.1])
    assert decisions.choose_calibration(y, p) == (1.0, None)


def test_probabilities_that_are_too_sure_get_a_temperature():
    y, p = decisions_oracle.calibrated(2000, [0.6, 0.3, 0.1])
    found = decisions.choose_calibration(y, decisions.with_temperature(p, 0.5))
    assert found.temperature == pytest.approx(2, rel=0.1)
    assert found.prior is None


def test_probabilities_of_balanced_batches_get_the_prior_back():
    prior = np.array([0.8, 0.15, 0.05])
    y, p = decisions_oracle.calibrated(2000, prior)
    balanced = decisions.prior_replaced(p, prior, [1, 1, 1])
    found = decisions.choose_calibration(y, balanced, prior)
    np.testing.assert_allclose(found.prior, prior)
    np.testing.assert_allclose(found(balanced), p, atol=0.03)


@pytest.mark.parametrize("n", [1, 3, 19])
def test_of_few_samples_no_calibration_is_chosen(n):
    y, p = decisions_oracle.made(n, [1.0, 0.0])
    assert decisions.choose_calibration(y, p) == (1.0, None)


@pytest.mark.parametrize(
    "p, message",
    [
        ([[0.5, np.nan]], "1 of 1 rows with NaN"),
        ([[3.0, -1.0]], "take the softmax of logits first"),
        ([[0.5, 0.2]], "rows that sum to 0.7"),
        ([0.5, 0.5], r"of one column, numpy.stack\(\[1 - p, p\]"),
        ([[1.0]], "two or more classes"),
        (np.empty((0, 2)), "one or more rows"),
        ([["a", "b"]], "must be probabilities"),
    ],
)
def test_what_is_no_probability_is_refused(p, message):
    with pytest.raises(ValueError, match=message):
        decisions.negative_log_likelihood(np.zeros(len(p), int), p)


def test_as_many_labels_as_probabilities_are_needed():
    with pytest.raises(ValueError, match="equally many"):
        decisions.brier_score([0, 1], P)


def test_the_rounding_of_float16_is_allowed():
    found = decisions.brier_score(Y, P.astype("float16"))
    assert found == pytest.approx(decisions.brier_score(Y, P), abs=1e-3)
