"""Decisions: by offsets, by costs, and which offsets are worth it."""

import numpy as np
import pytest
from sklearn.metrics import balanced_accuracy_score
from sklearn.metrics import f1_score
from sklearn.metrics import recall_score

from helpers import decisions_oracle
from keras_m2m import decisions
from keras_m2m.decisions.folds import stratified_folds
from keras_m2m.decisions.lead import lead
from keras_m2m.decisions.objective import check_objective

pytestmark = pytest.mark.no_backend
PRIOR = np.array([0.8, 0.15, 0.05])
COSTS = [[0, 1, 1], [5, 0, 5], [30, 20, 0]]


def scored(maximise, y, predicted, costs=None):
    return check_objective(maximise, costs, 3).of(np.asarray(y), np.asarray(predicted))


def test_scores_are_those_of_scikit_learn():
    y, p = decisions_oracle.made(200, PRIOR, strength=1)
    predicted = p.argmax(1)
    assert scored("balanced_accuracy", y, predicted) == pytest.approx(
        balanced_accuracy_score(y, predicted)
    )
    assert scored("macro_f1", y, predicted) == pytest.approx(
        f1_score(y, predicted, average="macro")
    )
    assert scored("min_recall", y, predicted) == pytest.approx(
        recall_score(y, predicted, average=None).min()
    )
    assert scored("accuracy", y, predicted) == (y == predicted).mean()


def test_a_class_without_samples_is_left_out_of_scores():
    assert scored("balanced_accuracy", [0, 0, 1, 1], [0, 2, 1, 1]) == 0.75
    assert scored("min_recall", [0, 0, 1, 1], [0, 2, 1, 1]) == 0.5
    assert scored("macro_f1", [0, 0, 1, 1], [0, 2, 1, 1]) == (2 / 3 + 1) / 2


def test_costs_are_those_of_the_matrix():
    found = scored("accuracy", [0, 1, 2, 2], [1, 1, 0, 2], COSTS)
    assert found == -(1 + 0 + 30 + 0) / 4


def test_a_prior_weighs_samples_by_class():
    y, predicted = np.array([0, 0, 0, 1]), np.array([0, 0, 0, 0])
    objective = check_objective("accuracy", None, 2)
    assert objective.of(y, predicted) == 0.75
    even = objective.for_prior(np.array([0.5, 0.5]), y)
    assert even.of(y, predicted) == 0.5


def test_the_cheapest_class_is_bayes_decision():
    _, p = decisions_oracle.made(100, PRIOR)
    found = decisions.decide(p, costs=COSTS)
    np.testing.assert_array_equal(found, decisions_oracle.cheapest(p, COSTS))


def test_equal_costs_decide_for_the_likeliest():
    _, p = decisions_oracle.made(100, PRIOR)
    found = decisions.decide(p, costs=1 - np.eye(3))
    np.testing.assert_array_equal(found, p.argmax(1))


def test_an_offset_of_two_classes_is_a_threshold():
    p = np.linspace(0.01, 0.99, 99)
    offset = np.log(0.75 / 0.25)  # Where the odds reach 0.25 to 0.75.
    found = decisions.decide(np.stack([1 - p, p], 1), offsets=[0, offset + 1e-9])
    np.testing.assert_array_equal(found, p >= 0.25)


def test_right_probabilities_need_minus_the_log_prior_for_balanced_accuracy():
    y, p = decisions_oracle.calibrated(8000, PRIOR)
    found = decisions.class_offsets(y, p)
    assert found.kind == "tau"
    assert found.tau == pytest.approx(1, abs=0.25)
    expected = -found.tau * np.log(np.bincount(y) + 1)
    np.testing.assert_allclose(found.offsets, expected - expected[0])
    after = balanced_accuracy_score(y, decisions.decide(p, found.offsets))
    assert after == pytest.approx(found.after, abs=0.02)
    before = balanced_accuracy_score(y, p.argmax(1))
    assert found.before == pytest.approx(before)
    assert found.gain == pytest.approx(found.after - found.before)
    assert found.gain > found.noise > 0


def test_right_probabilities_need_no_offsets_for_accuracy():
    y, p = decisions_oracle.calibrated(3000, PRIOR)
    found = decisions.class_offsets(y, p, "accuracy")
    assert found.kind == "none"
    assert not found.offsets.any()


def test_balanced_probabilities_get_the_prior_back_for_accuracy():
    y, p = decisions_oracle.calibrated(3000, PRIOR)
    balanced = decisions.prior_replaced(p, PRIOR, [1, 1, 1])
    found = decisions.class_offsets(y, balanced, "accuracy", prior=PRIOR)
    assert found.tau < -0.5


def test_each_class_gets_an_offset_where_one_strength_does_not_do():
    """Of two equally rare classes one is never predicted, the other far too often."""
    y, p = decisions_oracle.calibrated(4000, [0.4, 0.3, 0.3])
    p = p * [1, 0.05, 4]
    p /= p.sum(1, keepdims=True)
    found = decisions.class_offsets(y, p, prior=[0.4, 0.3, 0.3])
    assert found.kind == "per class"
    np.testing.assert_allclose(found.offsets, [0, 3.0, -1.4], atol=0.8)


def test_few_samples_of_a_class_get_no_offset_of_its_own():
    y, p = decisions_oracle.made(200, [0.5, 0.41, 0.09])
    assert np.bincount(y).min() < 20
    assert decisions.class_offsets(y, p * [1, 1, 1]).kind != "per class"


@pytest.mark.parametrize("maximise", ["balanced_accuracy", "macro_f1", "min_recall"])
def test_offsets_change_nothing_where_all_is_noise(maximise):
    rng = np.random.default_rng(0)
    p = rng.dirichlet(np.full(2, 20.0), size=60)
    found = decisions.class_offsets(rng.integers(0, 2, 60), p, maximise)
    assert found.kind == "none"
    assert found.noise >= abs(found.gain)


@pytest.mark.parametrize("y", [[0], [0, 1], [1, 1, 1, 1]])
def test_offsets_of_hardly_any_samples_are_none(y):
    p = np.full((len(y), 3), 1 / 3)
    assert decisions.class_offsets(y, p).kind == "none"


def test_probabilities_of_0_are_decided_by_too():
    p = np.eye(3)[[0, 0, 1, 2]]
    np.testing.assert_array_equal(decisions.decide(p, [0.0, 1, 2]), [0, 0, 1, 2])


@pytest.mark.parametrize(
    "given, message",
    [
        ({"offsets": [0, 1]}, "a number for each of 3 classes"),
        ({"offsets": [0, np.inf, 1]}, "`offsets` must be finite"),
        ({"costs": [[0, 1], [1, 0]]}, r"shape \(3, 3\)"),
        ({"costs": np.full((3, 3), np.nan)}, "`costs` must be finite"),
        ({"costs": np.ones((3, 3))}, "every decision costs the same"),
        ({"costs": COSTS, "offsets": [0, 1, 2]}, "not both"),
    ],
)
def test_what_cannot_be_decided_by_is_refused(given, message):
    with pytest.raises(ValueError, match=message):
        decisions.decide(np.full((2, 3), 1 / 3), **given)


def test_a_metric_has_one_of_four_names():
    with pytest.raises(ValueError, match="one of balanced_accuracy, macro_f1"):
        decisions.class_offsets([0, 1], [[0.5, 0.5]] * 2, maximise="auc")


def test_folds_have_each_class_in_equal_parts():
    y = np.repeat([0, 1, 2], [50, 20, 5])
    for fold in stratified_folds(y):
        for k in range(5):
            np.testing.assert_array_equal(np.bincount(y[fold == k]), [10, 4, 1])


def accuracy_lead(y, first, second, **options):
    return lead(y, first, second, check_objective("accuracy", None, 2), **options)


def test_the_noise_of_a_lead_is_that_of_its_formula():
    """Under swaps, d different decisions of n have a variance of d / n^2."""
    y = np.zeros(400, "int64")
    first, second = np.zeros((2, 1, 400), "int64")
    first[0, :30], second[0, 30:60] = 1, 1
    found = accuracy_lead(y, first, second)
    assert found.difference == 0
    assert found.noise == pytest.approx(1.96 * np.sqrt(60) / 400, rel=0.05)
    assert not found.is_real


def test_one_sample_of_a_class_is_no_lead():
    y = np.repeat([0, 1], [50, 1])
    found = lead(
        y, y[None], np.zeros((1, 51), int), check_objective("min_recall", None, 2)
    )
    assert found.difference == 1
    assert not found.is_real


def test_few_swaps_are_counted_exactly():
    """Of 4 samples that all speak for the first, 2 of 16 swaps are as extreme."""
    y = np.zeros(40, "int64")
    second = np.zeros((1, 40), "int64")
    second[0, :4] = 1
    found = accuracy_lead(y, y[None], second)
    assert found.p == pytest.approx(2 / 16, abs=0.02)


def test_seeds_that_differ_widen_the_noise():
    y = np.zeros(1000, "int64")
    alike, apart, other = np.zeros((3, 3, 1000), "int64")
    alike[:, :100] = 1
    apart[0, :20], apart[1, :100], apart[2, :180] = 1, 1, 1
    other[:, :200] = 1
    steady, wide = (accuracy_lead(y, one, other) for one in (alike, apart))
    assert steady.difference == pytest.approx(0.1) == wide.difference
    assert steady.is_real
    assert wide.noise > 0.1 > steady.noise
    assert not wide.is_real


def test_many_comparisons_ask_for_more():
    y = np.zeros(100, "int64")
    second = np.zeros((1, 100), "int64")
    second[0, :8] = 1
    assert accuracy_lead(y, y[None], second).is_real
    assert not accuracy_lead(y, y[None], second, tests=20).is_real


def right_and_wrong(rng, y, share, hard):
    """Decisions of which a share is right; the same samples are hard for all."""
    luck = 0.5 * hard + 0.5 * rng.random(len(y))
    limit = np.sqrt(share / 2) if share < 0.5 else 1 - np.sqrt((1 - share) / 2)
    return np.where(luck < limit, y, 1 - y)[None]


@pytest.mark.parametrize(
    "shares, fewest, most", [((0.8, 0.8), 0, 8), ((0.8, 0.87), 70, 100)]
)
def test_equal_methods_seldom_win_and_better_ones_mostly_do(shares, fewest, most):
    """Of 100 pairs of methods, on 500 samples each."""
    y, won = np.repeat([0, 1], 250), 0
    for draw in range(100):
        rng = np.random.default_rng(draw)
        hard = rng.random(500)
        second, first = (right_and_wrong(rng, y, share, hard) for share in shares)
        won += accuracy_lead(y, first, second).is_real
    assert fewest <= won <= most
