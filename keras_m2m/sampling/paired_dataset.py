"""Batches of two data sets, row beside row."""

from typing import Any

import keras
import numpy as np

from keras_m2m.sampling.resampled_dataset import ResampledDataset


class PairedDataset(keras.utils.PyDataset):
    """Batches in which a row of one `ResampledDataset` is followed by one of another.

    For `CMO`, which pastes the second row of each pair into the first: backgrounds as
    they come, foregrounds of each class as often. Use it as
    `model.fit(**dataset.fit_arguments)`, as a `ResampledDataset`.

    Args:
        first: The data set of rows 0, 2, 4, ...
        second: That of rows 1, 3, 5, ...: of the same batches and epochs, from another
            seed.

    Raises:
        ValueError: If they are no `ResampledDataset`, differ in the size or number of
            batches, or have one seed, so that their samples would be augmented alike.

    Example:

    >>> x, y = np.zeros((12, 4), "float32"), np.repeat([0, 1], [10, 2])
    >>> first = ResampledDataset(x, y, batch_size=4)
    >>> second = ResampledDataset(x, y, batch_size=4, sampling="class", seed=1)
    >>> batch, labels = PairedDataset(first, second)[0]
    >>> batch.shape, labels.shape
    ((8, 4), (8,))
    """

    def __init__(self, first: ResampledDataset, second: ResampledDataset) -> None:
        super().__init__(workers=1)
        parts = (first, second)
        if not all(isinstance(part, ResampledDataset) for part in parts):
            raise ValueError(
                "`first` and `second` must each be a ResampledDataset. "
                f"Received: first={first!r}, second={second!r}"
            )
        batches = [
            (p.batch_size, p.shard, p.steps_per_epoch, p.first_epoch, p.epochs)
            for p in parts
        ]
        if batches[0] != batches[1] or first.seed == second.seed:
            raise ValueError(
                "`first` and `second` must have the same batch_size, shard, steps and "
                f"epochs, and different seeds. Received: {batches}, "
                f"seeds={first.seed}, {second.seed}"
            )
        self.first, self.second = first, second

    @property
    def sampling(self) -> str:
        """That of the first."""
        return self.first.sampling

    @property
    def steps_per_epoch(self) -> int:
        return self.first.steps_per_epoch

    @property
    def fit_arguments(self) -> dict:
        """Keyword arguments of `fit` that go with this dataset."""
        return {**self.first.fit_arguments, "x": self}

    def __len__(self) -> int:
        return len(self.first)

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        of_both = zip(self.first[index], self.second[index], strict=True)
        return tuple(_in_turn(one, other) for one, other in of_both)


def _in_turn(one, other):
    return np.stack([one, other], axis=1).reshape(-1, *np.shape(one)[1:])
