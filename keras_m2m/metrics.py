"""Metrics for imbalanced data: means of the recalls of all classes.

Both count per class, over all batches since the last reset: the recall of an
epoch is not the mean of the recalls of its batches.
"""

import keras
import numpy as np

from keras_m2m.checks import check_real
from keras_m2m.checks import check_whole


class _RecallMetric(keras.metrics.Metric):
    """Weights of all and of correctly classified samples, for each class."""

    def __init__(self, num_classes: int, name: str, dtype: str | None) -> None:
        super().__init__(name=name, dtype=dtype)
        self.num_classes = check_whole(2, num_classes=num_classes)
        self.correct = self._add_counts("correct")
        self.total = self._add_counts("total")

    def _add_counts(self, name: str) -> keras.Variable:
        # float32 under any `floatx`: float16 cannot count beyond 2048.
        return self.add_variable(
            shape=(self.num_classes,), initializer="zeros", dtype="float32", name=name
        )

    def update_state(self, y_true, y_pred, sample_weight=None):
        _check_real(y_true)
        y_true = keras.ops.convert_to_tensor(y_true)
        y_pred = keras.ops.convert_to_tensor(y_pred)
        self._check_shapes(tuple(y_true.shape), tuple(y_pred.shape))
        labels = keras.ops.cast(keras.ops.reshape(y_true, (-1,)), "int32")
        predicted = keras.ops.cast(keras.ops.argmax(y_pred, axis=-1), "int32")
        # Not `one_hot`, of which PyTorch's raises where others give zeros.
        members = labels[:, None] == keras.ops.arange(self.num_classes, dtype="int32")
        members = keras.ops.cast(members, "float32")
        if sample_weight is not None:
            weights = keras.ops.cast(sample_weight, "float32")
            members = members * keras.ops.reshape(weights, (-1, 1))
        hits = keras.ops.cast(keras.ops.equal(labels, predicted), "float32")
        hits = keras.ops.expand_dims(hits, -1)
        self.correct.assign_add(keras.ops.sum(members * hits, axis=0))
        self.total.assign_add(keras.ops.sum(members, axis=0))

    def get_config(self) -> dict:
        return {**super().get_config(), "num_classes": self.num_classes}

    def _check_shapes(self, true_shape: tuple, pred_shape: tuple) -> None:
        if len(true_shape) not in (1, 2) or true_shape[1:] not in ((), (1,)):
            raise ValueError(
                "Labels must be integer classes of shape `(batch,)` or "
                f"`(batch, 1)`, not one-hot rows. Received: y_true of "
                f"shape={true_shape}"
            )
        if len(pred_shape) != 2 or pred_shape[1] != self.num_classes:
            raise ValueError(
                "Predictions must be logits or probabilities of shape "
                f"`(batch, {self.num_classes})`. Received: y_pred of "
                f"shape={pred_shape}"
            )
        # In a compiled step either may be None, not known yet.
        if (
            None not in (true_shape[0], pred_shape[0])
            and true_shape[0] != pred_shape[0]
        ):
            raise ValueError(
                "Labels and predictions must be equally many. Received: "
                f"{true_shape[0]} labels and {pred_shape[0]} predictions"
            )

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


def _check_real(y_true):
    """Raise if labels are NumPy's and of a kind that no backend takes for numbers."""
    if isinstance(y_true, np.ndarray) and y_true.dtype.kind not in "biuf":
        raise ValueError(
            f"Labels must be integers. Received: y_true of dtype={y_true.dtype}"
        )


@keras.saving.register_keras_serializable(package="keras_m2m")
class BalancedAccuracy(_RecallMetric):
    """Mean of the recalls of the classes, whatever their sizes.

    A class that has no sample in `y_true`, or only samples of weight 0, is left
    out, also where it was predicted. Without any sample the result is 0.

    Args:
        num_classes: Number of classes, an integer of at least 2.
        name: Name of the metric, a string.
        dtype: dtype of the metric, for Keras; counts are float32 always, exact
            up to 2 ** 24 samples per class.

    Call arguments:
        y_true: Integer classes of shape `(batch,)` or `(batch, 1)`.
        y_pred: Logits or probabilities of shape `(batch, num_classes)`; the
            largest is the prediction, the first of equals.
        sample_weight: Optional weights of shape `(batch,)` or `(batch, 1)`.

    Returns:
        float32 scalar in `[0, 1]`.

    Raises:
        ValueError: If `num_classes` is below 2, the labels are one-hot, or the
            predictions have another number of classes.

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
    ) -> None:
        super().__init__(num_classes, name, dtype)

    def result(self):
        return self._mean_over_present(self._recalls())


@keras.saving.register_keras_serializable(package="keras_m2m")
class GeometricMean(_RecallMetric):
    """Geometric mean of the recalls of the classes.

    A class that has no sample in `y_true`, or only samples of weight 0, is left
    out, also where it was predicted. Without any sample the result is 0.

    Args:
        num_classes: Number of classes, an integer of at least 2.
        correction: Stands in for a recall of zero, a float in `[0, 1]`. At 0 a
            single class that is never recognised makes the result 0.
        name: Name of the metric, a string.
        dtype: dtype of the metric, for Keras; counts are float32 always, exact
            up to 2 ** 24 samples per class.

    Call arguments:
        y_true: Integer classes of shape `(batch,)` or `(batch, 1)`.
        y_pred: Logits or probabilities of shape `(batch, num_classes)`; the
            largest is the prediction, the first of equals.
        sample_weight: Optional weights of shape `(batch,)` or `(batch, 1)`.

    Returns:
        float32 scalar in `[0, 1]`.

    Raises:
        ValueError: If `num_classes` is below 2, `correction` is outside
            `[0, 1]`, the labels are one-hot, or the predictions have another
            number of classes.

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
    ) -> None:
        super().__init__(num_classes, name, dtype)
        self.correction = float(check_real(0, 1, correction=correction))

    def result(self):
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
        return keras.ops.where(complete, mean, 0.0)

    def get_config(self) -> dict:
        return {**super().get_config(), "correction": self.correction}
