"""From probabilities to decisions: how far to trust them, and which class to choose.

Probabilities of any classifier in, NumPy out. What is chosen here is
chosen on held-out samples, `y_val` and `p_val`, which training has not seen; those of
the test only confirm it. `keras_m2m.heads` does the same to a network.
"""

from keras_m2m.decisions.calibrated import Calibration
from keras_m2m.decisions.calibrated import choose_calibration
from keras_m2m.decisions.calibration import Reliability
from keras_m2m.decisions.calibration import brier_score
from keras_m2m.decisions.calibration import classwise_calibration_error
from keras_m2m.decisions.calibration import expected_calibration_error
from keras_m2m.decisions.calibration import negative_log_likelihood
from keras_m2m.decisions.calibration import reliability
from keras_m2m.decisions.offsets import OffsetChoice
from keras_m2m.decisions.offsets import class_offsets
from keras_m2m.decisions.prior import prior_of_unlabelled
from keras_m2m.decisions.prior import prior_replaced
from keras_m2m.decisions.rules import Rule
from keras_m2m.decisions.rules import decide
from keras_m2m.decisions.temperature import best_temperature
from keras_m2m.decisions.temperature import with_temperature

__all__ = [
    "Calibration",
    "OffsetChoice",
    "Reliability",
    "Rule",
    "best_temperature",
    "brier_score",
    "choose_calibration",
    "class_offsets",
    "classwise_calibration_error",
    "decide",
    "expected_calibration_error",
    "negative_log_likelihood",
    "prior_of_unlabelled",
    "prior_replaced",
    "reliability",
    "with_temperature",
]
