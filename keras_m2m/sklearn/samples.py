"""Samples of any form as what networks take: float32 arrays, or sparse rows."""

from typing import Any

import keras
import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils.validation import validate_data

from keras_m2m.checks import is_sparse

_MOST_ROWS = 1024  # Of a batch to predict.
_LEAST_ROWS = 32  # Of vectors.
_MOST_VALUES = 2**22


def checked_samples(estimator: BaseEstimator, X: Any, reset: bool) -> Any:
    """Samples as a finite float32 array `(n, ...)` or a CSR matrix.

    Args:
        estimator: What they are for, which gets `n_features_in_`, and of frames
            `feature_names_in_`; compared with these where it has them.
        X: Array, frame, list of rows or sparse matrix.
        reset: Whether the estimator is being fitted.

    Raises:
        ValueError: If they are none; for text, with what takes it.
    """
    try:
        return validate_data(
            estimator,
            X,
            reset=reset,
            accept_sparse="csr",
            dtype=np.float32,
            allow_nd=True,
            ensure_min_samples=2 if reset else 1,
        )
    except ValueError as error:
        if "could not convert string" not in str(error):
            raise
        raise ValueError(
            f"{error}. Text is taken in frames, whose columns are read for what they "
            "hold: pandas.DataFrame(X).infer_objects()"
        ) from error


def check_alike(X: Any, expected: tuple, bounds: tuple[float, float] | None) -> None:
    """Raise unless samples are like those of `fit`.

    Args:
        X: As `checked_samples` returns them.
        expected: The shape of a batch, as the network takes it, None where a size may
            vary.
        bounds: `image_bounds` of the training samples.

    Example:

    >>> check_alike(np.zeros((3, 8, 8, 1)), (None, 8, 8, 1), (0, 1))
    """
    shape = X.shape[1:]
    fits = len(shape) == len(expected) - 1 and all(
        size in (None, own) for own, size in zip(shape, expected[1:])
    )
    if not fits:
        raise ValueError(
            f"Samples must have the shape of those that fit was given, {expected[1:]}. "
            f"Received: X.shape={X.shape}"
        )
    if bounds is not None and not bounds[0] <= X.min() <= X.max() <= bounds[1]:
        raise ValueError(
            f"Images must lie in {bounds}, as those that fit was given. "
            f"Received: values from {X.min():g} to {X.max():g}"
        )


def is_mixed_frame(X: Any) -> bool:
    """Whether this is a frame with columns of other than numbers, or missing values.

    Example:

    >>> is_mixed_frame(np.zeros((3, 2)))
    False
    """
    if not (hasattr(X, "columns") and hasattr(X, "dtypes")):
        return False
    if not all(_is_number(dtype) for dtype in X.dtypes):
        return True
    if hasattr(X, "isna"):  # pandas
        return bool(X.isna().to_numpy().any())
    return sum(X.null_count().row(0)) > 0  # polars


def _is_number(dtype):
    """Whether values of a dtype of pandas or of polars are numbers or booleans."""
    if hasattr(dtype, "kind"):
        return dtype.kind in "biuf"
    return dtype.is_numeric() or str(dtype) == "Boolean"


def is_images(X: Any) -> bool:
    """Whether samples are images, with an axis of channels."""
    return len(X.shape) == 4


def image_bounds(X: Any) -> tuple[float, float] | None:
    """What images lie in, `(0, 1)` or `(0, 255)`; None for neither, or no images.

    Example:

    >>> image_bounds(np.full((2, 8, 8, 1), 200.0))
    (0.0, 255.0)
    """
    if not is_images(X) or X.min() < 0 or X.max() > 255:
        return None
    return (0.0, 1.0) if X.max() <= 1 else (0.0, 255.0)


def outputs(network: keras.Model, X: Any) -> np.ndarray:
    """What a network returns for samples, float64 `(n, outputs)`.

    Batches are filled up to a power of two, of vectors to 32 at least: JAX compiles
    few programs then, and what a row gives does not depend on how many come with it.

    Args:
        network: One input, one output.
        X: As `checked_samples` returns them.
    """
    if not X.shape[0]:
        raise ValueError(f"Samples must be one at least. Received: X.shape={X.shape}")
    values = int(np.prod(X.shape[1:]))
    most = 1 << max(0, (_MOST_VALUES // values).bit_length() - 1)
    least = _LEAST_ROWS if X.ndim == 2 else 1
    size = min(max(least, _power_of_two(X.shape[0])), max(least, min(_MOST_ROWS, most)))
    starts = range(0, X.shape[0], size)
    parts = [_batch_outputs(network, X[start : start + size], size) for start in starts]
    return np.concatenate(parts)


def _power_of_two(number):
    return 1 << (number - 1).bit_length()


def _batch_outputs(network, rows, size):
    batch = np.zeros((size, *rows.shape[1:]), "float32")
    batch[: rows.shape[0]] = rows.toarray() if is_sparse(rows) else rows
    found = keras.ops.convert_to_numpy(network.predict_on_batch(batch))
    return found[: rows.shape[0]].astype("float64")
