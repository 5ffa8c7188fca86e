"""Checks of labels, which come in many forms that are almost right."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from keras_m2m.checks.arrays import as_array

_NOT_ONE_HOT = "not one-hot; use y.argmax(axis=1)"
_MISSING = ("None", "nan", "NaT", "<NA>")  # How they are written.


def check_labels(y: ArrayLike, num_classes: int | None) -> np.ndarray:
    """Return labels as an int64 vector if all lie in `0..num_classes - 1`.

    Args:
        y: Whole numbers of shape `(n,)` or `(n, 1)`, such as 1 or 1.0, as an array,
            list or series; booleans, False for class 0, where there are two classes.
        num_classes: Number of classes K; None for as many as int64 counts.

    Example:

    >>> check_labels([[0], [1]], num_classes=2)
    array([0, 1])
    """
    y = as_array(y=y)
    if y.ndim == 2 and y.shape[1] == 1:
        y = y[:, 0]
    advice = _advice(y, num_classes)
    if advice:
        raise ValueError(
            "Labels must be integers of shape (n,) or (n, 1), one class per sample: "
            f"{advice}. Received: y.shape={y.shape}, y.dtype={y.dtype}"
        )
    _check_range(y, 2**63 if num_classes is None else num_classes)
    return y.astype("int64")


def check_label_shape(shape: tuple[int | None, ...]) -> None:
    """Raise unless labels of this shape can be one class per sample.

    For tensors, whose values compiled code cannot read.

    Example:

    >>> check_label_shape((128, 1))
    """
    if len(shape) not in (1, 2) or shape[1:] not in ((), (1,)):
        raise ValueError(
            "Labels must be integers of shape `(batch,)` or `(batch, 1)`, one class "
            f"per sample: {_NOT_ONE_HOT}. Received: labels of shape={shape}"
        )


def check_targets(y: Any) -> None:
    """Raise unless a batch has labels of a shape that they can have.

    Args:
        y: Tensor of labels, or None.

    Raises:
        ValueError: If labels are missing or not of shape `(batch,)` or
            `(batch, 1)`.

    Example:

    >>> check_targets(np.zeros((2, 1), "int32"))
    """
    if y is None:
        raise ValueError("This model trains on samples and labels. Received: y=None")
    check_label_shape(tuple(y.shape))


def _check_range(y, limit):
    # As Python's numbers, which compare right whatever their type.
    low, high = (y.min().item(), y.max().item()) if len(y) else (0, 0)
    if low >= 0 and high < limit:
        return
    shift = ""
    if (low, high) == (1, limit):
        shift = f"; these look like 1..{limit}, so use y - 1"
    elif np.isin(y, (-1, 1)).all():
        shift = "; these look like -1 and 1, so use y > 0"
    raise ValueError(
        f"Labels must lie in 0..{limit - 1}, one number per class{shift}. "
        f"Received: labels from {low} to {high}"
    )


def _advice(y, num_classes):
    """What to do about labels that are no column of whole numbers, or None."""
    if y.ndim != 1:
        return _advice_on_rows(y)
    if y.dtype.kind in "iu":
        return None
    if y.dtype.kind == "b":
        two = num_classes in (None, 2)
        return None if two else f"booleans are two classes, not {num_classes}"
    if y.dtype.kind == "f":
        return _advice_on_floats(y)
    if y.dtype.kind in "SU":
        return "number names by names, y = numpy.unique(y, return_inverse=True)"
    if y.dtype.kind == "O" and any(str(value) in _MISSING for value in y):
        return "leave out the samples whose label is missing"
    return "write the classes as 0, 1, 2, ..."


def _advice_on_floats(y):
    missing = np.count_nonzero(~np.isfinite(y))
    if missing:
        return f"leave out the {missing} samples whose label is missing or infinite"
    if (y != np.rint(y)).any():
        return (
            "these have fractions: scores become classes by y > 0.5, and a quantity by "
            "numpy.digitize"
        )
    return None


def _advice_on_rows(y):
    if y.ndim != 2 or y.dtype.kind not in "biuf":
        return "take the one column that holds them"
    if not np.isin(y, (0, 1)).all():
        return (
            "if they are scores or probabilities, y.argmax(axis=1) is the likeliest "
            "class; if they are several targets, take one column"
        )
    if (y.sum(axis=1) == 1).all():
        return _NOT_ONE_HOT
    return (
        "these rows name several classes, or none: train on one column at a time, "
        "y[:, k], or make every combination a class"
    )
