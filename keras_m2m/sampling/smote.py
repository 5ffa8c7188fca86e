"""SMOTE in input space."""

import math

import numpy as np
from numpy.typing import ArrayLike

from keras_m2m.checks import as_array
from keras_m2m.checks import check_labels
from keras_m2m.checks import check_same_length
from keras_m2m.checks import check_samples
from keras_m2m.checks import check_whole

_RANDOM_STATES = 2**32


def smote(x: ArrayLike, y: ArrayLike, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Fill up every class to the size of the largest with synthetic samples.

    New samples lie between a sample and one of its 5 nearest of the same class,
    fewer where the class is smaller; a class of one sample repeats it. Integer
    samples (pixels) are rounded back to their dtype.

    Args:
        x: Samples `(n, ...)`, of any real dtype; an array, list or frame.
        y: Labels, whole numbers of at least 0, of shape `(n,)` or `(n, 1)`.
        seed: Integer of at least 0 that the result follows from.

    Returns:
        `(x, y)`: the given samples, then the new ones by class, in the dtypes
        that came in; `y` of shape `(n,)`.

    Raises:
        ImportError: If imbalanced-learn is not installed.
        ValueError: If samples are no finite numbers or are sparse, labels do not fit,
            or `seed` is negative.

    Example:

    >>> x, y = np.arange(8.0).reshape(8, 1), np.array([0] * 6 + [1] * 2)
    >>> new_x, new_y = smote(x, y)
    >>> np.bincount(new_y), bool((new_x[8:] >= 6).all() and (new_x[8:] <= 7).all())
    (array([6, 6]), True)

    Source: Chawla et al., SMOTE (JAIR 2002), by imbalanced-learn.
    """
    x, dtype = check_samples(x, integers=True), as_array(y=y).dtype
    y = check_labels(y, None)
    check_same_length(x, y)
    seed = check_whole(0, math.inf, seed=seed)
    flat = x.reshape(len(x), -1).astype("float32")
    classes, counts = np.unique(y, return_counts=True)
    xs, ys = [x], [y]
    for k, count in zip(classes, counts):
        missing = counts.max() - count
        if missing:
            state = (seed + int(k)) % _RANDOM_STATES
            new = _new_samples(flat[y == k], missing, state)
            new = np.rint(new) if x.dtype.kind in "biu" else new
            xs.append(new.reshape(-1, *x.shape[1:]).astype(x.dtype))
            ys.append(np.full(missing, k))
    return np.concatenate(xs), np.concatenate(ys).astype(dtype)


def _new_samples(members, number, random_state):
    """That many synthetic samples of a class, from its samples `(count, dim)`."""
    from imblearn.over_sampling import SMOTE

    count, dim = members.shape
    if count == 1:
        return np.repeat(members, number, axis=0)
    # Per class, since the number of neighbours depends on its size. The filler only
    # gives imbalanced-learn the second class it asks for.
    filler = np.zeros((count + number, dim), members.dtype)
    sampler = SMOTE(k_neighbors=min(5, count - 1), random_state=random_state)
    both = np.concatenate([filler, members])
    labels = np.repeat([0, 1], [len(filler), count])
    return sampler.fit_resample(both, labels)[0][len(both) :]
