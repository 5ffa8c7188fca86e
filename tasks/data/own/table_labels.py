"""Which column of a table is the label, and whether it names classes."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from tasks.data.own.class_names import listed
from tasks.experiment.errors import UserError

_USUAL = ("label", "target", "class", "y")
_MOST_CLASSES = 1000  # Of numbers; more are quantities.
_FEW_ROWS = 10  # For a class on average; numbers with fewer are quantities.
_LEAST = 20  # Distinct numbers that are always classes.


def find_label(names: Sequence[str], asked: str | None, is_keel: bool, path) -> str:
    """The name of the column of labels.

    Args:
        names: Of all columns.
        asked: What the flag names, or None.
        is_keel: Whether the last column is the label.
        path: The file, for messages.

    Raises:
        UserError: If there is none, or it is not clear which it is.
    """
    if asked is not None:
        if asked in names:
            return asked
        several = [name.strip() for name in asked.split(",")]
        if len(several) > 1 and set(several) <= set(names):
            raise UserError(
                f"--label={asked}: {_SEVERAL} for several labels a row, take "
                "scikit-learn's MultiOutputClassifier, or a run for each column"
            )
        raise UserError(
            f"{path} holds no column {asked!r}. Its columns: {listed(names, 20)}"
        )
    if is_keel:
        return names[-1]
    usual = [name for name in names if name.lower() in _USUAL]
    if len(usual) != 1:
        found = f"{listed(usual)} may each be it" if usual else "none is called so"
        raise UserError(
            f"{path}: which column is the label? Give --label=NAME. Without it, the "
            f"one that is called {', '.join(_USUAL)}, and {found}. Its columns: "
            f"{listed(names, 20)}"
        )
    return usual[0]


_SEVERAL = "M2m trains on one class a row;"


def labels_of(column: Any, path) -> np.ndarray:
    """Labels as `array_labels.read_labels` takes them.

    Args:
        column: A pandas series.
        path: The file, for messages.

    Returns:
        Integers, booleans, floats or strings `(rows,)`; NaN or `""` for none.

    Raises:
        UserError: If values are quantities, or several labels a row.
    """
    what = f"The label {column.name!r} of {path}"
    present = column.dropna()
    kind = present.dtype.kind
    if kind in "iuf":
        _check_classes(present, what)
        if kind != "f" and len(present) == len(column):
            return column.to_numpy("int64")
        return column.to_numpy("float64", na_value=np.nan)
    if kind == "b":
        present, column = present.astype(str), column.astype(object)
    text = column.astype(object).where(column.notna(), "").map(_text).to_numpy(str)
    _check_single(np.unique(text), what)
    return text


def _text(value):
    if isinstance(value, float) and value.is_integer():
        value = int(value)  # 1.0 and 1 are one class.
    return str(value).strip()


def _check_classes(values, what):
    """Refuse quantities, which regression predicts."""
    count = values.nunique()
    whole = bool((values == np.rint(values)).all())
    many = count > _LEAST and count > len(values) / _FEW_ROWS
    if whole and not many and count <= _MOST_CLASSES:
        return
    raise UserError(
        f"{what} holds {count} distinct numbers, such as {values.iloc[0]}, which looks "
        "like a quantity, and M2m is for classes: take scikit-learn's "
        "HistGradientBoostingRegressor, or make classes of ranges of it by pandas.cut"
    )


def _check_single(names, what):
    """Refuse `a;b` beside `a` and `b`, which are several labels of a row."""
    names = [name for name in names if name]
    for separator in ";|,":
        parts = {part.strip() for name in names for part in name.split(separator)}
        joined = [name for name in names if separator in name]
        if joined and len(parts) < len(names):
            raise UserError(
                f"{what} holds several labels a row, such as {joined[0]!r}. {_SEVERAL} "
                "take scikit-learn's MultiOutputClassifier, or a run for each label"
            )
    if len(names) > _MOST_CLASSES:
        raise UserError(
            f"{what} holds {len(names)} distinct texts, such as {names[0]!r}, which "
            "look like identifiers or free text. Give the column of classes by --label"
        )
