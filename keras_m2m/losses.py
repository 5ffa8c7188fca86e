"""Losses for imbalanced data, on integer labels and logits."""

from typing import Any

import keras
import numpy as np

from keras_m2m.checks import check_name
from keras_m2m.checks import check_positive
from keras_m2m.checks import check_real
from keras_m2m.classes import check_batch
from keras_m2m.classes import class_logits
from keras_m2m.classes import class_members
from keras_m2m.imbalance import ClassCounts
from keras_m2m.imbalance import check_class_counts

# Stands for minus infinity where a class is left out of a logsumexp: its
# exponential is 0, but unlike infinity it never makes a NaN in a gradient.
_LEFT_OUT = -1e30


class _ClassLoss(keras.losses.Loss):
    """A loss of integer labels, and what both check.

    Keras casts labels and predictions to the dtype of a loss before `call`. It is
    float32 here, so that neither a 16-bit `floatx` nor mixed precision rounds labels or
    saturated logits.
    """

    def __init__(self, name: str | None, reduction: str | None) -> None:
        if not isinstance(reduction, str | None):
            raise ValueError(
                "`reduction` must be a string of Keras' or None. "
                f"Received: reduction={reduction!r}"
            )
        name = check_name(name)
        super().__init__(name=name, reduction=reduction, dtype="float32")

    def __call__(self, y_true: Any, y_pred: Any, sample_weight: Any = None) -> Any:
        batch = check_batch(y_true, y_pred, sample_weight)
        if len(batch.y_pred.shape) != 2:
            raise ValueError(
                "Logits must have shape `(batch, num_classes)`. "
                f"Received: y_pred of shape={tuple(batch.y_pred.shape)}"
            )
        return super().__call__(*batch)


@keras.saving.register_keras_serializable(package="keras_m2m")
class FocalLoss(_ClassLoss):
    """Cross entropy that counts a sample less the better it is classified.

    The loss of a sample is `(1 - p) ** gamma * -log(p)`, `p` being the
    probability of its label. Both factors are computed from logarithms, so that
    values and gradients stay finite and right where the softmax saturates: a
    sample that is wrong by 40 logits loses 40. The modulating factor comes from
    the unweighted cross entropy; class and sample weights multiply the result.

    A label outside the classes is an error where values can be read. In compiled code,
    and of PyTorch's tensors on a GPU, it makes the loss NaN and adds nothing to the
    gradient.

    Args:
        gamma: Strength of the modulation, a float of at least 0. At 0 the loss
            is cross entropy.
        reduction: How losses become one number, as in `keras.losses.Loss`. The
            default, `"sum_over_batch_size"`, divides the weighted sum by the
            number of samples, `sum(w * l) / B`, not by the sum of weights.
        name: Name of the loss, a string.

    Call arguments:
        y_true: Integer classes of shape `(batch,)` or `(batch, 1)`.
        y_pred: Logits of shape `(batch, num_classes)`, any float dtype; or, for labels
            0 and 1, `(batch, 1)`, whose sigmoid is the probability of class 1.
        sample_weight: Optional weights of shape `(batch,)` or `(batch, 1)`.

    Returns:
        float32 scalar, in nats; of shape `(batch,)` under `reduction=None`.

    Raises:
        ValueError: If `gamma` is negative, or labels, logits or weights are of
            other shapes or values than these.

    Example:

    >>> import numpy as np
    >>> loss = FocalLoss(gamma=1.0)
    >>> round(float(loss(np.array([1]), np.array([[0.0, 0.0]]))), 4)  # log(2)/2
    0.3466

    Source: Lin et al., Focal Loss (ICCV 2017), eq. (4), over a softmax; with one logit
    as it stands there.
    """

    def __init__(
        self,
        gamma: float = 1.0,
        reduction: str | None = "sum_over_batch_size",
        name: str = "focal_loss",
    ) -> None:
        super().__init__(name, reduction)
        self.gamma = float(check_real(0, gamma=gamma))

    def call(self, y_true: Any, y_pred: Any) -> Any:
        logits = class_logits(y_pred)
        members = class_members(y_true, logits.shape[-1])
        log_probs = keras.ops.log_softmax(logits, axis=-1)
        others = keras.ops.where(members > 0, _LEFT_OUT, log_probs)
        log_rest = keras.ops.logsumexp(others, axis=-1)
        losses = keras.ops.exp(self.gamma * log_rest)
        losses = losses * _cross_entropy(members, log_probs)
        return _nan_outside(members, losses)

    def get_config(self) -> dict:
        return {**super().get_config(), "gamma": self.gamma}


@keras.saving.register_keras_serializable(package="keras_m2m")
class LDAMLoss(_ClassLoss):
    """Cross entropy with a margin that is wider for smaller classes.

    The logits are cosines in `[-1, 1]`, from a normalised head such as
    `keras_m2m.CosineDense` at its default scale. The loss of a sample is
    `CE(scale * (z - margin))`, where the margin, `C / N_k ** (1/4)`, is taken
    from the logit of the sample's own class `k` only. `C` is such that the
    largest margin, that of the smallest class, is `max_margin`.

    Margins are for training. Probabilities at test time are
    `softmax(scale * cosines)`, without margins and with the scale of this loss:
    the softmax of bare cosines is nearly flat. For the same reason the argmax
    of the cosines is the predicted class as it is.

    Labels outside the classes are treated as `FocalLoss` treats them.

    Args:
        class_counts: Training samples per class, positive integers of shape
            `(num_classes,)`, in any order.
        max_margin: Margin of the smallest class in cosine, a float of at least
            0. At 0 the loss is cross entropy of the scaled logits.
        scale: Factor of the logits, a positive float.
        reduction: How losses become one number, as in `keras.losses.Loss`. The
            default, `"sum_over_batch_size"`, divides the weighted sum by the
            number of samples, `sum(w * l) / B`, not by the sum of weights.
        name: Name of the loss, a string.

    Call arguments:
        y_true: Integer classes of shape `(batch,)` or `(batch, 1)`.
        y_pred: Logits of shape `(batch, num_classes)`, any float dtype.
        sample_weight: Optional weights of shape `(batch,)` or `(batch, 1)`.

    Returns:
        float32 scalar, in nats; of shape `(batch,)` under `reduction=None`.

    Raises:
        ValueError: If a count is not positive, `max_margin` is negative, `scale` is not
            positive, or labels, logits or weights are of other shapes or values than
            these.

    Example:

    >>> import numpy as np
    >>> loss = LDAMLoss(class_counts=[16, 1], max_margin=0.5, scale=1.0)
    >>> loss.margins.tolist()
    [0.25, 0.5]
    >>> round(float(loss(np.array([1]), np.array([[0.0, 0.5]]))), 4)  # log(2)
    0.6931

    Source: Cao et al., LDAM (NeurIPS 2019), eqs. (10), (13).
    """

    def __init__(
        self,
        class_counts: ClassCounts,
        max_margin: float = 0.5,
        scale: float = 30.0,
        reduction: str | None = "sum_over_batch_size",
        name: str = "ldam_loss",
    ) -> None:
        super().__init__(name, reduction)
        self.class_counts = check_class_counts(class_counts).tolist()
        self.max_margin = float(check_real(0, max_margin=max_margin))
        self.scale = float(check_positive(scale=scale))
        relative = np.array(self.class_counts, dtype="float64") ** -0.25
        self.margins = (self.max_margin * relative / relative.max()).astype("float32")

    def call(self, y_true: Any, y_pred: Any) -> Any:
        _check_num_classes(y_pred, len(self.class_counts))
        members = class_members(y_true, len(self.class_counts))
        margins = members * keras.ops.convert_to_tensor(self.margins)
        logits = self.scale * (y_pred - margins)
        log_probs = keras.ops.log_softmax(logits, axis=-1)
        return _nan_outside(members, _cross_entropy(members, log_probs))

    def get_config(self) -> dict:
        return {
            **super().get_config(),
            "class_counts": self.class_counts,
            "max_margin": self.max_margin,
            "scale": self.scale,
        }


def _cross_entropy(members, log_probs):
    """Cross entropy `(batch,)` of one-hot labels, in nats."""
    return -keras.ops.sum(members * log_probs, axis=-1)


def _nan_outside(members, losses):
    """The losses, NaN where a row is of no class: else it would cost nothing."""
    return keras.ops.where(keras.ops.any(members > 0, axis=-1), losses, np.nan)


def _check_num_classes(y_pred, num_classes):
    if y_pred.shape[-1] != num_classes:
        one = " Of two classes each has a margin: use CosineDense(2)."
        hint = one if y_pred.shape[-1] == 1 else ""
        raise ValueError(
            f"Logits must have one column for each of {num_classes} class counts."
            f"{hint} Received: y_pred of shape={tuple(y_pred.shape)}"
        )
