"""Checks of numbers, each the one keyword argument of a call."""

import math
import numbers
from collections.abc import Iterable
from typing import Any

import numpy as np

# Beyond it the square of a number is infinite in float32, in which steps compute.
LARGEST = 1e18
# Below it a number is 0 or loses digits in float32.
SMALLEST = float(np.finfo("float32").tiny)
# What int32 holds, in which backends count.
LARGEST_WHOLE = 2**31 - 1
# With more, even an array of one number a class would not be small.
MOST_CLASSES = 2**24


def check_real(low: float, high: float = LARGEST, **argument: float) -> float:
    """Return the one keyword argument as a float if it lies in `[low, high]`.

    Example:

    >>> check_real(0, 1, gamma=0.9)
    0.9
    """
    ((name, value),) = argument.items()
    if not _is_real(value) or not low <= _plain(value) <= high:
        expected = f"in [{low:g}, {high:g}]"
        if high == LARGEST:
            expected = f"of at least {low:g} and at most {high:g}"
        raise ValueError(
            f"`{name}` must be a finite number {expected}. Received: {name}={value!r}"
        )
    return float(value)


def check_positive(**argument: float) -> float:
    """Return the one keyword argument as a float if it is positive in float32.

    Example:

    >>> check_positive(step_size=0.1)
    0.1
    """
    ((name, value),) = argument.items()
    if not _is_real(value) or not SMALLEST <= _plain(value) <= LARGEST:
        raise ValueError(
            f"`{name}` must be a finite positive number, from {SMALLEST:.2g} to "
            f"{LARGEST:g}. Received: {name}={value!r}"
        )
    return float(value)


def check_whole(low: int = 1, high: float = LARGEST_WHOLE, **argument: int) -> int:
    """Return the one keyword argument if it is an integer in `low..high`.

    Example:

    >>> check_whole(steps=10)
    10
    """
    ((name, value),) = argument.items()
    # True is an integer to Python, but surely a mistake for a number of steps.
    whole = isinstance(value, numbers.Integral) and not isinstance(value, bool)
    if not whole or not low <= value <= high:
        most = "" if high == math.inf else f" and at most {high}"
        raise ValueError(
            f"`{name}` must be an integer of at least {low}{most}. "
            f"Received: {name}={value!r}"
        )
    return int(value)


def check_flag(**argument: bool) -> bool:
    """Return the one keyword argument if it is True or False.

    Example:

    >>> check_flag(unroll=True)
    True
    """
    ((name, value),) = argument.items()
    if not isinstance(value, bool | np.bool_):
        raise ValueError(f"`{name}` must be True or False. Received: {name}={value!r}")
    return bool(value)


def check_names(**argument: Any) -> list[str] | None:
    """Return the one keyword argument as a list of texts, or None.

    Example:

    >>> check_names(class_names=("cat", 1))
    ['cat', '1']
    """
    ((name, value),) = argument.items()
    if value is None:
        return None
    if np.ndim(value) == 0 or not isinstance(value, Iterable):
        raise ValueError(
            f"`{name}` must be a sequence of names, or None. Received: {name}={value!r}"
        )
    return [str(each) for each in value]


def check_bounds(bounds: Any) -> tuple[float, float] | None:
    """Return `bounds` as a pair of floats, low before high, or None.

    Example:

    >>> check_bounds((0, 1))
    (0.0, 1.0)
    """
    if bounds is None:
        return None
    row = isinstance(bounds, tuple | list) or getattr(bounds, "ndim", 0) == 1
    pair = list(bounds) if row else []
    sound = len(pair) == 2 and all(
        _is_real(value) and abs(_plain(value)) <= LARGEST for value in pair
    )
    # In float32, where neighbours in float64 may be one number.
    if not sound or not np.float32(pair[0]) < np.float32(pair[1]):
        raise ValueError(
            "`bounds` must be None or (low, high), two finite numbers with low below "
            f"high; None is for data without limits. Received: bounds={bounds}"
        )
    return float(pair[0]), float(pair[1])


def _plain(value):
    """A number of NumPy as Python's, which compares right with any other."""
    return value.item() if isinstance(value, np.generic) else value


def _is_real(value):
    """Whether this is a real number, which True is not here."""
    return isinstance(value, numbers.Real) and not isinstance(value, bool | np.bool_)
