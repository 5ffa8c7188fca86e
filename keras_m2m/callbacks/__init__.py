"""Callbacks: best epoch, runs that survive a kill, learning rate, acceptance."""

from keras_m2m.callbacks.best_weights import BestWeights
from keras_m2m.callbacks.exact_resume import ExactResume
from keras_m2m.callbacks.momentum_corrected_scheduler import MomentumCorrectedScheduler
from keras_m2m.callbacks.watch_acceptance import WatchAcceptance

__all__ = [
    "BestWeights",
    "ExactResume",
    "MomentumCorrectedScheduler",
    "WatchAcceptance",
]
