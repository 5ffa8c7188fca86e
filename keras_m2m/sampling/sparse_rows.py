"""Sparse samples, made dense by the batch."""

from typing import Any

import numpy as np

from keras_m2m.checks import check_samples


class SparseRows:
    """A sparse matrix of SciPy, whose rows become dense when they are asked for.

    Args:
        matrix: Sparse matrix or array `(n, d)` of any format, floating point.

    Raises:
        ValueError: If its values are not floating point or not finite, or it has no
            rows or no columns.

    Example:

    >>> import scipy.sparse
    >>> SparseRows(scipy.sparse.eye_array(3))[np.array([2, 0])]
    array([[0., 0., 1.],
           [1., 0., 0.]])
    """

    def __init__(self, matrix: Any) -> None:
        if len(matrix.shape) != 2 or 0 in matrix.shape:
            raise ValueError(
                "Sparse samples must have shape (n, d) with n and d of at least 1. "
                f"Received: x.shape={matrix.shape}"
            )
        self._matrix = matrix.tocsr()
        # With a zero, which no matrix lacks: there may be no other values.
        check_samples(np.append(self._matrix.data, np.zeros(1, matrix.dtype))[None])
        self.shape, self.dtype = matrix.shape, matrix.dtype

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, rows: np.ndarray) -> np.ndarray:
        return self._matrix[rows].toarray()
