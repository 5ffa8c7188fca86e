"""LDAM: margins that are wider for smaller classes."""

from typing import Any

import keras
import numpy as np

from keras_m2m.checks import check_positive
from keras_m2m.checks import check_real
from keras_m2m.classes import class_members
from keras_m2m.imbalance import ClassCounts
from keras_m2m.imbalance import check_class_counts
from keras_m2m.losses.class_loss import ClassLoss
from keras_m2m.losses.class_loss import check_columns
from keras_m2m.losses.class_loss import cross_entropy
from keras_m2m.losses.class_loss import nan_outside


@keras.saving.register_keras_serializable(package="keras_m2m")
class LDAMLoss(ClassLoss):
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
        check_columns(
            y_pred,
            self.class_counts,
            "Of two classes each has a margin: use CosineDense(2).",
        )
        members = class_members(y_true, len(self.class_counts))
        margins = members * keras.ops.convert_to_tensor(self.margins)
        logits = self.scale * (y_pred - margins)
        log_probs = keras.ops.log_softmax(logits, axis=-1)
        return nan_outside(members, cross_entropy(members, log_probs))

    def get_config(self) -> dict:
        return {
            **super().get_config(),
            "class_counts": self.class_counts,
            "max_margin": self.max_margin,
            "scale": self.scale,
        }
