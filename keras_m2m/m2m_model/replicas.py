"""What a step needs to know of several devices, and checks of what they are given.

On JAX a step is one program over all devices: it sees the global batch, draws once,
and only has to divide the translations among the devices itself. On
TensorFlow every replica runs the step on rows of its own, and draws its own numbers
(`keras_m2m/draws.py`).
"""

from collections.abc import Callable
from typing import Any

import keras

from keras_m2m._backend import device_count
from keras_m2m._backend import over_devices
from keras_m2m.sampling import ResampledDataset

_KERAS_BATCH_SIZE = 32


def own_part() -> tuple[int, int]:
    """`(i, parts)`: the part of a batch that this process gives; `(0, 1)` for all.

    There are others in JAX's programs of several processes.

    Example:

    >>> own_part()
    (0, 1)
    """
    distribution = keras.distribution.distribution()
    if distribution is None:
        return 0, 1
    return distribution.data_shard_id, distribution.num_processes


def divided(fn: Callable) -> Callable:
    """`fn` of tensors of as many rows, the rows divided among the devices.

    Left alone, XLA lets every device do everything that follows a sort. The
    number of rows need not be a multiple of the devices.

    Args:
        fn: Function of tensors of shape `(n, ...)`.

    Returns:
        Function of the same arguments and result.

    Example:

    >>> divided(lambda x: x + 1)(keras.ops.zeros((3,))).shape[0]
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
        _check_shard(x)
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


def _check_shard(x):
    expected = own_part()
    several = isinstance(x, ResampledDataset) and expected[1] > 1
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
