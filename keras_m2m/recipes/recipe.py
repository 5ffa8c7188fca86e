"""What a training follows from: a recipe, and the samples that it is given."""

from collections.abc import Callable
from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field
from typing import Any

import keras
import numpy as np

from keras_m2m.imbalance import count_classes
from keras_m2m.recipes.losses import LOSSES
from keras_m2m.recipes.losses import Loss
from keras_m2m.recipes.methods import METHODS
from keras_m2m.recipes.methods import Method
from keras_m2m.recipes.mixes import MIXES
from keras_m2m.recipes.mixes import UNMIXED
from keras_m2m.recipes.mixes import Mix


@dataclass(frozen=True)
class TrainingSet:
    """What a network is trained on.

    Attributes:
        x: Samples `(n, ...)`, as `ResampledDataset` takes them.
        y: Integer labels `(n,)`.
        num_classes: Number of classes K.
        sample_weight: Weights of the samples in the loss, `(n,)`, or None.
        class_names: One per class, for messages; None for their numbers.
        bounds: `(low, high)` of the values of samples, or None.
        augment: As in `ResampledDataset`.
        are_images: Whether samples are images of values in `[0, 1]`, made of 256 steps.
        smote: Function from a seed to `(x, y)` with classes filled up, where samples
            stand for something else, as those of tables do; None for SMOTE of `x`.
    """

    x: Any
    y: np.ndarray
    num_classes: int
    sample_weight: Any = None
    class_names: list[str] | None = None
    bounds: tuple[float, float] | None = None
    augment: Callable | None = None
    are_images: bool = False
    smote: Callable | None = None

    @property
    def class_counts(self) -> np.ndarray:
        """Samples per class, int64 `(num_classes,)`."""
        return count_classes(self.y, self.num_classes)


@dataclass(frozen=True)
class Recipe:
    """A method, a loss and a schedule; with the data, what a training follows from.

    Attributes:
        method: What is done, from the start or after `defer_epoch`.
        loss: What f is trained by.
        mix: How batches are mixed.
        mix_from: First epoch of mixed batches.
        mix_until: First epoch of none again; 0 for the end.
        epochs: Epochs in all.
        defer_epoch: First epoch of a deferred method.
        batch_size: Samples a step.
        learning_rate: Of SGD with momentum 0.9, after a warm-up over 5 epochs.
        drops: From an epoch to the factor of the rate from then on.
        optimizer: One whose copy trains the network instead, at its own rate, or None.
        m2m: Arguments of `M2mModel`, such as `beta` and `steps`.
        seed: What all drawn numbers follow from.
        jit_compile: As for `compile`.
        steps_per_execution: As for `compile`, at most: as many as divide an epoch's.
    """

    method: Method = METHODS["m2m"]
    loss: Loss = LOSSES["ce"]
    mix: Mix = MIXES[UNMIXED]
    mix_from: int = 0
    mix_until: int = 0
    epochs: int = 60
    defer_epoch: int = 48
    batch_size: int = 64
    learning_rate: float = 0.1
    drops: Mapping[int, float] = field(default_factory=dict)
    optimizer: keras.optimizers.Optimizer | None = None
    m2m: Mapping[str, Any] = field(default_factory=dict)
    seed: int = 0
    jit_compile: bool | str = "auto"
    steps_per_execution: int = 1
