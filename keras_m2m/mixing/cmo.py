"""CMO: patches of rare classes on backgrounds of frequent ones."""

from typing import Any

import keras
from keras import ops

from keras_m2m.checks import check_flag
from keras_m2m.checks import check_positive
from keras_m2m.checks import check_real
from keras_m2m.mixing.mixup import symmetric_beta
from keras_m2m.mixing.two_labels import Mixed

_NUMBERS = 5  # Drawn for a batch: whether to mix, two for the area, two for the place.


@keras.saving.register_keras_serializable(package="keras_m2m")
class CMO:
    """Pastes a patch of another image, of each class as often, into each of a batch.

    A batch is mixed with a chance of `probability`. Then one box is drawn for it, as by
    CutMix: `1 - Beta(alpha, alpha)` of the area, around any place, cut off at the
    borders. A label counts by the area of its image that is left.

    Foregrounds come with the weight 1 / N_k, from class-balanced batches. So the batch
    must be pairs, of a `PairedDataset`: a background, then its foreground. It comes out
    half as long. A batch that is class-balanced as it is, as M2m's, holds foregrounds
    too: with `paired=False` each row's is another row of the batch.

    Args:
        probability: Chance of a batch to be mixed, in `[0, 1]`.
        alpha: Both parameters of the beta distribution, a positive float.
        paired: Whether the rows are pairs of a background and a foreground.

    Call arguments:
        x: float tensor `(batch, height, width, channels)`, or channels first if
            `keras.config.image_data_format()` says so; of pairs, an even number.
        labels: int tensor `(batch,)`.
        seed: A `keras.random.SeedGenerator` or integer that the draws come from.

    Returns:
        `Mixed`, of pairs half as many rows.

    Raises:
        ValueError: If an argument is outside its range or samples are no images.

    Example:

    >>> import numpy as np
    >>> x = np.stack([np.zeros((4, 4, 1)), np.ones((4, 4, 1))]).astype("float32")
    >>> draws = np.array([0.1, 0.75, 0.5, 0.5, 0.5, 0.3, 0.7], "float32")
    >>> mixed = CMO().mix(x, np.array([0, 1]), draws)
    >>> keras.ops.convert_to_numpy(mixed.x)[0, :, :, 0].astype(int)
    array([[0, 0, 0, 0],
           [0, 1, 1, 0],
           [0, 1, 1, 0],
           [0, 0, 0, 0]])
    >>> keras.ops.convert_to_numpy(mixed.share)
    array([0.75], dtype=float32)

    Source: Park et al., CMO (CVPR 2022), Algorithm 1, with the box of Yun et al.,
    CutMix (ICCV 2019), as in the released code.
    """

    def __init__(
        self, probability: float = 0.5, alpha: float = 1.0, paired: bool = True
    ) -> None:
        self.probability = check_real(0, 1, probability=probability)
        self.alpha = check_positive(alpha=alpha)
        self.paired = check_flag(paired=paired)

    @property
    def keeps_prior(self) -> bool:
        """Whether labels keep the class frequencies of the batches."""
        return not self.paired

    def __call__(self, x: Any, labels: Any, seed: Any) -> Mixed:
        shape = (_NUMBERS + ops.shape(labels)[0],)
        draws = keras.random.uniform(shape, dtype="float32", seed=seed)
        return self.mix(x, labels, draws)

    def mix(self, x: Any, labels: Any, draws: Any) -> Mixed:
        """Mix by drawn numbers.

        Args:
            x: As in a call.
            labels: As in a call.
            draws: float32 tensor `(5 + batch,)`, uniform in `[0, 1)`: whether to mix,
                two for the area, two for the place, the rest for a permutation.

        Returns:
            `Mixed`.
        """
        x, labels, draws = map(ops.convert_to_tensor, (x, labels, draws))
        rows, partners = self._pairs(draws[_NUMBERS:])
        mask, area = self._box(x.shape, draws)
        back, front = (ops.take(x, which, axis=0) for which in (rows, partners))
        a, b = (ops.take(labels, which, axis=0) for which in (rows, partners))
        share = (1 - area) * ops.ones_like(ops.cast(rows, "float32"))
        return Mixed(ops.where(mask, front, back), a, b, share, partners, rows)

    def _pairs(self, draws):
        """The rows of backgrounds and of foregrounds."""
        if not self.paired:
            return ops.argsort(ops.arange(ops.shape(draws)[0])), ops.argsort(draws)
        rows = 2 * ops.arange(ops.shape(draws)[0] // 2)
        return rows, rows + 1

    def _box(self, shape, draws):
        """Which entries of an image are of the foreground, and their share of it."""
        if len(shape) != 4:
            raise ValueError(
                "CMO mixes images, (batch, height, width, channels). "
                f"Received: samples of shape={tuple(shape)}"
            )
        first = keras.config.image_data_format() == "channels_first"
        height, width = shape[2:] if first else shape[1:3]
        side = ops.sqrt(1 - symmetric_beta(draws[1], draws[2], self.alpha))
        mixes = draws[0] < self.probability
        inside = [
            ops.logical_and(_interval(size, side, place), mixes)
            for size, place in ((height, draws[3]), (width, draws[4]))
        ]
        mask = ops.logical_and(inside[0][:, None], inside[1][None, :])
        area = ops.mean(ops.cast(mask, "float32"))
        return mask[None, None] if first else mask[None, :, :, None], area

    def get_config(self) -> dict:
        """The arguments, by which it is saved with a model."""
        return {
            "probability": self.probability,
            "alpha": self.alpha,
            "paired": self.paired,
        }

    @classmethod
    def from_config(cls, config: dict) -> "CMO":
        """Another one of these arguments."""
        return cls(**config)


def _interval(size, side, place):
    """Which of so many pixels lie in a part of them around a place in `[0, 1)`."""
    half = ops.floor(ops.floor(size * side) / 2)
    centre = ops.floor(size * place)
    pixels = ops.arange(size, dtype="float32")
    return ops.logical_and(pixels >= centre - half, pixels < centre + half)
