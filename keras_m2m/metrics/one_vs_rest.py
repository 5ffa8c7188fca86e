"""Metrics of two classes, such as AUC, for one class against all others."""

from typing import Any

import keras
from keras import ops

from keras_m2m.checks import check_whole
from keras_m2m.classes import check_batch
from keras_m2m.classes import class_logits
from keras_m2m.metrics.class_metric import ClassMetric


@keras.saving.register_keras_serializable(package="keras_m2m")
class OneVsRest(ClassMetric):
    """Any metric of probabilities, for one class against all others.

    Such metrics of Keras, `AUC`, `Precision`, `Recall`, `F1Score` or `BinaryAccuracy`,
    take labels 0 and 1 and one probability. This gives them whether a sample is of the
    class, and the probability of that class. Callbacks in mode "auto" take the
    direction of the metric.

    A label outside the classes is an error where values can be read; in compiled code,
    and of PyTorch's tensors on a GPU, the result is NaN from then on, until the next
    reset.

    Args:
        metric: A `keras.metrics.Metric` of labels and probabilities `(batch, 1)`, or
            the name of a class of them, such as `"AUC"`. An `F1Score` needs a
            threshold.
        class_id: The class, an integer in `0..num_classes - 1`. Predictions of one
            column are those of class 1.
        from_logits: Whether predictions are logits, which a softmax, or for one column
            a sigmoid, makes probabilities; False if they are probabilities.
        name: Name of the metric, a string; None for that of `metric`.
        dtype: dtype of the metric, for Keras.

    Call arguments:
        y_true: Integer classes of shape `(batch,)` or `(batch, 1)`.
        y_pred: Logits or probabilities of shape `(batch, num_classes)`, or for two
            classes `(batch, 1)`.
        sample_weight: Optional weights of shape `(batch,)` or `(batch, 1)`.

    Returns:
        What `metric` returns, a scalar where that is of a single value; NaN as above.

    Raises:
        ValueError: If `metric` is none, takes logits or is an F-score without
            threshold, `class_id` is no class, or labels, predictions or weights are of
            other shapes or values than these.

    Example:

    >>> import numpy as np
    >>> metric = OneVsRest(keras.metrics.Recall(), class_id=1)
    >>> logits = np.array([[5.0, 0.0, 0.0], [0.0, 5.0, 0.0], [0.0, 0.0, 5.0]])
    >>> metric.update_state(np.array([1, 1, 2]), logits)  # One of two is recognised.
    >>> float(metric.result())
    0.5

    Source: Hand and Till, A simple generalisation of the area under the ROC curve for
    multiple class classification problems (Machine Learning 45, 2001), section 2, on
    the use of a class against the rest.
    """

    def __init__(
        self,
        metric: keras.metrics.Metric | str,
        class_id: int,
        from_logits: bool = True,
        name: str | None = None,
        dtype: str | None = None,
    ) -> None:
        own = metric if isinstance(metric, str) else None
        metric = _check_metric(keras.metrics.get(metric))
        super().__init__((own or metric.name) if name is None else name, dtype)
        if not isinstance(from_logits, bool):
            raise ValueError(
                "`from_logits` must be True or False. "
                f"Received: from_logits={from_logits!r}"
            )
        self.metric = metric
        self.class_id = check_whole(0, class_id=class_id)
        self.from_logits = from_logits
        if hasattr(metric, "_direction"):
            self._direction = metric._direction  # Which Keras' callbacks read.

    def update_state(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> None:
        batch = check_batch(y_true, y_pred, sample_weight)
        probabilities = self._probabilities(batch.y_pred)
        members, weights = self.members_and_weights(batch, probabilities.shape[-1])
        of_class = slice(self.class_id, self.class_id + 1)
        self.metric.update_state(
            members[:, of_class],
            probabilities[:, of_class],
            sample_weight=None if batch.sample_weight is None else weights,
        )

    def result(self) -> Any:
        result = self.metric.result()
        if tuple(result.shape) == (1,):  # An F-score has one for each column.
            result = ops.reshape(result, ())
        return self.nan_if_outside(result)

    def reset_state(self) -> None:
        self.metric.reset_state()
        self.outside.assign(0.0)

    def get_config(self) -> dict:
        return {
            **super().get_config(),
            "metric": keras.metrics.serialize(self.metric),
            "class_id": self.class_id,
            "from_logits": self.from_logits,
        }

    def _probabilities(self, y_pred):
        """Probabilities of all classes, float32 `(batch, num_classes)`."""
        y_pred = ops.cast(y_pred, "float32")
        if len(y_pred.shape) == 1:
            y_pred = ops.expand_dims(y_pred, -1)
        if self.from_logits:
            probabilities = ops.softmax(class_logits(y_pred), axis=-1)
        elif y_pred.shape[-1] == 1:
            probabilities = ops.concatenate([1.0 - y_pred, y_pred], axis=-1)
        else:
            probabilities = y_pred
        if self.class_id >= probabilities.shape[-1]:
            raise ValueError(
                f"`class_id` must be one of the {probabilities.shape[-1]} classes of "
                f"the predictions. Received: class_id={self.class_id}"
            )
        return probabilities


def _check_metric(metric):
    if not isinstance(metric, keras.metrics.Metric):
        raise ValueError(
            "`metric` must be a keras.metrics.Metric or the name of a class of them, "
            f'such as "AUC". Received: metric={metric!r}'
        )
    if metric.get_config().get("from_logits"):
        raise ValueError(
            "`metric` gets probabilities: make it with from_logits=False, and give "
            f"from_logits=True to this instead. Received: metric={metric!r}"
        )
    if isinstance(metric, keras.metrics.FBetaScore) and metric.threshold is None:
        raise ValueError(
            "`metric` needs a threshold, or every sample counts as of the class: give "
            f"F1Score(threshold=0.5). Received: metric={metric!r}"
        )
    return metric
