"""Checks of plain values and of data, with errors for people.

Each raises a `ValueError` of what is wrong, what was expected and what was
received. What is inside a compiled step cannot be read, so data is checked here,
on the host, before the first step.
"""

import math
import numbers

import numpy as np
from numpy.typing import ArrayLike


def check_real(low: float, high: float = math.inf, **argument: float) -> float:
    """Return the one keyword argument if it is a finite number in `[low, high]`.

    Example:

    >>> check_real(0, 1, gamma=0.9)
    0.9
    """
    ((name, value),) = argument.items()
    if not _is_finite(value) or not low <= value <= high:
        expected = f"in [{low}, {high}]" if high < math.inf else f"of at least {low}"
        raise ValueError(
            f"`{name}` must be a finite number {expected}. Received: {name}={value}"
        )
    return value


def check_positive(**argument: float) -> float:
    """Return the one keyword argument if it is a finite number above 0.

    Example:

    >>> check_positive(step_size=0.1)
    0.1
    """
    ((name, value),) = argument.items()
    if not _is_finite(value) or not value > 0:
        raise ValueError(
            f"`{name}` must be a finite positive number. Received: {name}={value}"
        )
    return value


def check_whole(low: int = 1, **argument: int) -> int:
    """Return the one keyword argument if it is an integer of at least `low`.

    Example:

    >>> check_whole(steps=10)
    10
    """
    ((name, value),) = argument.items()
    # True is an integer to Python, but surely a mistake for a number of steps.
    whole = isinstance(value, numbers.Integral) and not isinstance(value, bool)
    if not whole or value < low:
        raise ValueError(
            f"`{name}` must be an integer of at least {low}. Received: {name}={value}"
        )
    return int(value)


def check_bounds(bounds: ArrayLike | None) -> tuple[float, float] | None:
    """Return `bounds` as a pair of floats, low before high, or None.

    Example:

    >>> check_bounds((0, 1))
    (0.0, 1.0)
    """
    if bounds is None:
        return None
    pair = np.asarray(bounds, dtype=object).reshape(-1)
    real = all(isinstance(value, numbers.Real) for value in pair)
    if len(pair) != 2 or not real or not pair[0] < pair[1]:
        raise ValueError(
            "`bounds` must be None or (low, high) with low below high. "
            f"Received: bounds={bounds}"
        )
    return float(pair[0]), float(pair[1])


def check_samples(
    x: ArrayLike, bounds: tuple[float, float] | None = None
) -> np.ndarray:
    """Return samples as an array if M2m can move them by gradient steps.

    Args:
        x: Array `(n, ...)`, floating point, finite, at least one sample.
        bounds: `(low, high)` that all values must lie in, or None.

    Example:

    >>> check_samples(np.zeros((2, 3))).shape
    (2, 3)
    """
    x = np.asarray(x)
    if x.ndim < 2 or not len(x):
        raise ValueError(
            "Samples must be an array of shape (n, ...) with n of at least 1 and one "
            f"or more axes of values. Received: x.shape={x.shape}"
        )
    if not np.issubdtype(x.dtype, np.floating):
        raise ValueError(
            "Samples must be floating point, since M2m moves them by gradient steps; "
            f"scale integer images to [0, 1]. Received: x.dtype={x.dtype}"
        )
    low, high = x.min(), x.max()
    if not np.isfinite([low, high]).all():
        raise ValueError(
            "Samples must be finite. Received: "
            f"{np.count_nonzero(~np.isfinite(x))} values of NaN or infinity in x"
        )
    if bounds is not None and not bounds[0] <= low <= high <= bounds[1]:
        raise ValueError(
            f"Samples leave bounds={bounds}, which translations would be clipped to. "
            f"Received: values from {low} to {high} in x"
        )
    return x


def check_labels(y: ArrayLike, num_classes: int | None) -> np.ndarray:
    """Return labels as an int64 vector if all lie in `0..num_classes - 1`.

    Args:
        y: Integer array `(n,)` or `(n, 1)`.
        num_classes: Number of classes K; None for as many as int64 counts.

    Example:

    >>> check_labels([[0], [1]], num_classes=2)
    array([0, 1])
    """
    y = np.asarray(y)
    if y.ndim == 2 and y.shape[1] == 1:
        y = y[:, 0]
    if y.ndim != 1 or not np.issubdtype(y.dtype, np.integer):
        raise ValueError(
            "Labels must be integers of shape (n,) or (n, 1), not one-hot; use "
            "y.argmax(axis=1) on one-hot labels. "
            f"Received: y.shape={y.shape}, y.dtype={y.dtype}"
        )
    limit = 2**63 if num_classes is None else num_classes
    if len(y) and not (y.min() >= 0 and y.max() < limit):
        raise ValueError(
            f"Labels must lie in 0..{limit - 1}, one number per class. "
            f"Received: labels from {y.min()} to {y.max()}"
        )
    return y.astype("int64")


def _is_finite(value):
    """Whether this is a real number, which True is not here, and no NaN."""
    real = isinstance(value, numbers.Real) and not isinstance(value, bool)
    return real and abs(value) < math.inf
