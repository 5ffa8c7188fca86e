"""How many translations each pair of classes made, and how many were accepted."""

from typing import Any

import keras
import numpy as np
from keras import ops

from keras_m2m.m2m_model.seeds import Seeds


class TranslationCounts(keras.metrics.Metric):
    """Counts of translated and of accepted rows, by target and seed class.

    Its result is the acceptance rate: accepted over translated rows, 0 if there
    were none.

    Args:
        num_classes: Number of classes K.
        name: Name of the rate in the logs.

    Example:

    >>> counts = TranslationCounts(num_classes=2)
    >>> of_class_0 = Seeds(None, [0, 0], None, targets=[1, 1], wanted=[True, True])
    >>> counts.update_state(of_class_0, accepted=[True, False])
    >>> float(counts.result())
    0.5
    """

    def __init__(self, num_classes: int, name: str = "acceptance_rate") -> None:
        super().__init__(name=name)
        self.num_classes = num_classes
        shape = (num_classes * num_classes,)
        # float32 under any `floatx`: float16 cannot count beyond 2048.
        self.translated, self.accepted = (
            self.add_variable(shape, "zeros", dtype="float32", name=name)
            for name in ("translated", "accepted")
        )

    def update_state(self, seeds: Seeds, accepted: Any) -> None:
        """Count the rows of one step.

        Args:
            seeds: `Seeds` of `n` rows; those not wanted count nowhere.
            accepted: bool `(n,)`, False where not wanted.
        """
        targets, classes = (
            ops.cast(part, "int32") for part in (seeds.targets, seeds.classes)
        )
        pairs = targets * self.num_classes + classes
        tried = seeds.wanted
        for counts, rows in ((self.translated, tried), (self.accepted, accepted)):
            rows = ops.cast(rows, "float32")
            counts.assign_add(ops.segment_sum(rows, pairs, self.num_classes**2))

    def result(self) -> Any:
        return ops.divide_no_nan(ops.sum(self.accepted), ops.sum(self.translated))

    def by_class(self) -> tuple[np.ndarray, np.ndarray]:
        """`(translated, accepted)`, int64 arrays `(K, K)` indexed `[target, seed]`."""
        shape = (self.num_classes, self.num_classes)
        return tuple(
            ops.convert_to_numpy(counts).reshape(shape).astype("int64")
            for counts in (self.translated, self.accepted)
        )
