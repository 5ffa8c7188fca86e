"""Labels of any kind as classes and their numbers, and what else targets may be."""

from typing import Any

import numpy as np
from sklearn.utils import column_or_1d
from sklearn.utils.multiclass import check_classification_targets

from keras_m2m.checks import is_sparse

MOST_CLASSES = 10_000  # As M2mModel has it.
_MISSING = ("None", "nan", "NaT", "<NA>")  # How objects print that stand for nothing.


def checked_labels(y: Any) -> np.ndarray:
    """One label per sample, `(n,)`, if that is what they are.

    Args:
        y: Array, list or series of text, booleans or whole numbers.

    Raises:
        ValueError: If labels are missing, or the target is that of another problem than
            classification, with what to use for that.

    Example:

    >>> checked_labels(["cat", "dog"])
    array(['cat', 'dog'], dtype='<U3')
    """
    if y is None:
        raise ValueError(
            "M2mClassifier requires y to be passed, but the target y is None"
        )
    if is_sparse(y):
        raise ValueError(
            "Labels must be a dense array: sparse ones are several labels a sample, "
            "for which there is sklearn.multioutput.MultiOutputClassifier"
        )
    # A list of text and numbers would become text.
    y = np.asarray(y, object if isinstance(y, list | tuple) else None)
    if y.ndim > 2 or (y.ndim == 2 and y.shape[1] != 1):
        raise ValueError(f"{_advice_on_rows(y)}. Received: y.shape={y.shape}")
    y = _of_one_kind(column_or_1d(y, warn=True))
    if y.dtype.kind == "f":
        _check_whole(y)
    return y


def numbered(y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The classes, sorted, and the number of each label's.

    Raises:
        ValueError: If there is one class only, or there are too many.

    Example:

    >>> numbered(np.array(["dog", "cat", "dog"]))
    (array(['cat', 'dog'], dtype='<U3'), array([1, 0, 1]))
    """
    classes, numbers = np.unique(y, return_inverse=True)
    if len(classes) < 2:
        raise ValueError(
            "A classifier needs samples of two classes at least. "
            f"Received: classes={classes.tolist()}"
        )
    if len(classes) > MOST_CLASSES:
        raise ValueError(
            f"M2mClassifier takes at most {MOST_CLASSES:,} classes; as many may be a "
            "quantity, for a regressor, or a column of identifiers. "
            f"Received: {len(classes):,} classes in {len(y):,} samples"
        )
    check_classification_targets(y)  # Warns of as many classes as a quantity has.
    return classes, numbers


def _advice_on_rows(y):
    y = np.asarray(y.tolist())  # Of objects, what they are.
    if y.ndim > 2:
        return (
            "M2mClassifier gives a sample one label, and this is a map of labels: take "
            "a network for segmentation, such as those of KerasHub"
        )
    plain = y.dtype.kind in "biuf" and np.isin(y, (0, 1)).all()
    if plain and (y.sum(axis=1) == 1).all():
        return "Labels are one-hot, which one column should be: use y.argmax(axis=1)"
    if plain:
        return (
            "M2mClassifier gives a sample one label, and these are several: take "
            "sklearn.multioutput.MultiOutputClassifier(M2mClassifier())"
        )
    return (
        "M2mClassifier predicts one target, and these are several: take one column, or "
        "sklearn.multioutput.MultiOutputClassifier(M2mClassifier())"
    )


def _of_one_kind(y):
    """Objects as what they are, numbers or text; other arrays as they came."""
    if y.dtype != object:
        return y
    values = y.tolist()
    missing = sum(not isinstance(v, str) and str(v) in _MISSING for v in values)
    if missing:
        raise ValueError(
            "Every sample must have a label: leave out those without one. "
            f"Received: {missing} labels of None or NaN"
        )
    texts = sum(isinstance(value, str) for value in values)
    if 0 < texts < len(values):
        raise ValueError(
            "Labels must all be text or all be numbers, so that they have an order. "
            f"Received: {texts} texts among {len(values)} labels"
        )
    return np.asarray(values)


def _check_whole(y):
    missing = np.count_nonzero(~np.isfinite(y))
    if missing:
        raise ValueError(
            "Every sample must have a label: leave out those without one. "
            f"Received: {missing} labels of NaN or infinity"
        )
    if (y != np.rint(y)).any():
        raise ValueError(
            "Unknown label type: continuous. Take a regressor for a quantity, such as "
            "sklearn.ensemble.HistGradientBoostingRegressor, or make classes of it by "
            f"numpy.digitize. Received: y from {y.min():g} to {y.max():g}, fractions "
            "among them"
        )
