"""How the entries of samples spread: what to normalise them by, and units of steps."""

from typing import Any
from typing import NamedTuple

import keras
import numpy as np

from keras_m2m.checks import check_samples
from keras_m2m.checks import is_sparse

LEAST = 1e-4  # Share of the median spread; what varies less is rounding, or a unit.
_ROWS = 1000  # Of a piece: a float64 copy of all samples would take twice their memory.
_VALUES = 2**22  # Of a piece of a sparse matrix.


class Spreads(NamedTuple):
    """The mean and spread of each entry of samples, or of each channel.

    Attributes:
        mean: float64 array.
        deviation: Standard deviations, a float64 array.
        constant: bool array, where float32 cannot tell the values of an entry apart.
        hardly: bool array, where others spread 10,000 times as far, by the median.
    """

    mean: np.ndarray
    deviation: np.ndarray
    constant: np.ndarray
    hardly: np.ndarray

    @property
    def median(self) -> float:
        """The median spread of the entries that vary; 1 if none does."""
        return _median(self.deviation[~self.constant])


def spreads(x: Any, axis: int | None = None) -> Spreads:
    """How the entries of samples spread, in pieces and sums of float64.

    Args:
        x: Samples `(n, ...)`, an array or frame of numbers, or a sparse matrix of
            SciPy `(n, d)`, which is not made dense.
        axis: Of the entries or channels; None for that which networks normalise: the
            last one, or that of channels as Keras is set.

    Raises:
        ValueError: If samples are no numbers, or not finite.

    Example:

    >>> spreads([[1.0, 7.0], [3.0, 7.0]]).constant
    array([False,  True])
    """
    if is_sparse(x):
        mean, variance = _sparse_moments(x)
    else:
        x = check_samples(x, integers=True)
        mean, variance = _moments(x, _axis(x.ndim) if axis is None else axis)
    deviation = np.sqrt(variance)
    constant = variance <= 1e-14 * mean**2  # Float32 cannot tell its values apart.
    narrow = deviation < LEAST * _median(deviation[~constant])
    return Spreads(mean, deviation, constant, ~constant & narrow)


def moments(x: Any, axis: int | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Mean and variance to normalise samples by, of each entry or channel.

    For the arguments of that name of `mlp` and its like. An entry that hardly varies,
    by less than a ten-thousandth of the median spread, is only to be shifted: its
    variance counts as 1. Divided by its tiny spread, it would leave all bounds once a
    translation moved it. One that never varies must not be what a translation moves
    most either, so it counts as no narrower than the median.

    Args:
        x: Training samples `(n, ...)`, an array or frame of finite numbers, or a sparse
            matrix of SciPy, which is not made dense.
        axis: Of the entries or channels; None for that which networks normalise: the
            last one, or that of the channels of images as Keras is set.

    Returns:
        Two float64 arrays, one number for each index of `axis`.

    Raises:
        ValueError: If samples are something else.

    Example:

    >>> mean, variance = moments([[1.0, 7.0], [3.0, 7.0]])
    >>> mean.tolist(), variance.tolist()
    ([2.0, 7.0], [1.0, 1.0])
    """
    found = spreads(x, axis)
    conditions = [found.constant, found.hardly]
    divisor = np.select(conditions, [max(1.0, found.median), 1.0], found.deviation)
    return found.mean, np.square(divisor)


def standard_units(x: Any) -> np.ndarray:
    """Units by which a step of M2m means the same in all entries of samples.

    That is the standard deviation of each entry of a vector, or of each channel of
    images and of series. It is 0 where an entry hardly varies, by less than a
    ten-thousandth of the median spread: no translation then moves it.

    Args:
        x: As for `moments`.

    Returns:
        float32 array that broadcasts to a sample, as `M2mModel(units=...)` takes it.

    Raises:
        ValueError: If samples are something else, or no entry varies.

    Example:

    >>> standard_units([[0.0, 50.0, 7.0], [2.0, 90.0, 7.0]])
    array([ 1., 20.,  0.], dtype=float32)
    """
    found = spreads(x)
    units = np.where(found.constant | found.hardly, 0, found.deviation)
    units = units.astype("float32")
    if not units.any():
        raise ValueError(
            "Samples have no units where no entry varies. Received: all samples alike"
        )
    axes = len(x.shape if is_sparse(x) else np.shape(x))
    last = _axis(axes) == axes - 1
    return units if last else units.reshape(-1, *(1,) * (axes - 2))


def _axis(axes):
    """The axis that `mlp` and its like normalise; channels of series come last."""
    first = keras.config.image_data_format() == "channels_first"
    return 1 if first and axes > 3 else axes - 1


def _moments(x, axis):
    """Mean and variance over all axes except one, float64."""
    others = tuple(other for other in range(x.ndim) if other != axis)
    pieces = [x[start : start + _ROWS] for start in range(0, len(x), _ROWS)]
    size = x.size / x.shape[axis]
    mean = sum(piece.sum(axis=others, dtype="float64") for piece in pieces) / size
    centre = np.expand_dims(mean, others)
    off = (np.square(piece - centre).sum(axis=others) for piece in pieces)
    return mean, sum(off) / size


def _sparse_moments(matrix):
    """The same of the columns of a sparse matrix, from the values that it stores."""
    matrix = matrix.tocsr()
    if not matrix.has_canonical_format:  # The user's own is left as it is.
        matrix = matrix.copy()
        matrix.sum_duplicates()
    check_samples(
        np.append(matrix.data, np.zeros(1, matrix.dtype))[None], integers=True
    )
    rows, width = matrix.shape
    slices = [slice(start, start + _VALUES) for start in range(0, matrix.nnz, _VALUES)]
    parts = [(matrix.indices[part], matrix.data[part]) for part in slices]

    def summed(values_of):
        sums = (np.bincount(c, values_of(c, v), width) for c, v in parts)
        return sum(sums, start=np.zeros(width))

    mean = summed(lambda c, v: v.astype("float64")) / rows
    off = summed(lambda c, v: np.square(v - mean[c]))
    zeros = rows - np.bincount(matrix.indices, minlength=width)
    return mean, (off + zeros * mean**2) / rows


def _median(spread):
    return float(np.median(spread)) if len(spread) else 1.0
