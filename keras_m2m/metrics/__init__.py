"""Metrics for imbalanced data, of integer labels."""

from keras_m2m.metrics.one_vs_rest import OneVsRest
from keras_m2m.metrics.recall_metrics import BalancedAccuracy
from keras_m2m.metrics.recall_metrics import GeometricMean

__all__ = ["BalancedAccuracy", "GeometricMean", "OneVsRest"]
