"""The models of the ablations of the paper's Tables 3, 4 and 5.

Each changes one step of M2m, in a subclass that overrides one method.
"""

import math
from collections.abc import Sequence

import keras
import numpy as np
from keras import ops

from keras_m2m import M2mModel
from keras_m2m import count_classes
from keras_m2m.classes import class_logits
from keras_m2m.draws import ReplicaSeedGenerator
from keras_m2m.draws import spread_seed
from keras_m2m.recipes import TrainingSet
from keras_m2m.sampling import is_stream
from tasks.experiment.errors import UserError


class FromPool(M2mModel):
    """Takes seeds from a fixed pool, each of the class that M2m drew for it.

    Args:
        *arguments: Those of `M2mModel`.
        samples: float32 array `(n, ...)`, the pool, sorted by class.
        labels: int array `(n,)`, with every class at least once.
        seed: As for `M2mModel`.
        **named: Those of `M2mModel`.
    """

    def __init__(self, *arguments, samples, labels, seed=None, **named) -> None:
        super().__init__(*arguments, seed=seed, **named)
        self._sizes = count_classes(labels, len(self.class_counts)).astype("int32")
        self._first = (np.cumsum(self._sizes) - self._sizes).astype("int32")
        # A variable: thousands of images are no constant for compiled code.
        self.pool = self.add_weight(
            shape=samples.shape, dtype="float32", trainable=False, name="pool"
        )
        self.pool.assign(samples)
        self._members = _generator(seed)

    def draw_seeds(self, x, labels):
        seeds = super().draw_seeds(x, labels)
        sizes = ops.take(ops.convert_to_tensor(self._sizes), seeds.classes)
        first = ops.take(ops.convert_to_tensor(self._first), seeds.classes)
        draws = keras.random.uniform(
            ops.shape(sizes), dtype="float32", seed=self._members
        )
        within = ops.cast(draws * ops.cast(sizes, "float32"), "int32")
        # Rounding can end a draw at the first member of the next class.
        members = first + ops.minimum(within, sizes - 1)
        return seeds._replace(samples=ops.take(self.pool, members, axis=0))


class Clean(M2mModel):
    """Translates and tests, but inserts the seed x0 as it was."""

    def replace(self, x, labels, seeds, translated, accepted):
        return super().replace(x, labels, seeds, seeds.samples, accepted)


class RandomLabels(M2mModel):
    """Labels a translation by a class that is neither its target nor that of its seed.

    Args:
        *arguments: Those of `M2mModel`.
        seed: As for `M2mModel`.
        **named: Those of `M2mModel`.

    Raises:
        ValueError: If there are fewer than three classes.
    """

    def __init__(self, *arguments, seed=None, **named) -> None:
        super().__init__(*arguments, seed=seed, **named)
        if len(self.class_counts) < 3:
            raise ValueError(
                "Labels other than the target and the seed's class need three classes "
                f"or more. Received: {len(self.class_counts)} classes"
            )
        self._labels = _generator(seed)

    def replace(self, x, labels, seeds, translated, accepted):
        x, labels = super().replace(x, labels, seeds, translated, accepted)
        others = len(self.class_counts) - 2
        new = keras.random.randint(
            ops.shape(seeds.targets), 0, others, dtype="int32", seed=self._labels
        )
        # Counted past the two that are left out, the smaller one first.
        for left_out in (
            ops.minimum(seeds.targets, seeds.classes),
            ops.maximum(seeds.targets, seeds.classes),
        ):
            new = new + ops.cast(new >= left_out, "int32")
        new = ops.where(accepted, new, ops.take(labels, seeds.rows))
        return x, ops.scatter_update(labels, seeds.rows[:, None], new)


class Self(M2mModel):
    """Takes f itself, as it is at the start of a step, in the place of g.

    Its g is a copy of f that every step brings up to date. f must return logits: the
    softmax of cosines never reaches gamma, and `M2mModel` refuses such a g.

    Args:
        f: As for `M2mModel`, a network that `keras.models.clone_model` can copy.
        g: Is not looked at.
        class_counts: As for `M2mModel`.
        **arguments: The others of `M2mModel`.
    """

    def __init__(self, f, g, class_counts, **arguments) -> None:
        super().__init__(f, keras.models.clone_model(f), class_counts, **arguments)

    def draw_seeds(self, x, labels):
        for own, of_f in zip(self.g.weights, self.f.weights, strict=True):
            own.assign(of_f)
        return super().draw_seeds(x, labels)


class NoReject(M2mModel):
    """Keeps every candidate that has a seed: R never rejects. Q stays."""

    def draw_numbers(self, size):
        generated, seed, rejected = ops.unstack(super().draw_numbers(size), 3)
        return ops.stack([generated, seed, ops.zeros_like(rejected)])


class LogMeanSoftmax(keras.layers.Layer):
    """Logits whose softmax is the mean softmax of several logits.

    Call arguments:
        logits: List of float tensors `(batch, num_classes)`, or of two classes
            `(batch, 1)`.
    """

    def call(self, logits):
        logs = ops.log_softmax(class_logits(ops.stack(logits)), axis=-1)
        return ops.logsumexp(logs, axis=0) - math.log(len(logits))


def ensemble(networks: Sequence[keras.Model]) -> keras.Model:
    """One classifier whose probabilities are the means of several classifiers'.

    Args:
        networks: Graphs of layers with the same input and output shapes, which return
            logits and share no variables. They are not copied.

    Returns:
        A `keras.Model` that returns logits, float32.
    """
    inputs = keras.Input(networks[0].inputs[0].shape[1:])
    # In models of other names, since two layers of a model may not have the same.
    parts = [
        keras.Model(network.inputs[0], network.outputs[0], name=f"part_{index}")
        for index, network in enumerate(networks)
    ]
    outputs = LogMeanSoftmax(dtype="float32")([part(inputs) for part in parts])
    return keras.Model(inputs, outputs, name="ensemble")


def teacher(networks: Sequence[keras.Model]) -> keras.Model | None:
    """The g of a method, out of as many networks as its `teachers`."""
    return ensemble(networks) if len(networks) > 1 else next(iter(networks), None)


def draw_pool(x, y, size: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Draw samples of each class, without replacement; all of a class with fewer.

    A smaller pool of the same seed is part of a larger one.

    Args:
        x: Samples `(n, ...)`.
        y: Labels `(n,)`.
        size: Samples per class.
        seed: Integer of at least 0.

    Returns:
        `(samples, labels)`, sorted by class.
    """
    rng = np.random.default_rng([seed, 1])
    rows = [rng.permutation(np.flatnonzero(y == k))[:size] for k in np.unique(y)]
    rows = np.concatenate(rows)
    return x[rows], y[rows]


def from_pool(size: int, f, g, data: TrainingSet, seed, **arguments) -> FromPool:
    """`FromPool` of as many samples of each class, as `Method.model` takes it."""
    if is_stream(data.x):
        raise UserError("A pool of seeds needs all samples in memory, not a stream")
    samples, labels = draw_pool(data.x, data.y, size, seed)
    return FromPool(
        *(f, g, data.class_counts),
        samples=samples,
        labels=labels,
        seed=seed,
        **arguments,
    )


def _generator(seed):
    """Draws that do not repeat those of an `M2mModel` with the same seed."""
    return ReplicaSeedGenerator(spread_seed(seed, stream=1))
