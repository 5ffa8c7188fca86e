"""Checks of samples, in whatever form they come."""

from typing import Any

import keras
import numpy as np
from numpy.typing import ArrayLike

from keras_m2m.checks.scalars import LARGEST

AS_FLOATS = (
    'write them as "float32", and scale images to [0, 1] unless the networks do so'
)


def as_array(**argument: ArrayLike) -> np.ndarray:
    """Return the one keyword argument as an array in the machine's byte order.

    Takes arrays, lists, tensors, and what pandas and polars have. Objects become
    numbers or text where all of them are.

    Raises:
        ValueError: If it is sparse, masked, or rows of several lengths.

    Example:

    >>> as_array(y=[0, 1])
    array([0, 1])
    """
    ((name, value),) = argument.items()
    if is_sparse(value):
        raise ValueError(
            f"`{name}` must be dense: use {name}.toarray(). ResampledDataset takes "
            f"sparse samples as they are. Received: {name} of {type(value).__name__}"
        )
    if np.ma.is_masked(value):
        raise ValueError(
            f"`{name}` has masked values: fill them, as {name}.filled(0) does, or "
            f"leave them out. Received: {np.ma.count_masked(value)} masked values"
        )
    try:
        on_host = (
            keras.ops.convert_to_numpy if keras.ops.is_tensor(value) else np.asarray
        )
        array = on_host(value)
        if array.dtype == object:
            array = np.asarray(array.tolist())
    except (TypeError, ValueError, OverflowError) as error:
        raise ValueError(
            f"`{name}` must be an array, or rows of one length. "
            f"Received: {name} of {type(value).__name__}: {error}"
        ) from error
    return array.astype(array.dtype.newbyteorder("="), copy=False)


def is_sparse(value: Any) -> bool:
    """Whether this is a sparse matrix or array of SciPy.

    Example:

    >>> is_sparse(np.zeros((2, 3)))
    False
    """
    return hasattr(value, "tocsr") and hasattr(value, "nnz")


def check_samples(
    x: ArrayLike,
    bounds: tuple[float, float] | None = None,
    integers: bool = False,
) -> np.ndarray:
    """Return samples as an array if M2m can move them by gradient steps.

    Args:
        x: Array, list or frame `(n, ...)`, floating point, finite, at least one sample.
        bounds: `(low, high)` that all values must lie in, or None.
        integers: Whether they may be integers too, which then stay integers.

    Example:

    >>> check_samples(np.zeros((2, 3))).shape
    (2, 3)
    """
    x = as_array(x=x)
    if x.ndim < 2 or not x.size:
        raise ValueError(
            "Samples must be an array of shape (n, ...) with n of at least 1 and one "
            f"or more axes of values. Received: x.shape={x.shape}"
        )
    if not (integers and x.dtype.kind in "biu"):
        _check_floating(x)
    low, high = x.min(), x.max()
    if not np.isfinite([low, high]).all():
        raise ValueError(
            "Samples must be finite. Received: "
            f"{np.count_nonzero(~np.isfinite(x))} values of NaN or infinity in x"
        )
    _check_values(float(low), float(high), bounds)
    # No backend knows long doubles.
    return x.astype("float64") if x.dtype.itemsize > 8 else x


def check_same_length(x: Any, y: Any) -> None:
    """Raise unless there is a label for each sample.

    Example:

    >>> check_same_length([[0.0], [1.0]], [0, 1])
    """
    if len(x) != len(y):
        raise ValueError(
            "Samples and labels must be equally many. "
            f"Received: len(x)={len(x)}, len(y)={len(y)}"
        )


def check_weights(sample_weight: ArrayLike | None, y: np.ndarray) -> np.ndarray | None:
    """Return a weight for each sample as float32 `(n,)`, or None.

    Example:

    >>> check_weights([1, 0], np.array([0, 1]))
    array([1., 0.], dtype=float32)
    """
    if sample_weight is None:
        return None
    found = as_array(sample_weight=sample_weight)
    if found.shape != y.shape or found.dtype.kind not in "biuf":
        raise ValueError(
            f"`sample_weight` must be one number for each of {len(y)} samples. "
            f"Received: shape={found.shape}, dtype={found.dtype}"
        )
    found = found.astype("float32")
    if not np.isfinite(found).all() or found.min(initial=0) < 0:
        raise ValueError(
            "`sample_weight` must be finite and at least 0. Received: weights from "
            f"{found.min()} to {found.max()}"
        )
    return found


def _check_floating(x):
    if np.issubdtype(x.dtype, np.floating):
        return
    advice = AS_FLOATS
    if x.dtype.kind in "OSU":
        advice = "encode text as numbers first, and fill in what is missing"
    raise ValueError(
        "Samples must be floating point, since M2m moves them by gradient steps; "
        f"{advice}. Received: x.dtype={x.dtype}"
    )


def _check_values(low, high, bounds):
    if max(-low, high) > LARGEST:
        raise ValueError(
            "Samples must have squares that fit into float32, in which networks "
            f"compute. Received: values from {low} to {high} in x"
        )
    if bounds is not None and not bounds[0] <= low <= high <= bounds[1]:
        raise ValueError(
            f"Samples leave bounds={bounds}, which translations would be clipped to. "
            f"Received: values from {low} to {high} in x"
        )
