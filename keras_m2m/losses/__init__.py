"""Losses for imbalanced data, on integer labels and logits."""

from keras_m2m.losses.focal import FocalLoss
from keras_m2m.losses.label_aware_smoothing import LabelAwareSmoothing
from keras_m2m.losses.ldam import LDAMLoss
from keras_m2m.losses.logit_adjusted import LogitAdjustedLoss
from keras_m2m.losses.logit_adjusted import VSLoss

__all__ = [
    "FocalLoss",
    "LDAMLoss",
    "LabelAwareSmoothing",
    "LogitAdjustedLoss",
    "VSLoss",
]
