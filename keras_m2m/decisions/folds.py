"""Folds of held-out samples, to see what a choice is worth on others than its own."""

import numpy as np

FOLDS, REPEATS = 5, 2


def stratified_folds(y: np.ndarray, repeats: int = REPEATS) -> np.ndarray:
    """The fold of each sample, as many of each class in each as can be.

    Args:
        y: Classes `(n,)`.
        repeats: Ways to fold them.

    Returns:
        int64 `(repeats, n)`, folds from 0 to 4; the same for the same labels.

    Example:

    >>> np.bincount(stratified_folds(np.zeros(10, "int64"))[0])
    array([2, 2, 2, 2, 2])
    """
    rng = np.random.default_rng(0)
    folds = np.empty((repeats, len(y)), "int64")
    for fold in folds:
        # A class begins where the last one ended: rare ones do not all meet in fold 0.
        order = rng.permutation(len(y))
        fold[order[np.argsort(y[order], kind="stable")]] = np.arange(len(y)) % FOLDS
    return folds
