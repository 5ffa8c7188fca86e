"""What a run says of its data before it trains."""

import numpy as np

from keras_m2m.recipes.best_epoch import LEAST
from tasks.data.own.class_names import listed
from tasks.experiment.settings import Settings
from tasks.experiment.task import Data

_FEW = 5  # Samples of a class below which its recall says little.


def description(data: Data) -> str:
    """How many samples there are, in all and of a class."""
    counts = data.class_counts
    ratio = counts.max() / counts.min()
    return (
        f"{data.source}\n{counts.sum()} training samples of {len(counts)} classes, "
        f"{counts.max()} to {counts.min()} each (ratio {ratio:g}); "
        f"{_held_out(data, data.validation, 'for validation')}; "
        f"{_held_out(data, data.test, 'for the test')}"
    )


def notes_on_rare(data: Data, settings: Settings) -> list[str]:
    """What rests on few samples of a class, and what helps.

    Args:
        data: The dataset.
        settings: Those of a run on it.

    Returns:
        Sentences. A class without any sample is in none: it counts nowhere.
    """
    notes = []
    if tested := _few(data, data.test):
        which = "the" if len(tested) == 1 else "each"
        notes.append(
            f"{which} recall of {listed([*tested])} rests on {_number(tested, 'test')}:"
            f" more samples or several seeds (`python -m tasks.table "
            f"--task={settings.task} ...`) say more"
        )
    if settings.protocol != "m2m" or data.validation is None:
        return notes
    if not data.chooses_epoch:
        notes.append(
            f"fewer than {LEAST} samples of a class validate, too few to tell the best "
            "epoch by: the last one is tested"
        )
    elif few := _few(data, data.validation):
        notes.append(
            f"the tested epoch is chosen by {_number(few, 'validation')} of "
            f"{listed([*few])} among others: --protocol=field tests the last epoch "
            "instead"
        )
    return notes


def _counts(data, part):
    return np.bincount(part[1], minlength=len(data.class_names))


def _held_out(data, part, what):
    if part is None:
        return f"0 {what}"
    counts = _counts(data, part)
    low, high = counts.min(), counts.max()
    each = f"{low}" if low == high else f"{low} to {high}"
    return f"{counts.sum()} {what}, {each} a class"


def _few(data, part):
    """The classes with few samples in a part, but not none, and how many."""
    counts = zip(data.class_names, _counts(data, part), strict=True)
    return {name: count for name, count in counts if 0 < count < _FEW}


def _number(few, kind):
    """How many samples those are, of one class or of each."""
    if len(few) > 1:
        return f"fewer than {_FEW} {kind} samples"
    (count,) = few.values()
    return f"{count} {kind} sample{'s' if count > 1 else ''}"
