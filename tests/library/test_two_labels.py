"""The loss on two labels, of our losses and of Keras' own."""

import keras
import numpy as np
import pytest

from helpers.compilation import normal
from helpers.gradients import gradient
from helpers.gradients import to_numpy
from keras_m2m.losses import FocalLoss
from keras_m2m.losses import LabelAwareSmoothing
from keras_m2m.losses import LDAMLoss
from keras_m2m.losses import LogitAdjustedLoss
from keras_m2m.losses import VSLoss
from keras_m2m.mixing import TwoLabels

COUNTS = [20, 500, 100]
A, B = np.array([0, 1, 2, 1]), np.array([2, 0, 2, 0])
SHARE = np.array([0.8, 0.0, 0.3, 1.0], "float32")
LOGITS = normal(4, 3)
LOSSES = [
    keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    FocalLoss(),
    LDAMLoss(COUNTS),
    LogitAdjustedLoss(COUNTS),
    VSLoss(COUNTS),
    LabelAwareSmoothing(COUNTS),
]
BY_NAME = pytest.mark.parametrize("loss", LOSSES, ids=lambda loss: loss.name)


def of_both(loss, logits=LOGITS, share=SHARE, weights=None):
    both = TwoLabels(A, B, share, weights)
    return both.loss(lambda labels, weight: loss(labels, logits, weight))


def each(loss, labels):
    unreduced = type(loss).from_config({**loss.get_config(), "reduction": None})
    return to_numpy(unreduced(labels, LOGITS))


@BY_NAME
def test_each_row_has_the_losses_of_both_labels_by_their_shares(loss):
    expected = np.mean(SHARE * each(loss, A) + (1 - SHARE) * each(loss, B))
    np.testing.assert_allclose(to_numpy(of_both(loss)), expected, rtol=1e-5)


@BY_NAME
def test_a_share_of_1_is_the_ordinary_loss(loss):
    result = of_both(loss, share=np.ones(4, "float32"))
    np.testing.assert_array_equal(to_numpy(result), to_numpy(loss(A, LOGITS)))


@BY_NAME
def test_weights_follow_each_label(loss):
    weights = np.array([1.0, 2, 0, 5], "float32"), np.array([3.0, 1, 4, 2], "float32")
    expected = np.mean(
        SHARE * weights[0] * each(loss, A) + (1 - SHARE) * weights[1] * each(loss, B)
    )
    result = to_numpy(of_both(loss, weights=weights))
    np.testing.assert_allclose(result, expected, rtol=1e-5)


def test_cross_entropy_of_two_labels_is_that_of_soft_labels():
    soft = SHARE[:, None] * np.eye(3)[A] + (1 - SHARE)[:, None] * np.eye(3)[B]
    dense = keras.losses.CategoricalCrossentropy(from_logits=True)
    own, expected = (
        gradient(fn, LOGITS)
        for fn in (lambda z: of_both(LOSSES[0], z), lambda z: dense(soft, z))
    )
    np.testing.assert_allclose(own, expected, rtol=1e-5, atol=1e-6)


def test_a_sum_stays_a_sum():
    loss = keras.losses.SparseCategoricalCrossentropy(True, reduction="sum")
    expected = np.sum(SHARE * each(loss, A) + (1 - SHARE) * each(loss, B))
    np.testing.assert_allclose(to_numpy(of_both(loss)), expected, rtol=1e-5)


def test_what_has_no_weight_comes_in_once():
    both = TwoLabels(A, B, SHARE)
    result = both.loss(lambda labels, weight: keras.ops.convert_to_tensor(7.0))
    assert float(result) == 7


def test_the_label_of_the_larger_share_counts_with_its_weight():
    weights = np.array([1.0, 2, 3, 4], "float32"), np.array([5.0, 6, 7, 8], "float32")
    labels, own = TwoLabels(A[:, None], B[:, None], SHARE, weights).larger()
    np.testing.assert_array_equal(to_numpy(labels), [[0], [0], [2], [1]])
    np.testing.assert_array_equal(to_numpy(own), [1, 6, 7, 4])
