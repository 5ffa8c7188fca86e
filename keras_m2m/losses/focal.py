"""Focal loss: less for what is classified well."""

from typing import Any

import keras

from keras_m2m.checks import check_real
from keras_m2m.classes import class_logits
from keras_m2m.classes import class_members
from keras_m2m.losses.class_loss import ClassLoss
from keras_m2m.losses.class_loss import cross_entropy
from keras_m2m.losses.class_loss import nan_outside

# Stands for minus infinity where a class is left out of a logsumexp: its
# exponential is 0, but unlike infinity it never makes a NaN in a gradient.
_LEFT_OUT = -1e30


@keras.saving.register_keras_serializable(package="keras_m2m")
class FocalLoss(ClassLoss):
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
        losses = losses * cross_entropy(members, log_probs)
        return nan_outside(members, losses)

    def get_config(self) -> dict:
        return {**super().get_config(), "gamma": self.gamma}
