"""Callbacks: the best epoch, runs that survive a kill, translations that fail."""

from keras_m2m.callbacks.best_weights import BestWeights
from keras_m2m.callbacks.exact_resume import ExactResume
from keras_m2m.callbacks.watch_acceptance import WatchAcceptance

__all__ = ["BestWeights", "ExactResume", "WatchAcceptance"]
