"""Checks of probabilities and their labels, and logarithms that stay finite."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from keras_m2m.checks import as_array
from keras_m2m.checks import check_labels
from keras_m2m.checks import check_same_length

# Of the sum of a row: float16 rounds a softmax of many classes about so much.
_ROUNDING = 1e-2
# scikit-learn's for float64. A probability of 0 has no logarithm.
_LEAST = np.finfo("float64").eps


def check_probabilities(**argument: ArrayLike) -> np.ndarray:
    """Return the one keyword argument if its rows are probabilities of classes.

    Args:
        **argument: Array `(n, num_classes)` of numbers in `[0, 1]` whose rows sum to 1,
            up to the rounding of float16; at least two classes and one row.

    Returns:
        float64 array `(n, num_classes)`, whose rows sum to 1.

    Raises:
        ValueError: If it is of another shape, or holds NaN or what is no probability.

    Example:

    >>> check_probabilities(p=[[0.25, 0.75]])
    array([[0.25, 0.75]])
    """
    ((name, value),) = argument.items()
    p = as_array(**{name: value})
    if p.ndim != 2 or p.shape[1] < 2 or not len(p) or p.dtype.kind not in "biuf":
        one = "; of one column, numpy.stack([1 - p, p], axis=1)" if p.ndim == 1 else ""
        raise ValueError(
            f"`{name}` must be probabilities of shape (n, num_classes), with two or "
            f"more classes and one or more rows{one}. "
            f"Received: {name}.shape={p.shape}, {name}.dtype={p.dtype}"
        )
    p = p.astype("float64")
    missing = np.count_nonzero(~np.isfinite(p).all(axis=1))
    if missing:
        raise ValueError(
            f"`{name}` must be finite: did the training diverge? Received: {missing} "
            f"of {len(p)} rows with NaN or infinity in {name}"
        )
    sums = p.sum(axis=1)
    if p.min() < -_ROUNDING or np.abs(sums - 1).max() > _ROUNDING:
        raise ValueError(
            f"`{name}` must hold probabilities in [0, 1], whose rows sum to 1: take "
            f"the softmax of logits first. Received: values from {p.min():.4g} to "
            f"{p.max():.4g}, rows that sum to {sums.min():.4g} to {sums.max():.4g}"
        )
    p = np.maximum(p, 0.0)
    return p / p.sum(axis=1, keepdims=True)


def check_labelled(y: ArrayLike, p: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    """Return labels and probabilities if they belong together.

    Args:
        y: Integers `(n,)` in `0..num_classes - 1`.
        p: Probabilities `(n, num_classes)`.

    Returns:
        int64 `(n,)` and float64 `(n, num_classes)`.

    Raises:
        ValueError: If one is not of this form, or they are not equally many.

    Example:

    >>> check_labelled([1], [[0.25, 0.75]])
    (array([1]), array([[0.25, 0.75]]))
    """
    p = check_probabilities(p=p)
    y = check_labels(y, p.shape[1])
    check_same_length(p, y)
    return y, p


def check_costs(costs: Any, num_classes: int) -> np.ndarray:
    """Return a cost matrix as float64 `(num_classes, num_classes)`.

    Args:
        costs: What each mistake costs, indexed `[true, predicted]`: finite numbers.
            Negative ones are gains.
        num_classes: Number of classes K.

    Raises:
        ValueError: If it is of another shape, not finite, or the same everywhere.

    Example:

    >>> check_costs([[0, 1], [50, 0]], 2)
    array([[ 0.,  1.],
           [50.,  0.]])
    """
    found = as_array(costs=costs)
    size = (num_classes, num_classes)
    if found.shape != size or found.dtype.kind not in "biuf":
        raise ValueError(
            f"`costs` must be numbers of shape {size}, indexed [true, predicted]. "
            f"Received: costs.shape={found.shape}, costs.dtype={found.dtype}"
        )
    found = found.astype("float64")
    if not np.isfinite(found).all():
        raise ValueError(f"`costs` must be finite. Received: costs={costs}")
    if not np.ptp(found, axis=1).any():
        raise ValueError(
            "`costs` must differ between predictions: as it is, every decision costs "
            f"the same. Received: costs={costs}"
        )
    return found


def log_probabilities(p: np.ndarray) -> np.ndarray:
    """The logarithm, of at least 2.2e-16, as in scikit-learn's `log_loss`.

    Example:

    >>> log_probabilities(np.array([0.0, 1.0])).round(2)
    array([-36.04,   0.  ])
    """
    return np.log(np.maximum(p, _LEAST))
