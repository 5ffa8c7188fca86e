"""What all losses of integer labels and logits have in common."""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np

from keras_m2m.checks import check_name
from keras_m2m.classes import check_batch
from keras_m2m.classes import class_logits


class ClassLoss(keras.losses.Loss):
    """A loss of integer labels, and what all of them check.

    Keras casts labels and predictions to the dtype of a loss before `call`. It is
    float32 here, so that neither a 16-bit `floatx` nor mixed precision rounds labels or
    saturated logits.

    Args:
        name: Name of the loss, a string or None.
        reduction: As in `keras.losses.Loss`.

    Raises:
        ValueError: If `name` or `reduction` is neither a string nor None.
    """

    def __init__(self, name: str | None, reduction: str | None) -> None:
        if not isinstance(reduction, str | None):
            raise ValueError(
                "`reduction` must be a string of Keras' or None. "
                f"Received: reduction={reduction!r}"
            )
        name = check_name(name)
        super().__init__(name=name, reduction=reduction, dtype="float32")

    @property
    def corrects_prior(self) -> bool:
        """Whether it corrects for class frequencies, which batches must then have.

        Class-balanced batches have equal ones, and would be corrected twice.
        """
        return False

    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        batch = check_batch(y_true, y_pred, sample_weight)
        if len(batch.y_pred.shape) != 2:
            raise ValueError(
                "Logits must have shape `(batch, num_classes)`. "
                f"Received: y_pred of shape={tuple(batch.y_pred.shape)}"
            )
        return super().__call__(*batch)


def cross_entropy(members: Any, log_probs: Any) -> Any:
    """Cross entropy `(batch,)` of one-hot labels, in nats.

    Args:
        members: float32 tensor `(batch, num_classes)`, as `class_members` gives it.
        log_probs: Logarithms of probabilities, of the same shape.

    Example:

    >>> float(cross_entropy(np.array([[0.0, 1.0]]), np.array([[-3.0, -0.5]]))[0])
    0.5
    """
    return -keras.ops.sum(members * log_probs, axis=-1)


def nan_outside(members: Any, losses: Any) -> Any:
    """The losses, NaN where a row is of no class: else it would cost nothing.

    Args:
        members: As for `cross_entropy`.
        losses: Tensor `(batch,)`.

    Example:

    >>> members = np.array([[0.0, 1.0], [0.0, 0.0]])
    >>> keras.ops.convert_to_numpy(nan_outside(members, np.array([0.5, 0.0]))).tolist()
    [0.5, nan]
    """
    return keras.ops.where(keras.ops.any(members > 0, axis=-1), losses, np.nan)


def check_columns(logits: Any, class_counts: Sequence[int], of_one: str = "") -> None:
    """Raise unless there is a logit for each class count.

    Args:
        logits: Tensor `(batch, columns)`.
        class_counts: Samples per class.
        of_one: A sentence on what to do where there is one column.

    Raises:
        ValueError: If there are more or fewer.

    Example:

    >>> check_columns(np.zeros((5, 2)), [20, 5])
    """
    if logits.shape[-1] != len(class_counts):
        hint = f" {of_one}" if of_one and logits.shape[-1] == 1 else ""
        raise ValueError(
            f"Logits must have one column for each of {len(class_counts)} class counts."
            f"{hint} Received: y_pred of shape={tuple(logits.shape)}"
        )


def logits_of_counts(outputs: Any, class_counts: Sequence[int]) -> Any:
    """A logit for each class count; two of one, where there are two counts.

    Args:
        outputs: Tensor `(batch, num_classes)` or, for two classes, `(batch, 1)`.
        class_counts: Samples per class.

    Raises:
        ValueError: If there are more or fewer.

    Example:

    >>> tuple(logits_of_counts(keras.ops.zeros((5, 1)), [20, 5]).shape)
    (5, 2)
    """
    logits = class_logits(outputs) if len(class_counts) == 2 else outputs
    check_columns(logits, class_counts)
    return logits
