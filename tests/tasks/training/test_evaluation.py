"""Scores of a confusion matrix, against scikit-learn and formulas."""

import numpy as np
import pytest
from sklearn.metrics import balanced_accuracy_score

from tasks.training.evaluation import balanced
from tasks.training.evaluation import scores_of


def confusion(*rows):
    return np.array(rows)


def test_balanced_accuracy_is_that_of_scikit_learn():
    rng = np.random.default_rng(0)
    matrix = rng.integers(1, 9, size=(4, 4))
    true, predicted = (
        np.repeat(axis, matrix.ravel()) for axis in np.indices((4, 4)).reshape(2, -1)
    )
    scores = scores_of(matrix, [40, 30, 20, 10])
    assert scores["balanced_accuracy"] == pytest.approx(
        balanced_accuracy_score(true, predicted)
    )
    assert scores["accuracy"] == pytest.approx((true == predicted).mean())


def test_geometric_mean_is_zero_or_corrected_where_a_class_is_never_found():
    scores = scores_of(confusion([4, 0], [3, 0]), [4, 3])
    assert scores["geometric_mean"] == 0
    assert scores["geometric_mean_corrected"] == pytest.approx((1 * 0.001) ** 0.5)


def test_both_geometric_means_agree_where_every_class_is_found():
    scores = scores_of(confusion([1, 1], [3, 1]), [4, 3])
    assert scores["geometric_mean"] == pytest.approx((1 / 2 * 1 / 4) ** 0.5)
    assert scores["geometric_mean_corrected"] == scores["geometric_mean"]


def test_a_class_without_test_samples_counts_nowhere():
    scores = scores_of(confusion([2, 0, 0], [0, 1, 1], [0, 0, 0]), [4, 3, 2])
    assert scores["balanced_accuracy"] == pytest.approx((1 + 1 / 2) / 2)
    assert scores["per_class_recall"] == [1.0, 0.5, None]


def test_groups_follow_the_training_counts_and_not_the_order():
    matrix = confusion([1, 1, 0], [0, 2, 0], [2, 0, 0])
    scores = scores_of(matrix, [50, 500, 5])
    groups = [scores[name] for name in ("major", "minor", "many", "medium", "few")]
    assert groups == [1.0, 0.25, 1.0, 0.5, 0.0]


def test_an_empty_group_scores_none():
    assert scores_of(confusion([1, 0], [0, 1]), [9, 8])["many"] is None


def test_a_balanced_confusion_matrix_has_as_many_samples_of_each_class_in_all():
    confusion = np.array([[8, 2, 0], [1, 1, 0], [0, 0, 0]])
    # 12 samples of two classes; of the third there are none.
    expected = [[4.8, 1.2, 0], [3, 3, 0], [0, 0, 0]]
    np.testing.assert_allclose(balanced(confusion), expected)
