"""Batches of samples, instance- or class-balanced."""

import math
from collections.abc import Callable
from collections.abc import Mapping
from typing import Any

import keras
import numpy as np
from numpy.typing import ArrayLike

from keras_m2m.checks import check_labels
from keras_m2m.checks import check_same_length
from keras_m2m.checks import check_samples
from keras_m2m.checks import check_weights
from keras_m2m.checks import check_whole
from keras_m2m.checks import is_sparse
from keras_m2m.imbalance import check_class_counts
from keras_m2m.sampling.augmentation import Augmented
from keras_m2m.sampling.augmentation import checked_batch
from keras_m2m.sampling.one_ahead import OneAhead
from keras_m2m.sampling.sparse_rows import SparseRows

# A batch larger than the data is a mistake, unless small data is repeated.
_LARGE_BATCH = 2**20
# The order of an epoch is kept in memory, 8 bytes a row.
_MOST_ROWS = 2**28


class ResampledDataset(keras.utils.PyDataset):
    """Batches from arrays, in an order that follows from `(seed, epoch)` alone.

    `"instance"` goes through a random permutation, so that every sample comes
    once an epoch. `"class"` draws a class uniformly and then one of its samples,
    with replacement. All batches are full, so that shapes stay the same; the last
    one of a permutation is filled from the next.

    It holds all batches of the epochs `first_epoch` to `epochs - 1`, one after
    the other, and counts nothing, so a run can start again at any epoch and see
    the same batches. Use it as `model.fit(**dataset.fit_arguments)`. While a step
    runs, the next batch is augmented or read in a thread; `augment` and a stream are
    never used by two threads at once.

    Args:
        x: Samples `(n, ...)`, floating point and finite, as an array, list or frame;
            a sparse matrix of SciPy, whose rows are made dense by the batch; or a
            stream, for data that does not fit into memory: an object with a length
            that reads the samples of an index array as `x[rows]`, in the form that
            `augment` makes floating-point samples of.
        y: Labels, whole numbers of shape `(n,)` or `(n, 1)` in `0..num_classes - 1`.
        batch_size: Samples per batch, at most a million or as many as there are.
        sampling: `"instance"` or `"class"`.
        epochs: The epoch to stop before, as in `fit`.
        first_epoch: The epoch to start with, `initial_epoch` in `fit`.
        seed: Integer of at least 0 that the order and `augment` follow from.
        augment: Function `(samples, rng) -> samples` for a whole batch, with a
            `numpy.random.Generator`; None for none. From a stream only this process'
            part of a batch is read, and `rng` is a list of generators, one for each
            sample.
        samples_per_epoch: Samples that make an epoch; None for `n`.
        shard: `(i, parts)`: of every batch, give the i-th of so many equal parts.
            For training in several processes, each of which gives its own; the
            batches together do not depend on the number of parts.
        sample_weight: Weights of the samples in the loss, finite numbers of at least 0
            `(n,)`, which then come with each batch; or None.

    Raises:
        ValueError: If an argument is outside its range, samples are not floating
            point or not finite, labels do not fit, a class up to the largest label has
            no sample, or batches do not divide by the parts of `shard`; from a batch,
            if `augment` or a stream gives other than so many finite samples.

    Example:

    >>> x, y = np.zeros((12, 4), "float32"), np.repeat([0, 1], [10, 2])
    >>> dataset = ResampledDataset(x, y, batch_size=8, sampling="class", epochs=5)
    >>> dataset.steps_per_epoch, len(dataset), dataset[0][0].shape
    (2, 10, (8, 4))

    Source: Kim et al., M2m (CVPR 2020), section 2.3, footnote 1.
    """

    def __init__(
        self,
        x: Any,
        y: ArrayLike,
        batch_size: int = 128,
        sampling: str = "instance",
        epochs: int = 1,
        first_epoch: int = 0,
        seed: int = 0,
        augment: Callable | None = None,
        samples_per_epoch: int | None = None,
        shard: tuple[int, int] = (0, 1),
        sample_weight: ArrayLike | None = None,
    ) -> None:
        # With several, Keras would begin at the first batch again in each epoch.
        super().__init__(workers=1)
        # `augment` gets whole batches of sparse samples, as it does of arrays.
        self._streamed = is_stream(x) and not is_sparse(x)
        self.x = _samples(x)
        self.y = check_labels(y, None)
        check_same_length(self.x, self.y)
        most = max(_LARGE_BATCH, len(self.x))
        self.batch_size = check_whole(1, most, batch_size=batch_size)
        self.shard = _check_shard(shard, self.batch_size)
        self.sampling = _check_sampling(sampling)
        self.first_epoch = check_whole(0, first_epoch=first_epoch)
        self.epochs = check_whole(self.first_epoch, epochs=epochs)
        self.seed = check_whole(0, math.inf, seed=seed)
        self.sample_weight = check_weights(sample_weight, self.y)
        self.augment = _check_augment(augment)
        samples = len(self.x) if samples_per_epoch is None else samples_per_epoch
        most = max(_MOST_ROWS, len(self.x))
        samples = check_whole(1, most, samples_per_epoch=samples)
        self.steps_per_epoch = -(-samples // self.batch_size)
        self._by_class = np.argsort(self.y, kind="stable")
        self._class_counts: Any = _count(self.y) if sampling == "class" else None
        self._kept = None, None
        # TensorFlow's pipeline has a thread of its own, and rows of an array are there
        # before another thread has begun.
        made = self.augment is not None or is_stream(self.x)
        ahead = made and keras.config.backend() != "tensorflow"
        self._ahead = OneAhead(len(self)) if ahead else None

    @property
    def fit_arguments(self) -> dict:
        """Keyword arguments of `fit` that go with this dataset.

        Without them Keras would shuffle the batches, which mixes epochs up. So would
        a `steps_per_execution` in `compile` that does not divide `steps_per_epoch`:
        Keras fills the last execution of an epoch with steps of the next.
        """
        return {
            "x": self,
            "steps_per_epoch": self.steps_per_epoch,
            "initial_epoch": self.first_epoch,
            "epochs": self.epochs,
            "shuffle": False,
        }

    def __len__(self) -> int:
        return self.steps_per_epoch * (self.epochs - self.first_epoch)

    def __getitem__(self, index: int) -> tuple[np.ndarray, ...]:
        # A sequence ends in an IndexError, by which loops over it end too.
        index = range(len(self))[index]
        if self._ahead is None:
            return self._batch(index)
        return self._ahead(self._batch, index)

    @property
    def augmented(self) -> Any:
        """Samples as batches have them, of the rows of an index array: `[rows]`."""
        if self.augment is None:
            return self.x
        return Augmented(self.x, self.augment, self._streamed, self.seed)

    def _batch(self, index):
        epochs_done, step = divmod(index, self.steps_per_epoch)
        epoch = self.first_epoch + epochs_done
        start = step * self.batch_size
        rows = self._order(epoch)[start : start + self.batch_size]
        part = self._part()
        batch = self._samples_of(rows, part, epoch, step), self.y[rows[part]]
        if self.sample_weight is None:
            return batch
        return *batch, self.sample_weight[rows[part]]

    def _samples_of(self, rows, part, epoch, step):
        if self.augment is None:
            own = self.x[rows[part]]
            return checked_batch("x", own, len(rows[part])) if self._streamed else own
        rng = self._augmentation_rng(epoch, step)
        # So that the draws for a sample do not depend on the parts.
        if self._streamed:
            rows, rng = rows[part], rng.spawn(self.batch_size)[part]
        made = checked_batch("augment", self.augment(self.x[rows], rng), len(rows))
        return made if self._streamed else made[part]

    def _augmentation_rng(self, epoch, step):
        # Spawned: [seed, epoch, step] would be the stream of the order where step is
        # 0, since zeros at the end of a seed do not change it.
        sequence = np.random.SeedSequence([self.seed, epoch], spawn_key=(step,))
        return np.random.default_rng(sequence)

    def _part(self):
        index, parts = self.shard
        length = self.batch_size // parts
        return slice(index * length, (index + 1) * length)

    def _order(self, epoch):
        # Only kept: still a function of the seed and the epoch alone.
        if self._kept[0] != epoch:
            self._kept = epoch, self._new_order(epoch)
        return self._kept[1]

    def _new_order(self, epoch):
        rng = np.random.default_rng([self.seed, epoch])
        total = self.steps_per_epoch * self.batch_size
        if self.sampling == "instance":
            rounds = -(-total // len(self.x))
            orders = [rng.permutation(len(self.x)) for _ in range(rounds)]
            return np.concatenate(orders)[:total]
        classes = rng.integers(len(self._class_counts), size=total)
        first = np.cumsum(self._class_counts) - self._class_counts
        within = rng.integers(self._class_counts[classes])
        return self._by_class[first[classes] + within]


def is_stream(x: Any) -> bool:
    """Whether samples are read when they are asked for, and are no array or list.

    Args:
        x: What came as samples.

    Example:

    >>> is_stream(np.zeros((2, 3))), is_stream([[0.0, 1.0]]), is_stream(range(3))
    (False, False, True)
    """
    return (
        hasattr(x, "__getitem__")
        and hasattr(x, "__len__")
        and not hasattr(x, "__array__")
        and not isinstance(x, list | tuple | str | bytes | Mapping | type)
    )


def _samples(x):
    if is_sparse(x):
        return SparseRows(x)
    return x if is_stream(x) else check_samples(x)


def _check_augment(augment):
    if augment is not None and not callable(augment):
        raise ValueError(
            "`augment` must be a function (samples, rng) -> samples, or None. "
            f"Received: augment={augment!r}"
        )
    return augment


def _check_sampling(sampling):
    if not isinstance(sampling, str) or sampling not in ("instance", "class"):
        raise ValueError(
            f'`sampling` must be "instance" or "class". Received: sampling={sampling!r}'
        )
    return sampling


def _check_shard(shard, batch_size):
    if not isinstance(shard, tuple | list) or len(shard) != 2:
        raise ValueError(f"`shard` must be (i, parts). Received: shard={shard!r}")
    index, parts = shard
    check_whole(parts=parts)
    if check_whole(0, index=index) >= parts or batch_size % parts:
        raise ValueError(
            "`shard` must be (i, parts) with i in 0..parts - 1 and a `batch_size` that "
            f"divides by parts. Received: shard={shard}, batch_size={batch_size}"
        )
    return index, parts


def _count(y):
    """Samples per class, at least one of each up to the largest label."""
    largest = y.max(initial=0)
    # Else counting would take memory for as many classes as that number says.
    if largest >= len(y) or (np.bincount(y) == 0).any():
        from_1 = len(y) and y.min() == 1
        advice = "; these look like 1, 2, ..., so use y - 1" if from_1 else ""
        raise ValueError(
            "Class-balanced sampling needs samples of every class up to the largest "
            f"label{advice}. Received: labels up to {largest} in {len(y)} samples"
        )
    return check_class_counts(np.bincount(y))
