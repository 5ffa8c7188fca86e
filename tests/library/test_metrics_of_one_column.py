"""Balanced accuracy and geometric mean of predictions of one column."""

import keras
import numpy as np
import pytest

from helpers.gradients import to_numpy
from keras_m2m.metrics import BalancedAccuracy
from keras_m2m.metrics import GeometricMean

TWO = [BalancedAccuracy, GeometricMean]
# Recalls 1/2 and 1 of logits, above 0; of the same probabilities, above one half.
ONE_LOGIT = np.array([[-1.0], [0.2], [3.0], [0.1]], "float32")
OF_TWO = {BalancedAccuracy: 0.75, GeometricMean: 0.5**0.5}


@pytest.mark.parametrize("kind", TWO)
@pytest.mark.parametrize("shape", [(4, 1), (4,)])
def test_one_logit_above_0_is_class_1(kind, shape):
    metric = kind(2)
    metric.update_state(np.array([0, 0, 1, 1]), ONE_LOGIT.reshape(shape))
    assert float(to_numpy(metric.result())) == pytest.approx(OF_TWO[kind])


@pytest.mark.parametrize("kind", TWO)
def test_one_probability_above_the_threshold_is_class_1(kind):
    metric = kind(2, threshold=0.5)
    metric.update_state(np.array([0, 0, 1, 1]), keras.ops.sigmoid(ONE_LOGIT))
    assert float(to_numpy(metric.result())) == pytest.approx(OF_TWO[kind])


@pytest.mark.parametrize("kind", TWO)
def test_one_column_is_not_enough_for_three_classes(kind):
    with pytest.raises(ValueError, match="Received: y_pred of shape="):
        kind(3).update_state(np.array([0, 1]), np.zeros((2, 1)))


@pytest.mark.parametrize("kind", TWO)
def test_a_threshold_is_not_for_several_columns(kind):
    with pytest.raises(ValueError, match=r"Received: threshold=0\.5"):
        kind(2, threshold=0.5).update_state(np.array([0, 1]), np.zeros((2, 2)))


@pytest.mark.parametrize("threshold", [float("nan"), float("inf"), "0", None])
def test_a_threshold_must_be_a_number(threshold):
    with pytest.raises(ValueError, match="`threshold` must be a finite number"):
        BalancedAccuracy(2, threshold=threshold)
