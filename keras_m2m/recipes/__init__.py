"""Whole trainings: a method, a loss and a schedule, from first epoch to last."""

from keras_m2m.recipes.after import HEADS
from keras_m2m.recipes.after import NOTHING
from keras_m2m.recipes.after import TRAINED
from keras_m2m.recipes.after import After
from keras_m2m.recipes.best_epoch import can_choose
from keras_m2m.recipes.health import Diverged
from keras_m2m.recipes.losses import LOSSES
from keras_m2m.recipes.losses import Loss
from keras_m2m.recipes.methods import METHODS
from keras_m2m.recipes.methods import Method
from keras_m2m.recipes.mixes import MIXES
from keras_m2m.recipes.mixes import Mix
from keras_m2m.recipes.recipe import Recipe
from keras_m2m.recipes.recipe import TrainingSet
from keras_m2m.recipes.train import train
from keras_m2m.recipes.train_network import Trained
from keras_m2m.recipes.train_network import train_network

__all__ = [
    "HEADS",
    "LOSSES",
    "METHODS",
    "MIXES",
    "NOTHING",
    "TRAINED",
    "After",
    "Diverged",
    "Loss",
    "Method",
    "Mix",
    "Recipe",
    "Trained",
    "TrainingSet",
    "can_choose",
    "train",
    "train_network",
]
