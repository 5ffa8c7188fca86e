"""Columns that must not be features: identifiers, and what gives the label away."""

from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any

import numpy as np

from tasks.data.own.class_names import listed
from tasks.experiment.errors import UserError

_LEAST_ROWS = 10  # Of fewer rows any column may look like an identifier.
_MOST_VALUES = 1000  # That are each seen with one class.


def without_identifiers(frame: Any, named: Sequence[str], path) -> Any:
    """A frame without columns that are named as identifiers; others are noted.

    Args:
        frame: Of features and labels.
        named: What `--id` names.
        path: The file, for messages.

    Raises:
        UserError: If there is no such column.
    """
    unknown = [name for name in named if name not in frame.columns]
    if unknown:
        raise UserError(
            f"--id: {path} holds no column {listed(unknown)}. Its columns: "
            f"{listed([*frame.columns], 20)}"
        )
    return frame.drop(columns=[*named])


def note_on_identifiers(features: Any, kinds: Mapping[str, str]) -> list[str]:
    """Which columns look like identifiers, as a sentence: no value comes twice.

    Args:
        features: A frame.
        kinds: What its columns hold, as `TablePreprocessor.kinds_` says it.
    """
    if len(features) < _LEAST_ROWS:
        return []
    found = [
        name
        for name, column in features.items()
        # Measurements, which are floats, and dates may well be all different.
        if column.dtype.kind in "iuO" and kinds[name] != "date" and column.is_unique
    ]
    if not found:
        return []
    return [
        f"{listed(found)}: each row has a value of its own, as identifiers have. "
        f"--id={','.join(found[:5])} leaves such columns out"
    ]


def check_no_leakage(features: Any, labels: np.ndarray, path) -> list[str]:
    """Refuse columns that say the label in other words.

    Args:
        features: A frame.
        labels: int64 labels of its rows.
        path: The file, for messages.

    Returns:
        A sentence on columns that settle the label, if there are any.

    Raises:
        UserError: If the values of a column map one-to-one to classes.
    """
    classes = len(np.unique(labels))
    same, settling = [], []
    for name in features:
        values = _classes_by_value(features[name], labels, classes)
        if values is not None:
            (same if values == classes else settling).append(name)
    if same:
        raise UserError(
            f"{path}: {listed(same)}: each value goes with one class and each class "
            "with one value, so the label is known from it. If it is known only with "
            f"the label, leave it out by --id={','.join(same[:5])}; if before, a rule "
            "predicts the label, and nothing needs to be trained"
        )
    if not settling:
        return []
    return [
        f"{listed(settling)}: each value goes with one class alone, in all rows. If "
        f"that is known only with the label, leave it out by "
        f"--id={','.join(settling[:5])}"
    ]


def _classes_by_value(column, labels, classes):
    """How many values a column has if each goes with one class, else None."""
    import pandas

    # Of many values few rows each, chance alone settles some labels.
    most = max(classes, min(len(labels) // _LEAST_ROWS, _MOST_VALUES))
    if column.iloc[: 10 * most].nunique() > most:  # Quick, for a long table.
        return None
    codes, values = pandas.factorize(column, use_na_sentinel=False)
    if not classes <= len(values) <= most:
        return None
    pairs = np.unique(codes.astype("int64") * classes + labels)
    return len(values) if len(pairs) == len(values) else None
