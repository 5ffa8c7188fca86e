"""What a step needs to know of several devices, and checks of what they are given.

On JAX a step is one program over all devices: it sees the global batch, draws once,
and only has to divide the translations among the devices itself. On
TensorFlow every replica runs the step on rows of its own, and has to draw its own
numbers.
"""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
from keras import ops

from keras_m2m._backend import device_count
from keras_m2m._backend import over_devices
from keras_m2m._backend import replica_number
from keras_m2m.sampling import ResampledDataset

# Apart by more than the seeds that anybody counts up from.
_BETWEEN_REPLICAS = 1_000_003
_KERAS_BATCH_SIZE = 32


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


def divided(fn: Callable) -> Callable:
    """`fn` of tensors of as many rows, the rows divided among the devices.

    Left alone, XLA lets every device do everything that follows a sort. The
    number of rows need not be a multiple of the devices.

    Args:
        fn: Function of tensors of shape `(n, ...)`.

    Returns:
        Function of the same arguments and result.

    Example:

    >>> divided(lambda x: x + 1)(ops.zeros((3,))).shape[0]
    3
    """
    return lambda *tensors: fn(*map(over_devices, tensors))


def check_devices(
    model: keras.Model,
    x: Any,
    batch_size: int | None = None,
    validation_split: float = 0.0,
    **_: Any,
) -> None:
    """Raise unless the devices that hold `model` can train it on this data.

    Args:
        model: A compiled `M2mModel`.
        x: Samples `(n, ...)`, or a `ResampledDataset`. Batches of other data, whose
            size is not known beforehand, pass.
        batch_size: Rows per batch of an array, or None for Keras' 32.
        validation_split: As for `keras.Model.fit`, whose other arguments do not matter.

    Raises:
        ValueError: If f, g and the model are not on the same devices, all those of
            the `keras.distribution` that is set; if the backend cannot do what is
            asked for; if the `shard` of a dataset is not this process' part; or if
            batches do not divide by the devices.
    """
    distribution = keras.distribution.distribution()
    _check_backend(distribution)
    devices = _check_same_devices(model, distribution)
    if devices == 1:
        return
    if keras.config.backend() == "tensorflow" and model.jit_compile:
        raise ValueError(
            "TensorFlow cannot compile a step on several replicas by XLA: it has the "
            'variables of all in one program. Leave `jit_compile="auto"` in compile. '
            f"Received: jit_compile=True, replicas={devices}"
        )
    if distribution is not None:
        _check_shard(x, distribution)
        devices = max(distribution.num_model_replicas // distribution.num_processes, 1)
    for rows in _batch_sizes(x, batch_size, validation_split):
        if rows % devices:
            raise ValueError(
                "The rows of every batch must divide by the devices of this process, "
                "also those of the last batch of an array. Change `batch_size`. "
                f"Received: a batch of {rows} rows, devices={devices}"
            )


def _check_backend(distribution):
    if distribution is not None and keras.config.backend() != "jax":
        remedy = {"tensorflow": "use tf.distribute.MirroredStrategy"}
        raise ValueError(
            "keras.distribution works on the JAX backend alone; here, "
            f"{remedy.get(keras.config.backend(), 'M2mModel trains on one device')}. "
            f"Received: backend={keras.config.backend()!r}, {distribution!r}"
        )


def _check_same_devices(model, distribution):
    """The number of devices that the model, f and g are all on."""
    networks = {"M2mModel": model, "f": model.f, "g": model.g}
    counts = {name: device_count(network) for name, network in networks.items()}
    expected = counts["M2mModel"]
    if distribution is not None:
        expected = distribution.device_mesh.devices.size
    if set(counts.values()) != {expected}:
        raise ValueError(
            "f, g and M2mModel must be on the same devices: make all of them, and "
            "the optimizer, after keras.distribution.set_distribution (JAX) or in the "
            "scope of one strategy (TensorFlow). Received: devices of each: "
            f"{counts}, devices to train on: {expected}"
        )
    return expected


def _check_shard(x, distribution):
    expected = distribution.data_shard_id, distribution.num_processes
    several = isinstance(x, ResampledDataset) and distribution.num_processes > 1
    if several and tuple(x.shard) != expected:
        raise ValueError(
            "Every process must give its own part of each batch, or rows come several "
            f"times: use ResampledDataset(..., shard={expected}). Received: "
            f"shard={x.shard}"
        )


def _batch_sizes(x, batch_size, validation_split):
    """The sizes of batches, as far as they are known."""
    if isinstance(x, ResampledDataset):
        return {x.batch_size // x.shard[1]}
    if not hasattr(x, "shape"):
        return set()
    samples = int(len(x) * (1 - validation_split))
    batch_size = min(batch_size or _KERAS_BATCH_SIZE, samples)
    return {batch_size, samples % batch_size}
