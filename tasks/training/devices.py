"""The devices that a run trains on: one, or with --distribute all that there are.

Below this module nobody asks for devices: what is built, loaded and trained inside
`chosen_devices` is on them. There are as many as the backend sees: on TensorFlow all
logical GPUs, or else all logical CPUs, of which there is one unless the program made
more; on JAX all of `keras.distribution.list_devices()`. Environment variables such as
`CUDA_VISIBLE_DEVICES`, or JAX's `XLA_FLAGS`, hide devices or make them.

Several processes, which JAX alone can have (`hosts.py`), share theirs in trainings. All
else is then done by process 0, on its first device.
"""

import contextlib
import functools
import gc
import os

import keras
import numpy as np

import keras_m2m
from keras_m2m.sampling import is_stream
from tasks.data.streams import InOrder
from tasks.data.whole_files import aside
from tasks.experiment.errors import UserError
from tasks.training import hosts

# Environment variables of the libraries that backends compute with.
_THREADS = (
    *("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"),
    *("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS", "NPROC"),
)
BATCH_SIZE = 512  # For predictions and streamed validation.


@contextlib.contextmanager
def chosen_devices(settings):
    """Build, load, train and evaluate inside this.

    Args:
        settings: `Settings`, of which `distribute`, `batch_size`, `jit_compile` and
            `steps_per_execution` count.

    Yields:
        Whether this process does the work: another one is to follow the orders of that.

    Raises:
        UserError: If the backend or the settings do not allow several devices, or the
            backend several steps at once.
    """
    if settings.steps_per_execution > 1 and keras.config.backend() == "torch":
        raise UserError(
            "Keras takes one step at a time with PyTorch. "
            f"Received: --steps_per_execution={settings.steps_per_execution}"
        )
    if not settings.distribute:
        yield True
        return
    if hosts.are_several():
        with _of_several_processes(settings) as leads:
            yield leads
        return
    scope, names = _all_devices()
    if len(names) == 1:
        print(f"--distribute: {names[0]} is the only device, so it changes nothing")
        yield True
        return
    _check(settings, len(names))
    print(f"--distribute: {len(names)} devices, {', '.join(names)}", flush=True)
    with scope():
        yield True


@contextlib.contextmanager
def _of_several_processes(settings):
    if keras.config.backend() != "jax":
        raise UserError(
            "--distribute in several processes needs KERAS_BACKEND=jax. "
            f"Received: KERAS_BACKEND={keras.config.backend()}, which trains in one "
            "process, and variables of SLURM, Open MPI or KERAS_DISTRIBUTION_* that "
            "say there are more"
        )
    with hosts.joined() as team:
        _check(settings, len(team.devices))
        print(
            f"--distribute: {len(team.devices)} devices of {team.number} processes; "
            f"this is process {team.index}{'' if team.leads else ', which follows'}",
            flush=True,
        )
        yield team.leads


def count() -> int:
    """The number of devices that trainings are on where this is called."""
    if keras.config.backend() == "tensorflow":
        import tensorflow as tf

        return tf.distribute.get_strategy().num_replicas_in_sync
    if hosts.team() is not None:
        return len(hosts.team().devices)
    distribution = keras.distribution.distribution()
    return 1 if distribution is None else distribution.num_model_replicas


def threads() -> dict[str, int | str]:
    """What the number of threads that a backend computes with follows from.

    Sums are divided among them, so that another number rounds differently.
    """
    has_affinity = hasattr(os, "sched_getaffinity")
    cores = len(os.sched_getaffinity(0)) if has_affinity else os.cpu_count()
    given = {name: os.environ[name] for name in _THREADS if name in os.environ}
    return {"cores": cores, **given}


def clear_session() -> None:
    """`keras.utils.clear_session` that leaves the chosen devices chosen.

    It collects garbage: not each time through all that the first training imported.
    """
    if keras.config.backend() == "tensorflow" and count() > 1:
        gc.collect()  # All else would take the scope of the devices along.
        return
    distribution = keras.distribution.distribution()
    keras.utils.clear_session()
    keras.distribution.set_distribution(distribution)
    _set_aside()


@functools.cache
def _set_aside():
    gc.freeze()


def _all_devices():
    """What makes a scope of all devices, and their names."""
    if keras.config.backend() == "jax":
        names = keras.distribution.list_devices()
        return lambda: keras.distribution.DataParallel(devices=names).scope(), names
    if keras.config.backend() == "tensorflow":
        import tensorflow as tf

        devices = tf.config.list_logical_devices
        names = [device.name for device in devices("GPU") or devices("CPU")]
        return lambda: _strategy(*names).scope(), names
    raise UserError(
        "--distribute: keras_m2m trains on one device with PyTorch. Several devices "
        "need KERAS_BACKEND=jax or KERAS_BACKEND=tensorflow"
    )


@functools.cache
def _strategy(*names):
    # One for the process: a second one counts its collective operations from the
    # same start, and TensorFlow would take them for those of the first.
    import tensorflow as tf

    return tf.distribute.MirroredStrategy(names)


def _check(settings, devices):
    if settings.batch_size % devices:
        raise UserError(
            f"--batch_size={settings.batch_size} does not divide by the {devices} "
            "devices of --distribute"
        )
    if settings.jit_compile == "true" and keras.config.backend() == "tensorflow":
        raise UserError(
            "--jit_compile=true does not go with --distribute on TensorFlow, whose "
            "XLA cannot compile a step on several devices"
        )


def prepared(network: keras.Model) -> keras.Model:
    """The network, its batch statistics those of the batch over all devices.

    On JAX they are anyway, since a step is one program over all devices.
    """
    if count() > 1 and keras.config.backend() == "tensorflow":
        keras_m2m.synchronize_batch_norm(network)
    return network


def save(network: keras.Model, path) -> None:
    """Save a network so that it loads on every backend and on one device.

    Args:
        network: The network.
        path: `pathlib.Path` of a `.keras` file, which is there as a whole or not.
    """
    keras_m2m.synchronize_batch_norm(network, False)
    with aside(path) as part:
        network.save(part)


def divisible(data):
    """Samples and labels, repeated until they divide by the devices.

    All are repeated equally often, so that no mean and no recall changes.

    Args:
        data: `(x, y)`, or None.

    Returns:
        What `fit` takes as `validation_data`, or None.
    """
    if data is None:
        return None
    samples, labels = data
    times = count() // np.gcd(len(labels), count())
    rows = np.tile(np.arange(len(labels)), times)
    if is_stream(samples) or hosts.team() is not None:
        return InOrder(samples, rows, whole(BATCH_SIZE), labels, hosts.part())
    return data if times == 1 else (samples[rows], labels[rows])


def predict(network: keras.Model, samples) -> np.ndarray:
    """What `network.predict` gives, for a number of samples that need not divide.

    Args:
        network: The network.
        samples: Array or stream `(n, ...)`.

    Returns:
        float32 array `(n, num_classes)`.
    """
    rows = np.arange(-(-len(samples) // count()) * count()) % len(samples)
    batches = InOrder(samples, rows, whole(BATCH_SIZE))
    return network.predict(batches, verbose=0)[: len(samples)]


def whole(batch_size: int) -> int:
    """The largest multiple of the number of devices up to a batch size."""
    return max(batch_size // count(), 1) * count()
