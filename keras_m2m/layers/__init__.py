"""Layers that the paper's networks need and Keras lacks."""

from keras_m2m.layers.batch_norm import FusedBatchNormalization
from keras_m2m.layers.batch_norm import synchronize_batch_norm
from keras_m2m.layers.cosine_dense import CosineDense
from keras_m2m.layers.option_a_shortcut import OptionAShortcut

__all__ = [
    "CosineDense",
    "FusedBatchNormalization",
    "OptionAShortcut",
    "synchronize_batch_norm",
]
