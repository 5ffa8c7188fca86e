"""Predictions of a cell, kept beside its network for what is decided by them."""

import contextlib
import functools
from pathlib import Path

import numpy as np

from tasks.data.whole_files import aside
from tasks.experiment.recipes import REFERENCES
from tasks.experiment.settings import Settings
from tasks.records.trainings import Trainings
from tasks.training import references
from tasks.training.evaluation import Predictions
from tasks.training.evaluation import predictions_of
from tasks.training.evaluation import probabilities

FILE = "predictions.npz"


def result(trainings: Trainings, settings: Settings) -> dict:
    """The result of a cell, what it predicts kept beside its network.

    Args:
        trainings: Those on the data set.
        settings: Of the cell, which is trained if that was not done.
    """
    found = trainings.result(settings)
    if "failed" not in found:
        kept(trainings, settings)
    return found


def kept(trainings: Trainings, settings: Settings) -> Predictions:
    """What a cell predicts, from its file or, if that is gone, made again.

    Args:
        trainings: Those on the data set.
        settings: Of a cell whose result is there.
    """
    folder = trainings.folder_of_result(settings)
    found = read(folder)
    if found is None:
        found = _predicted(trainings, settings, folder)
        write(folder, found)
    return found


def _predicted(trainings, settings, folder):
    if settings.method in REFERENCES:
        reference, found, _ = trainings.references.fitted(settings)
        if settings.seed == 0:  # Which is handed on, where it is advised.
            folder.mkdir(parents=True, exist_ok=True)
            references.save(reference, folder)
        return found
    f = trainings.network_of_result(settings)
    return predictions_of(functools.partial(probabilities, f), trainings.data)


def write(folder: Path, predictions: Predictions) -> None:
    """Write predictions as a whole or not at all.

    Args:
        folder: Of the cell, which is made.
        predictions: What to write.
    """
    folder.mkdir(parents=True, exist_ok=True)
    arrays = {k: v for k, v in predictions._asdict().items() if v is not None}
    with aside(folder / FILE) as part:
        np.savez(part, **arrays)


def read(folder: Path) -> Predictions | None:
    """What `write` wrote; None where nothing is, or it is damaged."""
    # NumPy and zipfile raise many kinds for a file that they cannot read.
    with contextlib.suppress(Exception), open(folder / FILE, "rb") as file:
        # From a file that is open, since NumPy would not close one that is torn.
        archive = np.load(file, allow_pickle=False)
        validation = [archive.get(name) for name in Predictions._fields[:2]]
        return Predictions(*validation, archive["y_test"], archive["p_test"])
    return None
