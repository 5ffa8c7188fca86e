"""A program: one run in peace, and the same one killed twice and begun again.

    PYTHONPATH=.:tests python tests/helpers/killed_runs.py FOLDER

The runs are processes of their own, forked once all is imported, which saves the time
of importing it four times. Leaves FOLDER/whole, FOLDER/killed, and FOLDER/cut_off, a
copy of the latter after the first kill. On JAX and PyTorch they have no TensorFlow.
"""

import dataclasses
import gc
import os
import pathlib
import shutil
import signal
import sys
import time

import keras

if __name__ == "__main__" and keras.config.backend() != "tensorflow":
    sys.modules["tensorflow"] = None  # As where it is not installed.

from helpers import tiny
from tasks.runs import runner

# Which training must have saved how many epochs before the next kill: in phase 1, which
# g has alike, and in phase 2 (epochs 4 to 7).
KILLS = [("starts/erm-ce-seed0", 2), ("m2m-ce-seed0", 6)]


def slow_blobs(settings):
    """The tiny data, at a pace that leaves time to be killed."""

    def wait(x, rng):
        time.sleep(0.02)
        return x + 0.1 * rng.standard_normal(x.shape, "float32")

    return dataclasses.replace(tiny.blobs(settings), augment=wait)


def build(data, head, settings):
    """A network with all kinds of state: moving statistics and a random generator."""
    layers = [
        keras.layers.Dense(8, "relu"),
        keras.layers.BatchNormalization(),
        keras.layers.Dropout(0.2, seed=settings.seed),
    ]
    return keras.Sequential([keras.Input((2,)), *layers, keras.layers.Dense(3)])


TASK = dataclasses.replace(tiny.TASK, load=slow_blobs, build=build)


def settings(folder, **changes):
    return tiny.settings(
        epochs=8, defer_epoch=4, batch_size=8, out_dir=str(folder), **changes
    )


def started(folder):
    """The number of a process that runs the task."""
    process = os.fork()
    if process:
        return process
    runner.run(TASK, settings(folder))
    sys.stdout.flush()
    os._exit(0)


def checkpoints(folder, training):
    """The checkpoints of a training of a run, the oldest first."""
    found = (folder / "trainings" / "tiny").glob(f"{training}-*/checkpoints/*.npz")
    return sorted(found, key=lambda path: path.name)


def wait_for(folder, training, epochs, process):
    """Waits for a checkpoint of so many epochs, or more if this process was slow."""
    while not any(
        int(path.stem.removeprefix("epoch-")) >= epochs
        for path in checkpoints(folder, training)
    ):
        if os.waitpid(process, os.WNOHANG)[0]:
            sys.exit(f"the run ended before {training} had {epochs} epochs")
        time.sleep(0.005)
    time.sleep(0.05)  # Into the epoch that follows.


def main(folder):
    gc.freeze()  # Each training collects garbage: not through all that imports left.
    os.waitpid(started(folder / "whole"), 0)
    for i, (training, epochs) in enumerate(KILLS):
        process = started(folder / "killed")
        wait_for(folder / "killed", training, epochs, process)
        os.kill(process, signal.SIGKILL)
        _, status = os.waitpid(process, 0)
        if not os.WIFSIGNALED(status):
            sys.exit(f"the run was too fast to be killed after {epochs} epochs")
        if i == 0:
            shutil.copytree(folder / "killed", folder / "cut_off")
    os.waitpid(started(folder / "killed"), 0)


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))
