"""Cross entropy of logits that are shifted, and scaled, by class frequencies."""

from typing import Any

import keras
import numpy as np

from keras_m2m.checks import check_real
from keras_m2m.classes import class_members
from keras_m2m.imbalance import ClassCounts
from keras_m2m.imbalance import check_class_counts
from keras_m2m.losses.class_loss import ClassLoss
from keras_m2m.losses.class_loss import check_columns
from keras_m2m.losses.class_loss import cross_entropy
from keras_m2m.losses.class_loss import logits_of_counts
from keras_m2m.losses.class_loss import nan_outside


class _Shifted(ClassLoss):
    """Cross entropy of `scales * z + tau * log(prior)`."""

    def __init__(
        self,
        class_counts: ClassCounts,
        tau: float,
        reduction: str | None,
        name: str | None,
    ) -> None:
        super().__init__(name, reduction)
        self.class_counts = check_class_counts(class_counts).tolist()
        self.tau = float(check_real(0, tau=tau))
        counts = np.array(self.class_counts, dtype="float64")
        self.shifts = (self.tau * np.log(counts / counts.sum())).astype("float32")

    @property
    def corrects_prior(self) -> bool:
        return self.tau > 0 and len(set(self.class_counts)) > 1

    def _of_shifted(self, y_true, logits):
        members = class_members(y_true, len(self.class_counts))
        shifted = logits + keras.ops.convert_to_tensor(self.shifts)
        log_probs = keras.ops.log_softmax(shifted, axis=-1)
        return nan_outside(members, cross_entropy(members, log_probs))

    def get_config(self) -> dict:
        return {
            **super().get_config(),
            "class_counts": self.class_counts,
            "tau": self.tau,
        }


@keras.saving.register_keras_serializable(package="keras_m2m")
class LogitAdjustedLoss(_Shifted):
    """Logit-adjusted cross entropy, which at `tau=1` is the balanced softmax.

    Known as logit adjustment, balanced softmax, or prior-corrected softmax. The loss of
    a sample is `CE(z + tau * log(prior))`: while it trains, a frequent class gets its
    frequency as a gift, so that the bare logits need not express it. Predict by these,
    `argmax z`; do not correct them for the same prior again.

    The prior must be that of the batches. Use it on batches as they come (instance
    sampling, no class weights); class-balanced batches, which M2m trains on, have
    nothing left to correct, and `M2mModel.compile` refuses it.

    Labels outside the classes are treated as `FocalLoss` treats them.

    Args:
        class_counts: Training samples per class, positive integers of shape
            `(num_classes,)`, in any order. A class without samples has no logarithm.
        tau: Strength of the correction, a float of at least 0. At 0, or where all
            counts are equal, the loss is cross entropy.
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
        ValueError: If a count is not positive, `tau` is negative, or labels, logits or
            weights are of other shapes or values than these.

    Example:

    A sample of the class that one of four samples has, at equal logits:

    >>> import numpy as np
    >>> loss = LogitAdjustedLoss(class_counts=[3, 1])
    >>> round(float(loss(np.array([1]), np.array([[0.0, 0.0]]))), 4)  # log(4)
    1.3863

    Source: Menon et al., Long-tail learning via logit adjustment (ICLR 2021), eq. (10);
    Ren et al., Balanced Meta-Softmax (NeurIPS 2020), eq. (4).
    """

    def __init__(
        self,
        class_counts: ClassCounts,
        tau: float = 1.0,
        reduction: str | None = "sum_over_batch_size",
        name: str = "logit_adjusted_loss",
    ) -> None:
        super().__init__(class_counts, tau, reduction, name)

    def call(self, y_true: Any, y_pred: Any) -> Any:
        logits = logits_of_counts(y_pred, self.class_counts)
        return self._of_shifted(y_true, logits)


@keras.saving.register_keras_serializable(package="keras_m2m")
class VSLoss(_Shifted):
    """Vector-scaling loss: logits scaled and shifted by class frequencies.

    The loss of a sample is `CE(z_k * (N_k / N_max) ** gamma + tau * log(prior_k))`. The
    shifts act early in training, and the scales once all samples are fitted, where
    shifts have lost their effect. With `tau=0` it is the loss of class-dependent
    temperatures (CDT), and with `gamma=0` logit adjustment. Predict by the bare logits,
    `argmax z`.

    With a `tau` above 0 the prior must be that of the batches, as for
    `LogitAdjustedLoss`. Labels outside the classes are treated as `FocalLoss` treats
    them.

    Args:
        class_counts: Training samples per class, positive integers of shape
            `(num_classes,)`, in any order.
        gamma: Exponent of the scales, a float of at least 0.
        tau: Strength of the shifts, a float of at least 0.
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
        ValueError: If a count is not positive, `gamma` or `tau` is negative, or labels,
            logits or weights are of other shapes or values than these.

    Example:

    >>> import numpy as np
    >>> loss = VSLoss(class_counts=[16, 1], gamma=0.5, tau=0.0)
    >>> loss.scales.tolist()
    [1.0, 0.25]
    >>> round(float(loss(np.array([1]), np.array([[1.0, 4.0]]))), 4)  # log(2)
    0.6931

    Source: Kini et al., Label-Imbalanced and Group-Sensitive Classification under
    Overparameterization (NeurIPS 2021), the VS-loss and its parameters for CIFAR; Ye et
    al. (2020), class-dependent temperatures.
    """

    def __init__(
        self,
        class_counts: ClassCounts,
        gamma: float = 0.05,
        tau: float = 0.75,
        reduction: str | None = "sum_over_batch_size",
        name: str = "vs_loss",
    ) -> None:
        super().__init__(class_counts, tau, reduction, name)
        self.gamma = float(check_real(0, gamma=gamma))
        counts = np.array(self.class_counts, dtype="float64")
        self.scales = ((counts / counts.max()) ** self.gamma).astype("float32")

    def call(self, y_true: Any, y_pred: Any) -> Any:
        one = "Of two classes each has a scale: use a head of two logits."
        check_columns(y_pred, self.class_counts, one)
        scaled = y_pred * keras.ops.convert_to_tensor(self.scales)
        return self._of_shifted(y_true, scaled)

    def get_config(self) -> dict:
        return {**super().get_config(), "gamma": self.gamma}
