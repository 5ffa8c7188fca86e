"""Tasks that go wrong in the workers of a cluster, one way or another."""

import dataclasses
import os
import pathlib
import signal
import sys

if "pytest" not in sys.modules and os.environ["KERAS_BACKEND"] != "tensorflow":
    sys.modules["tensorflow"] = None  # A worker is ready in half the time.

from helpers import killed_runs
from helpers import tiny

KILLED = "killed"


def blobs(settings):
    """Data that is augmented; who loads it leaves a file in `--data_dir`."""

    def noisy(x, rng):
        return x + 0.1 * rng.standard_normal(x.shape, "float32")

    with (pathlib.Path(settings.data_dir) / str(os.getpid())).open("a") as file:
        file.write("loaded\n")
    return dataclasses.replace(tiny.blobs(settings), augment=noisy)


def deadly_blobs(settings):
    """The same data. A process that trains M2m by it is killed once, in the middle."""
    data, loads = blobs(settings), pathlib.Path(settings.data_dir)

    def noisy(x, rng):
        if not (loads / KILLED).exists() and _is_in_the_middle(loads.with_name("runs")):
            (loads / KILLED).touch()
            os.kill(os.getpid(), signal.SIGKILL)
        return data.augment(x, rng)

    return dataclasses.replace(data, augment=noisy)


def _is_in_the_middle(runs):
    """Whether this process is at M2m, and has saved an epoch of its second phase."""
    for path in runs.glob("tiny/m2m-ce-seed0-*/checkpoints/epoch-*.npz"):
        holder = (path.parents[1] / "lock.holder").read_text()
        own = holder.startswith(f"process {os.getpid()} ")
        if own and int(path.stem.removeprefix("epoch-")) > 4:
            return True
    return False


def other_blobs(settings):
    """In each process others."""
    names = ["right", "left", f"top of {os.getpid()}"]
    return dataclasses.replace(tiny.blobs(settings), class_names=names)


def deadly(data, head, settings):
    os._exit(1)


# The network has all kinds of state: moving statistics, and a random generator.
TASK = dataclasses.replace(tiny.TASK, load=blobs, build=killed_runs.build)
KILLED_ONCE = dataclasses.replace(TASK, load=deadly_blobs)
OTHER_DATA = dataclasses.replace(tiny.TASK, load=other_blobs)
DEADLY = dataclasses.replace(tiny.TASK, build=deadly)
