"""SMOTE in input space."""

import numpy as np


def smote(x: np.ndarray, y: np.ndarray, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Bring every class up to the largest by SMOTE in input space.

    New samples lie between a sample and one of its 5 nearest of the same class,
    fewer where the class is smaller; a class of one sample repeats it. Integer
    samples (pixels) are rounded back to their dtype.

    Args:
        x: Samples `(n, ...)`, of any real dtype.
        y: Integer labels `(n,)`.
        seed: Integer that the result follows from.

    Returns:
        `(x, y)`: the given samples, then the new ones by class, in the dtypes
        that came in.

    Raises:
        ImportError: If imbalanced-learn is not installed (`keras_m2m[smote]`).

    Example:

    >>> x, y = np.arange(8.0).reshape(8, 1), np.array([0] * 6 + [1] * 2)
    >>> new_x, new_y = smote(x, y)
    >>> np.bincount(new_y), bool((new_x[8:] >= 6).all() and (new_x[8:] <= 7).all())
    (array([6, 6]), True)

    Source: Chawla et al., SMOTE (JAIR 2002), by imbalanced-learn.
    """
    from imblearn.over_sampling import SMOTE

    counts = np.bincount(y)
    flat = x.reshape(len(x), -1).astype("float32")
    parts = [(x, y)]
    for k, count in enumerate(counts):
        missing = counts.max() - count
        if not count or not missing:
            continue
        if count == 1:
            new = np.repeat(flat[y == k], missing, axis=0)
        else:
            # Per class, since the number of neighbours depends on its size. The
            # filler only gives imbalanced-learn the second class it asks for.
            filler = np.zeros((counts.max(), flat.shape[1]), flat.dtype)
            sampler = SMOTE(k_neighbors=min(5, count - 1), random_state=seed + k)
            both = np.concatenate([filler, flat[y == k]])
            labels = np.repeat([0, 1], [counts.max(), count])
            new = sampler.fit_resample(both, labels)[0][len(both) :]
        new = np.rint(new) if np.issubdtype(x.dtype, np.integer) else new
        new = new.reshape(-1, *x.shape[1:]).astype(x.dtype)
        parts.append((new, np.full(missing, k, y.dtype)))
    xs, ys = zip(*parts, strict=True)
    return np.concatenate(xs), np.concatenate(ys)
