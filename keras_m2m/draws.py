"""Seeds of the numbers that models draw: apart by use, and by replica."""

from typing import Any

import keras
import numpy as np
from keras import ops

from keras_m2m._backend import replica_number

# Apart by more than the seeds that anybody counts up from.
_BETWEEN_REPLICAS = 1_000_003


class ReplicaSeedGenerator(keras.random.SeedGenerator):
    """A `SeedGenerator` that gives each replica of a step other numbers.

    `MirroredStrategy` runs the same step on all replicas from copies of the same
    state, so that their draws would be alike. The first replica, or the only one,
    draws what an ordinary `SeedGenerator` draws.

    Args:
        seed: As for `keras.random.SeedGenerator`.

    Example:

    >>> generator = ReplicaSeedGenerator(3)
    >>> keras.ops.convert_to_numpy(generator.next()).tolist()
    [3, 0]
    """

    def next(self, ordered: bool = True) -> Any:
        return for_replica(super().next(ordered), replica_number())


def spread_seed(seed: int | None, stream: int) -> int | None:
    """A seed that shares no drawn numbers with those of neighbouring seeds.

    On PyTorch, Keras seeds each draw by the sum of a seed and the number of the draw,
    so that seed 2 would draw in one step what seed 0 draws two steps later.

    Args:
        seed: Integer of at least 0, or None.
        stream: Positive integer that is another for each use of the same seed.

    Returns:
        Integer below 2**31; None for None.

    Example:

    >>> spread_seed(0, stream=1) == spread_seed(0, stream=2)
    False
    """
    if seed is None:
        return None
    return int(np.random.SeedSequence([seed, stream]).generate_state(1)[0]) // 2


def for_replica(seed: Any, replica: Any) -> Any:
    """The seed of one replica, from the seed that all of them hold.

    Args:
        seed: Integer tensor `(2,)`, as `keras.random.SeedGenerator.next` gives it.
        replica: Number of the replica, an integer or an integer scalar tensor.

    Returns:
        Tensor like `seed`; the same for replica 0.

    Example:

    >>> keras.ops.convert_to_numpy(for_replica(ops.array([3, 7]), 1)).tolist()
    [1000006, 7]
    """
    apart = ops.cast(replica, seed.dtype) * _BETWEEN_REPLICAS
    return seed + ops.stack([apart, ops.zeros_like(apart)])
