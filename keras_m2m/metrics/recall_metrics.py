"""Metrics for imbalanced data: means of the recalls of all classes.

Both count per class, over all batches since the last reset: the recall of an
epoch is not the mean of the recalls of its batches.
"""

from typing import Any

import keras

from keras_m2m.checks import LARGEST
from keras_m2m.checks import check_real
from keras_m2m.checks import check_whole
from keras_m2m.classes import check_batch
from keras_m2m.metrics.class_metric import ClassMetric


class _RecallMetric(ClassMetric):
    """Weights of all and of correctly classified samples, for each class."""

    _direction = "up"  # Which Keras' callbacks read in mode "auto".

    def __init__(
        self, num_classes: int, threshold: float, name: str | None, dtype: str | None
    ) -> None:
        super().__init__(name, dtype)
        self.num_classes = check_whole(2, num_classes=num_classes)
        self.threshold = check_real(-LARGEST, threshold=threshold)
        self.correct = self.add_counts("correct", (self.num_classes,))
        self.total = self.add_counts("total", (self.num_classes,))

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        batch = check_batch(y_true, y_pred, sample_weight)
        predicted = self._predicted(batch.y_pred)
        members, weights = self.members_and_weights(batch, self.num_classes)
        members = members * keras.ops.expand_dims(weights, -1)
        classes = keras.ops.arange(self.num_classes, dtype="int32")
        hits = keras.ops.cast(keras.ops.equal(predicted[:, None], classes), "float32")
        self.correct.assign_add(keras.ops.sum(members * hits, axis=0))
        self.total.assign_add(keras.ops.sum(members, axis=0))

    def get_config(self) -> dict:
        return {
            **super().get_config(),
            "num_classes": self.num_classes,
            "threshold": self.threshold,
        }

    def _predicted(self, y_pred):
        """Predicted classes `(batch,)`, int32."""
        shape = tuple(y_pred.shape)
        y_pred = keras.ops.convert_to_tensor(y_pred)
        if self.num_classes == 2 and shape[1:] in ((), (1,)):
            above = keras.ops.reshape(y_pred, (-1,)) > self.threshold
            return keras.ops.cast(above, "int32")
        if shape[1:] != (self.num_classes,):
            raise ValueError(
                "Predictions must be logits or probabilities of shape "
                f"`(batch, {self.num_classes})`, or for two classes `(batch, 1)`. "
                f"Received: y_pred of shape={shape}"
            )
        if self.threshold:
            raise ValueError(
                "`threshold` is for predictions of one column; among several the "
                "largest is the class. Received: "
                f"threshold={self.threshold}, y_pred of shape={shape}"
            )
        return keras.ops.cast(keras.ops.argmax(y_pred, axis=-1), "int32")

    def _present(self):
        """1 for each class that has samples, else 0, shape `(num_classes,)`."""
        return keras.ops.cast(self.total.value > 0, "float32")

    def _recalls(self):
        """Recall of each class, shape `(num_classes,)`; 0 without samples."""
        return keras.ops.divide_no_nan(self.correct.value, self.total.value)

    def _mean_over_present(self, values):
        """Mean of `values` over the classes that have samples; 0 without any."""
        present = self._present()
        return keras.ops.sum(values * present) / keras.ops.maximum(
            keras.ops.sum(present), 1.0
        )


@keras.saving.register_keras_serializable(package="keras_m2m")
class BalancedAccuracy(_RecallMetric):
    """Mean of the recalls of the classes, whatever their sizes.

    A class that has no sample in `y_true`, or only samples of weight 0, is left
    out, also where it was predicted. Without any sample the result is 0. A label
    outside the classes is an error where values can be read; in compiled code, and of
    PyTorch's tensors on a GPU, the result is NaN from then on, until the next reset.

    Args:
        num_classes: Number of classes, an integer of at least 2.
        name: Name of the metric, a string.
        dtype: dtype of the metric, for Keras; counts are float32 always, exact
            up to 2 ** 24 samples per class.
        threshold: Of predictions of one column, for two classes: class 1 is predicted
            above it. 0 is for logits; give 0.5 for probabilities.

    Call arguments:
        y_true: Integer classes of shape `(batch,)` or `(batch, 1)`.
        y_pred: Logits or probabilities of shape `(batch, num_classes)`; the
            largest is the prediction, the first of equals. For two classes also one
            column `(batch, 1)` or `(batch,)`, of class 1.
        sample_weight: Optional weights of shape `(batch,)` or `(batch, 1)`.

    Returns:
        float32 scalar in `[0, 1]`, or NaN.

    Raises:
        ValueError: If `num_classes` is below 2, or labels, predictions or weights are
            of other shapes or values than these.

    Example:

    >>> import numpy as np
    >>> metric = BalancedAccuracy(num_classes=3)
    >>> scores = np.array([[1, 0, 0], [0, 1, 0], [1, 0, 0]])
    >>> metric.update_state(np.array([0, 1, 1]), scores)  # recalls 1 and 1/2
    >>> float(metric.result())
    0.75

    Source: Huang et al. (CVPR 2016) and Wang et al. (NIPS 2017), as cited by
    Kim et al., M2m (CVPR 2020), section 3.1.
    """

    def __init__(
        self,
        num_classes: int,
        name: str = "balanced_accuracy",
        dtype: str | None = None,
        threshold: float = 0.0,
    ) -> None:
        super().__init__(num_classes, threshold, name, dtype)

    def result(self) -> Any:
        return self.nan_if_outside(self._mean_over_present(self._recalls()))


@keras.saving.register_keras_serializable(package="keras_m2m")
class GeometricMean(_RecallMetric):
    """Geometric mean of the recalls of the classes.

    A class that has no sample in `y_true`, or only samples of weight 0, is left
    out, also where it was predicted. Without any sample the result is 0. A label
    outside the classes is an error where values can be read; in compiled code, and of
    PyTorch's tensors on a GPU, the result is NaN from then on, until the next reset.

    Args:
        num_classes: Number of classes, an integer of at least 2.
        correction: Stands in for a recall of zero, a float in `[0, 1]`. At 0 a
            single class that is never recognised makes the result 0.
        name: Name of the metric, a string.
        dtype: dtype of the metric, for Keras; counts are float32 always, exact
            up to 2 ** 24 samples per class.
        threshold: Of predictions of one column, for two classes: class 1 is predicted
            above it. 0 is for logits; give 0.5 for probabilities.

    Call arguments:
        y_true: Integer classes of shape `(batch,)` or `(batch, 1)`.
        y_pred: Logits or probabilities of shape `(batch, num_classes)`; the
            largest is the prediction, the first of equals. For two classes also one
            column `(batch, 1)` or `(batch,)`, of class 1.
        sample_weight: Optional weights of shape `(batch,)` or `(batch, 1)`.

    Returns:
        float32 scalar in `[0, 1]`, or NaN.

    Raises:
        ValueError: If `num_classes` is below 2, `correction` is outside `[0, 1]`, or
            labels, predictions or weights are of other shapes or values than these.

    Example:

    >>> import numpy as np
    >>> metric = GeometricMean(num_classes=2)
    >>> scores = np.array([[1, 0], [1, 0], [1, 0], [1, 0], [0, 1]])
    >>> metric.update_state(np.array([0, 1, 1, 1, 1]), scores)  # 1 and 1/4
    >>> round(float(metric.result()), 6)
    0.5

    Source: Kubat and Matwin (ICML 1997); Branco et al. (ACM Computing Surveys
    2016), as cited by Kim et al., M2m (CVPR 2020), section 3.1.
    """

    def __init__(
        self,
        num_classes: int,
        correction: float = 0.0,
        name: str = "geometric_mean",
        dtype: str | None = None,
        threshold: float = 0.0,
    ) -> None:
        super().__init__(num_classes, threshold, name, dtype)
        self.correction = float(check_real(0, 1, correction=correction))

    def result(self) -> Any:
        recalls = self._recalls()
        recalls = keras.ops.where(recalls > 0, recalls, self.correction)
        positive = recalls > 0
        # Classes left out are 0 here; they must neither count nor reach the log.
        logs = keras.ops.log(keras.ops.where(positive, recalls, 1.0))
        mean = keras.ops.exp(self._mean_over_present(logs))
        present = self._present()
        recognised = present * keras.ops.cast(positive, "float32")
        # All classes that are present must be recognised, and at least one be.
        complete = keras.ops.sum(recognised) == keras.ops.maximum(
            keras.ops.sum(present), 1.0
        )
        return self.nan_if_outside(keras.ops.where(complete, mean, 0.0))

    def get_config(self) -> dict:
        return {**super().get_config(), "correction": self.correction}
