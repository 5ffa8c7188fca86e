"""The part of a cluster's worker: a process that makes one step after the other."""

import contextlib
import io
import os
import platform
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras

from tasks.data.streams import own_errors
from tasks.experiment.errors import UserError
from tasks.records.trainings import Trainings
from tasks.runs import commands
from tasks.runs.graph import Step

_ROOT = Path(__file__).parents[2]
# Environment variables that numbers follow from, to the last digit.
_OF_NUMBERS = (
    *("CUBLAS_", "JAX_", "MKL_", "NPROC", "NVIDIA_TF32_", "OMP_", "OPENBLAS_", "TF_"),
    "XLA_",
)


@dataclass(frozen=True)
class Place:
    """Where the command runs.

    Attributes:
        folder: Its current folder, from which paths may be given.
        mark: A file that is there as long as it runs.
    """

    folder: Path
    mark: Path


def environment(gpus: float) -> dict[str, str]:
    """What workers are to have of the command's environment.

    Args:
        gpus: How many a worker has, or which share of one.
    """
    found = {"KERAS_BACKEND": keras.config.backend()}
    if not gpus:  # Else it sees all of its machine.
        found["CUDA_VISIBLE_DEVICES"] = "-1"
    elif gpus < 1:  # Else JAX takes most of a GPU that others want too.
        found["XLA_PYTHON_CLIENT_MEM_FRACTION"] = f"{0.9 * gpus:.3f}"
        found["TF_FORCE_GPU_ALLOW_GROWTH"] = "true"
    own = os.environ.items()
    found |= {name: value for name, value in own if name.startswith(_OF_NUMBERS)}
    paths = [str(_ROOT), os.environ.get("PYTHONPATH", "")]
    return {**found, "PYTHONPATH": os.pathsep.join(filter(None, paths))}


_opened: dict[tuple, Trainings] = {}  # By what they are loaded by.
_devices = contextlib.ExitStack()  # Chosen as long as the process lives.


def make(step: Step, place: Place, *needed: Any) -> Any:
    """Make a step.

    Args:
        step: What to make.
        place: Where the command runs.
        *needed: What the steps that it needs gave, which were made therefore.

    Returns:
        What the step gives.

    Raises:
        UserError: If it does, or this machine is not one that has all of the command's.
    """
    try:
        # Trainings have logs of their own.
        with contextlib.redirect_stdout(io.StringIO()), own_errors():
            cells = _trainings(step.sweep, place)
            if cells.name(step.settings) != step.training:
                raise UserError(
                    "the data, or the number of devices, is another one than where "
                    "the command runs"
                )
            return step.make(cells, step.settings)
    except (UserError, OSError) as error:
        # Of which there may be kinds that do not go from one process to another.
        raise UserError(f"{error} (on {platform.node()})") from None


def _trainings(sweep, place):
    if not place.mark.exists():
        raise UserError(
            f"{place.mark.parent} is not the folder that the command has: all machines "
            "need the checkout, the data, --results and --runs at the same paths"
        )
    os.chdir(place.folder)
    (entry,) = sweep.datasets
    key = entry.task.name, *entry.arguments, sweep.results, sweep.runs
    if key not in _opened:
        if not _opened:
            commands.prepare()
            _devices.enter_context(sweep.devices())
        _opened[key] = sweep.opened[0]
    return _opened[key]
