"""Batches whose rows are mixed with one another, and training on them.

Mixing comes after whatever rewrites a batch, as M2m does: a row then has two labels.
"""

from keras_m2m.mixing.cmo import CMO
from keras_m2m.mixing.mixing_model import MixingModel
from keras_m2m.mixing.mixup import Mixup
from keras_m2m.mixing.mixup import Remix
from keras_m2m.mixing.network_in_training import NetworkInTraining
from keras_m2m.mixing.two_labels import Mixed
from keras_m2m.mixing.two_labels import TwoLabels

__all__ = [
    "CMO",
    "Mixed",
    "MixingModel",
    "Mixup",
    "NetworkInTraining",
    "Remix",
    "TwoLabels",
]
