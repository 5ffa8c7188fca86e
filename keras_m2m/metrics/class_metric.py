"""What all metrics of classes share: labels that are none."""

from typing import Any

import keras
import numpy as np
from keras import ops

from keras_m2m.checks import check_name
from keras_m2m.classes import Batch
from keras_m2m.classes import class_members


class ClassMetric(keras.metrics.Metric):
    """A metric that is NaN once it met a label outside the classes.

    That is so in compiled code, where it cannot raise; to leave such a sample out would
    look like a better result. Samples of weight 0 may have any label there.
    """

    def __init__(self, name: str | None, dtype: str | None) -> None:
        super().__init__(name=check_name(name), dtype=dtype)
        self.outside = self.add_counts("outside", ())

    def add_counts(self, name: str, shape: tuple[int, ...]) -> keras.Variable:
        # float32 under any `floatx`: float16 cannot count beyond 2048.
        return self.add_variable(
            shape=shape, initializer="zeros", dtype="float32", name=name
        )

    def members_and_weights(self, batch: Batch, num_classes: int) -> tuple[Any, Any]:
        """Rows of `class_members` and a weight of each; counts those of no class."""
        members = class_members(batch.y_true, num_classes)
        inside = ops.sum(members, axis=-1)
        weights = ops.ones_like(inside)
        if batch.sample_weight is not None:
            given = ops.cast(batch.sample_weight, "float32")
            weights = weights * ops.reshape(given, (-1,))
        self.outside.assign_add(ops.sum(weights * (1.0 - inside)))
        return members, weights

    def nan_if_outside(self, value: Any) -> Any:
        return ops.where(self.outside.value > 0, np.nan, value)
