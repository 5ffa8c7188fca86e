"""Label smoothing that is stronger for larger classes."""

from typing import Any

import keras
import numpy as np

from keras_m2m.checks import check_real
from keras_m2m.classes import class_members
from keras_m2m.imbalance import ClassCounts
from keras_m2m.imbalance import check_class_counts
from keras_m2m.losses.class_loss import ClassLoss
from keras_m2m.losses.class_loss import cross_entropy
from keras_m2m.losses.class_loss import logits_of_counts
from keras_m2m.losses.class_loss import nan_outside


@keras.saving.register_keras_serializable(package="keras_m2m")
class LabelAwareSmoothing(ClassLoss):
    """Cross entropy with label smoothing, more of it the larger the class.

    A network is the more overconfident of a class the more samples that has. The target
    of a sample of class y is `1 - e_y` for y and `e_y / (K - 1)` for each other class;
    `e_y` rises with the class's size, in the paper's concave form, a quarter of a sine:
    `tail + (head - tail) * sin(pi / 2 * (N_y - N_min) / (N_max - N_min))`. Where all
    classes have one size it is `head`. The paper uses it to train a head again, on
    class-balanced batches.

    Labels outside the classes are treated as `FocalLoss` treats them.

    Args:
        class_counts: Training samples per class, positive integers of shape
            `(num_classes,)`, in any order.
        head: Smoothing of the largest class, in `[tail, 1]`. The defaults are those for
            CIFAR-LT-10 at an imbalance of 100.
        tail: Smoothing of the smallest class, in `[0, 1]`.
        reduction: How losses become one number, as in `keras.losses.Loss`. The
            default, `"sum_over_batch_size"`, divides the weighted sum by the
            number of samples, `sum(w * l) / B`, not by the sum of weights.
        name: Name of the loss, a string.

    Call arguments:
        y_true: Integer classes of shape `(batch,)` or `(batch, 1)`.
        y_pred: Logits of shape `(batch, num_classes)`, any float dtype; or, for two
            classes, `(batch, 1)`, whose sigmoid is the probability of class 1.
        sample_weight: Optional weights of shape `(batch,)` or `(batch, 1)`.

    Returns:
        float32 scalar, in nats; of shape `(batch,)` under `reduction=None`.

    Raises:
        ValueError: If a count is not positive, `head` or `tail` is outside its range,
            or labels, logits or weights are of other shapes or values than these.

    Example:

    >>> import numpy as np
    >>> loss = LabelAwareSmoothing(class_counts=[100, 10, 40], head=0.4, tail=0.1)
    >>> loss.smoothing.tolist()  # Of 40: a third of the way, and half of the height
    [0.4, 0.1, 0.25]
    >>> round(float(loss(np.array([1]), np.array([[0.0, 0.0, 0.0]]))), 4)  # log(3)
    1.0986

    Source: Zhong et al., Improving Calibration for Long-Tailed Recognition (CVPR 2021),
    section 3.2. The released code spreads `e_y` over all classes, y too, which is this
    loss with `e_y * (K - 1) / K`.
    """

    def __init__(
        self,
        class_counts: ClassCounts,
        head: float = 0.3,
        tail: float = 0.0,
        reduction: str | None = "sum_over_batch_size",
        name: str = "label_aware_smoothing",
    ) -> None:
        super().__init__(name, reduction)
        self.class_counts = check_class_counts(class_counts).tolist()
        self.tail = float(check_real(0, 1, tail=tail))
        self.head = float(check_real(self.tail, 1, head=head))
        counts = np.array(self.class_counts, dtype="float64")
        width = counts.max() - counts.min()
        size = (counts - counts.min()) / width if width else np.ones_like(counts)
        rise = np.sin(np.pi / 2 * size)
        self.smoothing = self.tail + (self.head - self.tail) * rise

    def call(self, y_true: Any, y_pred: Any) -> Any:
        logits = logits_of_counts(y_pred, self.class_counts)
        members = class_members(y_true, len(self.class_counts))
        smoothing = self.smoothing.astype("float32")[:, None]
        smoothing = keras.ops.matmul(members, keras.ops.convert_to_tensor(smoothing))
        others = smoothing * (1 - members) / (len(self.class_counts) - 1)
        targets = (1 - smoothing) * members + others
        log_probs = keras.ops.log_softmax(logits, axis=-1)
        return nan_outside(members, cross_entropy(targets, log_probs))

    def get_config(self) -> dict:
        return {
            **super().get_config(),
            "class_counts": self.class_counts,
            "head": self.head,
            "tail": self.tail,
        }
