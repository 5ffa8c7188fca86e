"""What a dataset's module gives to the runner."""

from collections.abc import Callable
from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field
from typing import Any

import keras
import numpy as np

from keras_m2m import count_classes


class UserError(Exception):
    """A mistake of the user's; its text is all that is shown."""


@dataclass(frozen=True)
class Data:
    """A dataset, split and in the units that the network takes.

    Attributes:
        train: `(x, y)`, float32 samples `(n, ...)` and int64 labels `(n,)`.
        validation: The same, or None if the protocol keeps none.
        test: The same.
        class_names: One per class.
        source: Where the data comes from, for the result.
        bounds: `(low, high)` of the values of samples, or None.
        augment: As in `ResampledDataset`, for training.
    """

    train: tuple[np.ndarray, np.ndarray]
    validation: tuple[np.ndarray, np.ndarray] | None
    test: tuple[np.ndarray, np.ndarray]
    class_names: list[str]
    source: str
    bounds: tuple[float, float] | None = None
    augment: Callable | None = None

    @property
    def class_counts(self) -> np.ndarray:
        """Training samples per class, int64 `(num_classes,)`."""
        return count_classes(self.train[1], len(self.class_names))

    @property
    def are_images(self) -> bool:
        return self.train[0].ndim == 4


@dataclass(frozen=True)
class Task:
    """A dataset with its protocol.

    Attributes:
        name: Name of the module, and of the folder for results.
        load: Function from settings to `Data`; raises `UserError`.
        build: Function `(data, head, settings)` to an untrained network.
        defaults: Defaults of the shared flags, by the paper's protocol.
        define_flags: Function that defines the dataset's own flags, or None.
        presets: Named sets of flag values, for flags that are not given.
    """

    name: str
    load: Callable[[Any], Data]
    build: Callable[[Data, str, Any], keras.Model]
    defaults: Mapping[str, Any]
    define_flags: Callable | None = None
    presets: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
