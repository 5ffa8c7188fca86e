"""How recall of each class grows with the training samples, of one method."""

from dataclasses import replace

import numpy as np

from keras_m2m.sampling import is_stream
from tasks.experiment.errors import UserError
from tasks.experiment.settings import Settings
from tasks.experiment.task import Data
from tasks.records.trainings import Trainings
from tasks.runs.sweep import Sweep

_PARTS = 4, 2  # Every how many samples of a class are trained on.
_FOLDER = "learning_curve"


def learning_curve(sweep: Sweep, label: str) -> dict[float, np.ndarray]:
    """Recall on the test set by the share of the training samples.

    Every class has as many times fewer samples, and trainings have as many steps as on
    all of them. Trainings on parts are kept in a folder of `sweep.runs`, and found
    again.

    Args:
        sweep: Of one dataset, which was run.
        label: Of one of its rows.

    Returns:
        By share, ascending and 1 the last: float64 `(num_classes,)`, the mean over
        seeds, NaN of a class without test samples.

    Raises:
        UserError: If samples are a stream.
    """
    ((dataset,), (own,)) = sweep.datasets, sweep.opened
    if is_stream(own.data.train[0]):
        raise UserError("--learning_curve needs all samples in memory, not a stream")
    cells = [s for row, s in sweep.settings(dataset) if row.label == label]
    place = sweep.runs / _FOLDER
    found = {}
    for parts in _PARTS:
        part = Trainings(own.task, part_of(own.data, parts), place, place / "networks")
        found[1 / parts] = _recall(part, [_longer(s, parts) for s in cells])
    return {**found, 1.0: _recall(own, cells)}


def part_of(data: Data, parts: int) -> Data:
    """The data with every so many training samples of each class, at least one.

    Of a smaller number of parts they are among the samples.

    Args:
        data: The dataset.
        parts: The number.
    """
    x, y = data.train
    rng = np.random.default_rng(0)
    rows = [rng.permutation(np.flatnonzero(y == k)) for k in range(y.max() + 1)]
    kept = np.sort(np.concatenate([own[: -(-len(own) // parts)] for own in rows]))
    # SMOTE before encoding would begin with all rows.
    return replace(data, train=(x[kept], y[kept]), smote=None)


def _longer(settings: Settings, times: int) -> Settings:
    """Settings of as many steps on fewer samples."""
    epochs = ("epochs", "defer_epoch", "mix_from", "mix_until")
    changes = {name: times * settings.values[name] for name in epochs}
    drops = [drop.partition(":") for drop in settings.drops]
    changes["drops"] = [f"{times * int(at)}:{factor}" for at, _, factor in drops]
    return settings.replace(**changes)


def _recall(trainings, cells):
    results = [trainings.result(settings) for settings in cells]
    recalls = [r["per_class_recall"] for r in results if "failed" not in r]
    unknown = np.full(len(trainings.data.class_names), np.nan)
    return np.mean(np.array(recalls, float), axis=0) if recalls else unknown
