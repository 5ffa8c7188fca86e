"""Samples that are read when they are asked for."""

import contextlib
import re

import keras
import numpy as np

from tasks.experiment.errors import UserError


class Augmented:
    """A stream of training samples as networks take them, always the same crops.

    Args:
        stream: The samples.
        augment: Makes samples of what the stream gives, with a generator for each.
        seed: Of the generators.
    """

    def __init__(self, stream, augment, seed: int) -> None:
        self.stream, self.augment, self.seed = stream, augment, seed

    def __len__(self) -> int:
        return len(self.stream)

    def __getitem__(self, rows):
        rngs = [np.random.default_rng([self.seed, row]) for row in rows]
        return self.augment(self.stream[rows], rngs)


class InOrder(keras.utils.PyDataset):
    """Batches of chosen rows one after the other, for validation and prediction.

    Args:
        samples: Array or stream `(n, ...)`.
        rows: Which of them, integers.
        batch_size: Samples per batch; the last one may have fewer.
        labels: Integers `(n,)`; None for batches of samples alone.
        part: `(i, parts)`: give the i-th of so many equal parts of each batch.
    """

    def __init__(
        self,
        samples,
        rows: np.ndarray,
        batch_size: int,
        labels: np.ndarray | None = None,
        part: tuple[int, int] = (0, 1),
    ) -> None:
        super().__init__(workers=1)
        self.samples, self.rows, self.labels = samples, rows, labels
        self.batch_size, self.part = batch_size, part

    def __len__(self) -> int:
        return -(-len(self.rows) // self.batch_size)

    def __getitem__(self, index: int):
        start = index * self.batch_size
        rows, (index, parts) = self.rows[start : start + self.batch_size], self.part
        rows = np.split(rows, parts)[index]
        x = self.samples[rows]
        return (x,) if self.labels is None else (x, self.labels[rows])


@contextlib.contextmanager
def own_errors():
    """Let a stream's `UserError` come through TensorFlow as one.

    Its pipeline, which reads the batches there, raises an error of its own instead,
    whose text holds ours.
    """
    try:
        yield
    except Exception as error:
        found = re.search(r"^UserError: (.+?)\nTraceback", str(error), re.S | re.M)
        if found is None:
            raise
        raise UserError(found[1]) from error
