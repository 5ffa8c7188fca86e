"""M2m's parameters from the paper's grid, by the validation set, with KerasTuner.

A trial is the training of a cell whose seed is none of the table's. Its score is the
balanced accuracy of its best epoch on the validation set, by which the protocol chooses
the epoch to be tested; the test set is not looked at.

With `--ray` trials are trained on a cluster, and this module only lists them and writes
down their scores. On machines that share nothing, start the same command on each with
KerasTuner's variables `KERASTUNER_TUNER_ID` (`chief`, or another name on each worker),
`KERASTUNER_ORACLE_IP` and `KERASTUNER_ORACLE_PORT` (of the chief). The chief hands out
trials and goes on when they are done; workers end there. One dataset and loss at a
time, such as `--rows=ce-m2m`, since each search is a server of its own.

Source: Kim et al., M2m (CVPR 2020), section 3.1, for the grids; KerasTuner's guide,
distributed tuning.
"""

import contextlib
import itertools
import math
import os
import sys
from collections.abc import Sequence
from pathlib import Path

import keras_tuner
from tqdm import tqdm

from tasks.experiment.errors import UserError
from tasks.experiment.settings import Settings
from tasks.records import records
from tasks.records.identity import about_data
from tasks.records.trainings import Trainings

GRID = {"beta": (0.9, 0.99, 0.999), "lam": (0.01, 0.1, 0.5), "gamma": (0.9, 0.99)}
_ID = "KERASTUNER_TUNER_ID"
_SCORE = "val_balanced_accuracy"


def is_distributed() -> bool:
    """Whether this process is KerasTuner's chief or one of its workers."""
    return _ID in os.environ


def tune(cells: Trainings, settings: Settings) -> dict[str, float]:
    """The values of the grid that do best on validation; searched once, then found.

    Args:
        cells: Of the dataset.
        settings: A method that translates, a loss, and the seed to tune with.

    Returns:
        A value by name. Of equal scores the first in the order of the grid counts.

    Raises:
        UserError: If the protocol keeps no validation set.
    """
    record = _searched(cells, settings)
    if record is None:
        record = _write(cells, settings, _search(cells, _free(settings)))
    return _best(record)


def trials_left(cells: Trainings, settings: Settings) -> list[Settings]:
    """The trials of a search, for who makes it without KerasTuner; then comes `keep`.

    Args:
        cells: As for `tune`.
        settings: As for `tune`.

    Returns:
        In the order of the grid; nothing if the search was made before.

    Raises:
        UserError: If the protocol keeps no validation set.
    """
    if _searched(cells, settings) is not None:
        return []
    return [settings.replace(**point) for point in _points()]


def keep(cells: Trainings, settings: Settings, scores: Sequence[float]) -> None:
    """Write down a search as `tune` does.

    Args:
        cells: As for `tune`.
        settings: As for `tune`.
        scores: What `Trainings.validate` gave for each of `trials_left`.
    """
    scored = zip(_points(), scores, strict=True)
    _write(cells, settings, [{**point, _SCORE: score} for point, score in scored])


def _points():
    return [dict(zip(GRID, values)) for values in itertools.product(*GRID.values())]


def _free(settings):
    return settings.replace(**dict.fromkeys(GRID))


def _searched(cells, settings):
    if cells.data.validation is None:
        raise UserError(
            f"--tune needs a validation set, and {settings.task} with "
            f"--protocol={settings.protocol} keeps none"
        )
    return cells.find(_free(settings), prefix="tuned-")


def _write(cells, settings, trials):
    free = _free(settings)
    record = {**cells.configuration(free), "commit": cells.commit}
    record |= {**about_data(cells.data, free), "trials": trials}
    cells.results.mkdir(parents=True, exist_ok=True)
    records.write(cells.results / f"tuned-{cells.name(free)}.json", record)
    return record


def found(results: Path, settings: Settings) -> dict[str, float]:
    """What `tune` has found before, of whatever backend and data.

    Args:
        results: Folder with the results of all tasks.
        settings: As for `tune`.

    Returns:
        As `tune`; empty if there is nothing.
    """
    free = _free(settings)
    record = records.find(results, free, prefix="tuned-")
    return {} if record is None else _best(record)


def _best(record):
    trials = record["trials"]
    best = max(trials, key=lambda trial: trial[_SCORE])  # The first of equal ones.
    if not best[_SCORE]:
        raise UserError("--tune: every trial diverged. Try a lower --learning_rate")
    return {name: best[name] for name in GRID}


def _search(cells, settings):
    """`[{name: value, ..., score}]` of all trials, in the order of the grid."""
    space = keras_tuner.HyperParameters()
    for name, values in GRID.items():
        space.Choice(name, list(values))
    folder = cells.runs / "tuning" / cells.name(settings)
    if is_distributed():  # Machines share nothing but what KerasTuner hands out.
        runs = cells.runs.parent / os.environ[_ID]
        cells = Trainings(cells.task, cells.data, cells.results.parent, runs)
    oracle = keras_tuner.oracles.GridSearchOracle(
        objective=keras_tuner.Objective(_SCORE, "max"), hyperparameters=space
    )
    oracle.verbose = 0  # Its own table of each trial.
    trials = math.prod(map(len, GRID.values()))
    name = f"tuning {settings.task}, {settings.loss}"
    bar = tqdm(total=trials, desc=name, unit="trial", file=sys.stderr)
    try:
        with bar, contextlib.redirect_stdout(sys.stderr):
            _Tuner(cells, settings, folder, oracle, bar).search()
    except keras_tuner.errors.FatalError as error:
        raise error.__cause__ from None
    if "chief" not in os.environ.get(_ID, "chief"):
        print("No trial is left for this worker; the chief goes on")
        sys.exit()
    done = [
        {**trial.hyperparameters.values, _SCORE: trial.score}
        for trial in oracle.get_best_trials(len(oracle.trials))
    ]
    return sorted(done, key=lambda trial: [trial[name] for name in GRID])


class _Tuner(keras_tuner.engine.base_tuner.BaseTuner):
    """Trains a cell per trial."""

    def __init__(self, cells, settings, folder, oracle, bar):
        self.cells, self.settings, self.bar = cells, settings, bar
        # KerasTuner 1.4 cannot go on with a grid that it reloads (it raises KeyError).
        # It begins anew, and cells that are done are found.
        super().__init__(
            oracle, directory=str(folder), project_name="trials", overwrite=True
        )

    def run_trial(self, trial):
        own = self.settings.replace(**trial.hyperparameters.values)
        try:
            score = self.cells.validate(own)
        except Exception as error:  # Else KerasTuner notes it and goes on.
            raise keras_tuner.errors.FatalError(str(error)) from error
        self.bar.update()
        return {_SCORE: score}
