"""Samples as `augment` makes them, outside of batches too."""

from collections.abc import Callable
from typing import Any

import numpy as np

from keras_m2m.checks import check_samples


class Augmented:
    """Training samples of any rows, augmented by draws that no batch has.

    For what looks at samples before training, as the choice of a step does. Each read
    begins the draws anew, so that several processes see the same.

    Args:
        x: Samples, as a `ResampledDataset` holds them.
        augment: As for `ResampledDataset`.
        each: Whether `augment` takes a list of generators, one for each sample.
        seed: Integer of at least 0.

    Example:

    >>> halved = Augmented(np.ones((3, 2)), lambda x, rng: x / 2, False, seed=0)
    >>> len(halved), halved[np.array([2])]
    (3, array([[0.5, 0.5]]))
    """

    def __init__(self, x: Any, augment: Callable, each: bool, seed: int) -> None:
        self._x, self._augment, self._each, self._seed = x, augment, each, seed

    def __len__(self) -> int:
        return len(self._x)

    def __getitem__(self, rows: np.ndarray) -> np.ndarray:
        rng = np.random.default_rng(self._seed)
        draws = rng.spawn(len(rows)) if self._each else rng
        made = self._augment(self._x[rows], draws)
        return checked_batch("augment", made, len(rows))


def checked_batch(name: str, samples: Any, number: int) -> np.ndarray:
    """Samples that another's code made, if they are what they must be.

    Args:
        name: What made them, for messages.
        samples: What it gave.
        number: How many samples were asked for.

    Raises:
        ValueError: If they are not so many, or are none of numbers that are finite.

    Example:

    >>> checked_batch("augment", np.zeros((2, 3)), 2).shape
    (2, 3)
    """
    if np.shape(samples)[:1] != (number,):
        raise ValueError(
            f"`{name}` must give as many samples as are asked for. "
            f"Received: shape={np.shape(samples)} for {number} samples"
        )
    try:
        return check_samples(samples)
    except ValueError as error:
        raise ValueError(
            f"What `{name}` gives for a batch is wrong. {error}"
        ) from error
