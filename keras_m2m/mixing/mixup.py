"""Mixup and Remix: rows of a batch, each mixed with a partner from the same batch."""

from typing import Any

import keras
import numpy as np
from keras import ops

from keras_m2m.checks import check_positive
from keras_m2m.checks import check_real
from keras_m2m.imbalance import ClassCounts
from keras_m2m.imbalance import check_class_counts
from keras_m2m.mixing.two_labels import Mixed


@keras.saving.register_keras_serializable(package="keras_m2m")
class Mixup:
    """Mixes each row of a batch with another one, samples and labels alike.

    A row becomes `share * x_a + (1 - share) * x_b`, and its loss
    `share * L(y_a) + (1 - share) * L(y_b)`. The partners are a random permutation of
    the batch, and one share is drawn from `Beta(alpha, alpha)` for the batch, as in the
    code that the paper prints and in its release.

    Give it to `M2mModel(..., mixing=...)`, which mixes after it has translated, or to
    `MixingModel` for training without M2m. To mix in another way, override `shares`.

    Args:
        alpha: Both parameters of the beta distribution, a positive float: the larger,
            the closer shares come to a half.

    Call arguments:
        x: float tensor `(batch, ...)`.
        labels: int tensor `(batch,)`.
        seed: A `keras.random.SeedGenerator` or integer that the draws come from.

    Returns:
        `Mixed`: `(x, labels_a, labels_b, share, partners)`.

    Raises:
        ValueError: If `alpha` is not positive.

    Example:

    >>> import numpy as np
    >>> x, labels = np.array([[0.0], [8.0]], "float32"), np.array([0, 1])
    >>> draws = np.array([0.64, 0.0, 0.9, 0.1], "float32")
    >>> mixed = Mixup().mix(x, labels, draws)
    >>> keras.ops.convert_to_numpy(mixed.x).round(2)  # Each is the other's partner.
    array([[1.6],
           [6.4]], dtype=float32)
    >>> keras.ops.convert_to_numpy(mixed.share).round(2)
    array([0.8, 0.8], dtype=float32)

    Source: Zhang et al., mixup (ICLR 2018), eq. (1) and Figure 1.
    """

    # Whether labels keep the class frequencies of the batches, which a loss may need.
    keeps_prior = True

    def __init__(self, alpha: float = 1.0) -> None:
        self.alpha = float(check_positive(alpha=alpha))

    def __call__(self, x: Any, labels: Any, seed: Any) -> Mixed:
        draws = keras.random.uniform(
            (2 + ops.shape(labels)[0],), dtype="float32", seed=seed
        )
        return self.mix(x, labels, draws)

    def mix(self, x: Any, labels: Any, draws: Any) -> Mixed:
        """Mix by drawn numbers.

        Args:
            x: As in a call.
            labels: As in a call.
            draws: float32 tensor `(2 + batch,)`, uniform in `[0, 1)`: two for the
                share, the rest for the permutation.

        Returns:
            `Mixed`.
        """
        x, labels, draws = map(ops.convert_to_tensor, (x, labels, draws))
        partners = ops.argsort(draws[2:])
        drawn = symmetric_beta(draws[0], draws[1], self.alpha)
        factor = ops.cast(drawn, x.dtype)
        new = factor * x + (1 - factor) * ops.take(x, partners, axis=0)
        of_partners = ops.take(labels, partners, axis=0)
        share = drawn * ops.ones_like(draws[2:])
        share = self.shares(share, labels, of_partners)
        rows = ops.arange(ops.shape(labels)[0], dtype="int32")
        return Mixed(new, labels, of_partners, share, partners, rows)

    def shares(self, share: Any, labels_a: Any, labels_b: Any) -> Any:
        """The shares of labels, from those of samples, which mixup takes as they are.

        Args:
            share: float32 tensor `(batch,)`, that of each row in its sample.
            labels_a: int tensor `(batch,)`, the labels of the rows.
            labels_b: int tensor `(batch,)`, those of their partners.

        Returns:
            float32 tensor `(batch,)`.
        """
        return share

    def get_config(self) -> dict:
        """The arguments, by which it is saved with a model."""
        return {"alpha": self.alpha}

    @classmethod
    def from_config(cls, config: dict) -> "Mixup":
        """Another one of these arguments."""
        return cls(**config)


@keras.saving.register_keras_serializable(package="keras_m2m")
class Remix(Mixup):
    """Mixup whose label is wholly the rarer class where that has enough of the sample.

    Samples are mixed as `Mixup` does. Where one class has at least `kappa` times the
    samples of the other, and its share of the row is below `tau`, the row's label is
    the rarer class alone; elsewhere labels are mixed as samples are. This gives rare
    classes more labels, so it does not go with a loss that corrects for frequencies.

    Args:
        class_counts: Training samples per class, positive integers of shape
            `(num_classes,)`, in any order.
        kappa: How many times larger a class must be, a float of at least 1.
        tau: The share that the larger class must stay below, in `[0, 1]`; 0 is mixup.
        alpha: As for `Mixup`.

    Raises:
        ValueError: If a count is not positive, or another argument is outside its
            range.

    Example:

    >>> import numpy as np
    >>> x, labels = np.array([[0.0], [8.0]], "float32"), np.array([0, 1])
    >>> draws = np.array([0.64, 0.0, 0.9, 0.1], "float32")
    >>> mixed = Remix([300, 100]).mix(x, labels, draws)
    >>> keras.ops.convert_to_numpy(mixed.share).round(2)  # The second row has 0.2 of 0.
    array([0.8, 1. ], dtype=float32)

    Source: Chou et al., Remix (ECCV workshops 2020), eq. (3).
    """

    keeps_prior = False

    def __init__(
        self,
        class_counts: ClassCounts,
        kappa: float = 3.0,
        tau: float = 0.5,
        alpha: float = 1.0,
    ) -> None:
        super().__init__(alpha)
        self.class_counts = check_class_counts(class_counts).tolist()
        self.kappa = check_real(1, kappa=kappa)
        self.tau = check_real(0, 1, tau=tau)

    def shares(self, share: Any, labels_a: Any, labels_b: Any) -> Any:
        counts = ops.convert_to_tensor(self.class_counts, "float32")
        of_a, of_b = (ops.take(counts, labels) for labels in (labels_a, labels_b))
        b_alone = ops.logical_and(of_a >= self.kappa * of_b, share < self.tau)
        a_alone = ops.logical_and(of_b >= self.kappa * of_a, 1 - share < self.tau)
        return ops.where(b_alone, 0.0, ops.where(a_alone, 1.0, share))

    def get_config(self) -> dict:
        return {
            **super().get_config(),
            "class_counts": self.class_counts,
            "kappa": self.kappa,
            "tau": self.tau,
        }


def symmetric_beta(first: Any, second: Any, alpha: float) -> Any:
    """A number with the distribution Beta(alpha, alpha), from two uniform ones.

    Exact for every alpha and without rejection, so that it compiles everywhere; XLA
    knows no gamma distribution on TensorFlow. It is `1/2 + t / (2 * sqrt(2 * alpha +
    t**2))` of Student's t with `2 * alpha` degrees of freedom, by Bailey's polar method
    `t = sqrt(2 * alpha * (1 / v - 1)) * cos`, with `v = first ** (1 / alpha)`.

    Args:
        first: float32 tensor, uniform in `[0, 1)`.
        second: float32 tensor of the same shape, likewise.
        alpha: Positive float.

    Returns:
        float32 tensor in `[0, 1]`.

    Example:

    >>> float(symmetric_beta(ops.array(0.5), ops.array(0.25), alpha=2.0)).__round__(4)
    0.5

    Source: Devroye, Random variate generation in one line of code (WSC 1996); Bailey,
    Polar generation of random variates with the t-distribution (1994).
    """
    v = first ** (1 / alpha)
    cosine = ops.cos(2 * np.pi * second)
    squared = ops.square(cosine)
    # At v = 0 the fraction is 1 / cosine**2; the cosine itself is never exactly 0.
    length = ops.sqrt((1 - v) / (v + (1 - v) * squared))
    return ops.clip((1 + cosine * length) / 2, 0, 1)
