"""Which column of a table is the label, and whether it names classes."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from tasks.data.own.array_labels import index_labels
from tasks.data.own.array_labels import read_labels
from tasks.data.own.array_labels import tell_missing
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
    found = usual_label(names, is_keel)
    if found is None:
        usual = _usual(names)
        said = f"{listed(usual)} may each be it" if usual else "none is called so"
        raise UserError(
            f"{path}: which column is the label? Give --label=NAME. Without it, the "
            f"one that is called {', '.join(_USUAL)}, and {said}. Its columns: "
            f"{listed(names, 20)}"
        )
    return found


def usual_label(names: Sequence[str], is_keel: bool) -> str | None:
    """The label where the flag names none; None where it is not clear which it is.

    Args:
        names: Of all columns.
        is_keel: Whether the last column is the label.
    """
    if is_keel:
        return names[-1]
    usual = _usual(names)
    return usual[0] if len(usual) == 1 else None


def _usual(names):
    return [name for name in names if name.lower() in _USUAL]


_SEVERAL = "M2m trains on one class a row;"


def classes_of(
    column: Any, path, drop: bool
) -> tuple[np.ndarray, np.ndarray, list[str]]:
    """The classes of the rows of a table.

    Args:
        column: A pandas series, of labels.
        path: The file, for messages.
        drop: Whether rows without a label are left out.

    Returns:
        int64 labels, of which those without one mean nothing; bool, which have one; and
        the names of the classes.

    Raises:
        UserError: If they are no classes, or some are missing and not to be left out.
    """
    what = f"the label {column.name!r} of {path}"
    y, kept = read_labels(_values(column, path), what)
    tell_missing(kept, what, drop)
    indices, class_names = index_labels({"all": y[kept]}, None, path)
    labels = np.zeros(len(y), "int64")
    labels[kept] = indices["all"]
    return labels, kept, class_names


def _values(column, path):
    """Labels as `array_labels.read_labels` takes them.

    Integers, booleans, floats or strings; NaN or `""` for none.
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
