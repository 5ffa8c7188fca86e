"""What is trained on several devices, and on one: the same, to be compared.

Run as a program, it trains on several:

    PYTHONPATH=.:tests python tests/helpers/several_devices.py CASE FOLDER

A case leaves what it found as `CASE.json` in the folder.
"""

import gc
import json
import pathlib
import sys

if __name__ == "__main__":
    import conftest  # noqa: F401  sets the environment

import keras
import numpy as np
from keras import ops

from helpers import m2m_cases
from helpers import tiny
from helpers.compilation import normal
from keras_m2m import BalancedAccuracy
from keras_m2m import M2mModel
from keras_m2m import MixingModel
from keras_m2m import Remix
from keras_m2m import ResampledDataset
from keras_m2m import Seeds
from keras_m2m import draws as streams
from keras_m2m import synchronize_batch_norm
from keras_m2m.m2m_model import replicas
from tasks.experiment.task import Task
from tasks.runs import runner
from tasks.training import devices

COUNTS = [40, 10, 6]
BATCH = 64
ON_TENSORFLOW = keras.config.backend() == "tensorflow"


def batches(batch_size=BATCH, **arguments):
    """Two epochs of two class-balanced batches."""
    labels = np.repeat(np.arange(3), COUNTS)
    images = normal(len(labels), *m2m_cases.image_shape())
    arguments = {"samples_per_epoch": 2 * batch_size, **arguments}
    return ResampledDataset(
        images, labels, batch_size, sampling="class", epochs=2, **arguments
    )


def made(kind=M2mModel, **compile_arguments):
    """A compiled M2mModel with batch normalisation, on the devices in scope."""
    f, g = m2m_cases.convolutional(1), m2m_cases.convolutional(2)
    if devices.count() > 1 and ON_TENSORFLOW:
        synchronize_batch_norm(f)
    model = kind(f, g, COUNTS, beta=0.9, gamma=0.3, steps=3, step_size=0.5, seed=3)
    arguments = {"metrics": [BalancedAccuracy(3)], **compile_arguments}
    model.compile(m2m_cases.sgd(), m2m_cases.LOSS, **arguments)
    return model


def fitted(model, data):
    """What training leaves, as lists."""
    history = model.fit(**data.fit_arguments, verbose=0).history
    networks = {"f": model.f.get_weights(), "g": model.g.get_weights()}
    weights = {name: [w.tolist() for w in ws] for name, ws in networks.items()}
    return {"history": history, **weights}


def mixed():
    """What training on mixed batches makes of f, as lists."""
    f = m2m_cases.convolutional(1)
    if devices.count() > 1 and ON_TENSORFLOW:
        synchronize_batch_norm(f)
    model = MixingModel(f, Remix(COUNTS), seed=3)
    model.compile(m2m_cases.sgd(), m2m_cases.LOSS)
    model.fit(**batches().fit_arguments, verbose=0)
    return [weight.tolist() for weight in f.get_weights()]


class InTurn(keras.random.SeedGenerator):
    """Gives the seeds of two replicas in turn."""

    calls = 0

    def next(self, ordered=True):
        replica = self.calls % 2
        self.calls += 1
        if replica == 0:
            self.base = super().next(ordered)
        return streams.for_replica(self.base, replica)


PARTS = []


class InHalves(M2mModel):
    """M2m on one device that draws in each half of a batch what a replica draws."""

    def __init__(self, *args, seed, **kwargs):
        super().__init__(*args, **kwargs)
        self._generator = InTurn(streams.spread_seed(seed, stream=2))

    def draw_seeds(self, x, labels):
        half = BATCH // 2
        rows = slice(None, half), slice(half, None)
        parts = [M2mModel.draw_seeds(self, x[part], labels[part]) for part in rows]
        PARTS[:] = parts
        moved = parts[1]._replace(rows=parts[1].rows + half)
        return Seeds(*(ops.concatenate(pair) for pair in zip(parts[0], moved)))

    def translate(self, seeds):
        return ops.concatenate([M2mModel.translate(self, part) for part in PARTS])


def build_with_norm(data, head, settings):
    """A network of the tiny task with batch normalisation."""
    layers = [keras.layers.Dense(8, "relu"), keras.layers.BatchNormalization()]
    return keras.Sequential([keras.Input((2,)), *layers, keras.layers.Dense(3)])


TASK = Task("tiny", tiny.blobs, build_with_norm, tiny.TASK.defaults, presets={})


def run_task(folder, **settings):
    """What the tiny task finds."""
    # Replicas of TensorFlow draw other numbers than one device does.
    method = "erm" if ON_TENSORFLOW else "m2m"
    # Chosen in each process, on all devices.
    step = {} if ON_TENSORFLOW else {"step_size": "auto"}
    settings = {"batch_size": 28, "method": method, **step, **settings}
    settings = tiny.settings(out_dir=str(folder), **settings)
    result = runner.run(TASK, settings).get(method)
    if result is None:  # Of a process that follows.
        return None
    keep = ("devices", "confusion_matrix", "acceptance_rate", "tested_epoch")
    return {key: result[key] for key in keep}


def message(fn, *arguments, **keywords):
    """Of the ValueError that a call ends with."""
    try:
        fn(*arguments, **keywords)
    except ValueError as error:
        return str(error)
    return "no error"


# The cases.


def jax_devices(folder):
    before, alone = made(), fitted(made(), batches())
    alone["mixed"] = mixed()
    with keras.distribution.DataParallel().scope():
        found = fitted(made(), batches())
        found["mixed"] = mixed()
        found["shards"] = rows_by_device(32)
        found["a batch of 10 rows"] = message(made().fit, **batches(10).fit_arguments)
        found["an array"] = message(made().fit, *arrays(38), batch_size=16)
        found["too early"] = message(before.fit, **batches().fit_arguments)
    found["task"] = run_task(folder / "several", distribute=True)
    return {**found, "alone": alone, "task alone": run_task(folder / "alone")}


def rows_by_device(rows):
    """How many rows each device gets of what follows a sort in compiled code."""
    import jax

    found = []

    def look(x):
        # Of 32 rows, since JAX tells no shapes of what is not evenly divided.
        inspect = jax.debug.inspect_array_sharding
        inspect(x, callback=lambda s: found.append(s.shard_shape(x.shape)[0]))
        return x

    jax.jit(lambda x: replicas.divided(look)(ops.sort(x)))(normal(rows))
    return found


def arrays(rows):
    return normal(rows, *m2m_cases.image_shape()), np.arange(rows) % 3


def tensorflow_replicas(folder):
    import tensorflow as tf

    (cpu,) = tf.config.list_physical_devices("CPU")
    two = [tf.config.LogicalDeviceConfiguration()] * 2
    tf.config.set_logical_device_configuration(cpu, two)
    with devices.chosen_devices(tiny.settings(distribute=True)):
        strategy = tf.distribute.get_strategy()
        model, other, by_xla = made(), made(), made(jit_compile=True)
        f, g = m2m_cases.convolutional(1), m2m_cases.convolutional(2)
        weights = mixed()
    found = {**fitted(model, batches()), "mixed": weights}
    found["draws"] = draws(strategy)
    found["a batch of 9 rows"] = message(other.fit, **batches(9).fit_arguments)
    found["an array"] = message(other.fit, *arrays(33), batch_size=16)
    found["XLA"] = message(by_xla.fit, **batches().fit_arguments)
    outside = M2mModel(f, g, COUNTS, step_size=0.1)
    outside.compile(m2m_cases.sgd(), m2m_cases.LOSS)
    found["outside the scope"] = message(outside.fit, **batches().fit_arguments)
    found["task"] = run_task(folder / "several", distribute=True)
    # So few steps of one device take less time than their graphs.
    tf.config.run_functions_eagerly(True)
    found["alone"] = fitted(made(InHalves), batches())
    return {**found, "task alone": run_task(folder / "alone")}


def draws(strategy):
    """What each replica draws, twice."""
    with strategy.scope():
        generator = streams.ReplicaSeedGenerator(0)

    def draw():
        return keras.random.uniform((3,), seed=generator)

    return [[v.numpy().tolist() for v in strategy.run(draw).values] for _ in range(2)]


def leave(case, folder):
    """Run a case and leave what it found."""
    gc.freeze()  # Each training collects garbage: not through all that imports left.
    found = globals()[case](folder)
    (folder / f"{case}.json").write_text(json.dumps(found))


if __name__ == "__main__":
    leave(sys.argv[1], pathlib.Path(sys.argv[2]))
