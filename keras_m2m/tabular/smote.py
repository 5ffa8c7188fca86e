"""SMOTE of a table: numbers between neighbours, categories by their majority."""

import math
from typing import Any

import numpy as np
import pandas
from numpy.typing import ArrayLike

from keras_m2m.checks import check_labels
from keras_m2m.checks import check_same_length
from keras_m2m.checks import check_whole
from keras_m2m.tabular.columns import MISSING
from keras_m2m.tabular.frames import as_frame
from keras_m2m.tabular.preprocessor import TablePreprocessor

_RANDOM_STATES = 2**32
_NEIGHBOURS = 5
_MARK = "\0missing "  # Before a column's name, no column's own name begins so.


def smote_nc(
    preprocessor: TablePreprocessor, table: Any, y: ArrayLike, seed: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """Fill up every class to the size of the largest with synthetic rows.

    Numbers, among them the parts of dates, lie between those of a row and one of its 5
    nearest of the same class, fewer where the class is smaller. Categories, text, and
    whether a number is missing are what most of these have. A class of one row repeats
    it. So no row is half of one category and half of another, as SMOTE of the encoded
    rows would make it.

    Args:
        preprocessor: Fitted on the training rows.
        table: The training rows, as `TablePreprocessor.fit` takes them.
        y: Their labels, whole numbers of at least 0, of shape `(n,)`.
        seed: Integer of at least 0 that the result follows from.

    Returns:
        `(x, y)`: the encoded rows, float32, then the new ones by class; int64 labels.

    Raises:
        ImportError: If imbalanced-learn is not installed.
        ValueError: If labels do not fit, or `seed` is negative.

    Example:

    >>> import pandas
    >>> table = pandas.DataFrame({"age": range(8), "city": ["Rome", "Oslo"] * 4})
    >>> preprocessor = TablePreprocessor().fit(table)
    >>> x, y = smote_nc(preprocessor, table, [0, 0, 0, 0, 0, 1, 1, 1])
    >>> x.shape, np.bincount(y), np.unique(x[:, 1:]).tolist()
    ((10, 3), array([5, 5]), [0.0, 1.0])

    Source: Chawla et al., SMOTE (JAIR 2002), section 6.1, by imbalanced-learn.
    """
    frame, y = as_frame(table), check_labels(y, None)
    check_same_length(frame, y)
    seed = check_whole(0, math.inf, seed=seed)
    plain = preprocessor.plain(frame)
    filled, nominal = _filled(plain, preprocessor.categorical_)
    classes, counts = np.unique(y, return_counts=True)
    xs, ys = [preprocessor.transform(frame)], [y]
    for k, count in zip(classes, counts):
        missing = int(counts.max() - count)
        if missing:
            state = (seed + int(k)) % _RANDOM_STATES
            new = _new_rows(filled[y == k], nominal, missing, state)
            xs.append(preprocessor.encode(_emptied(new, plain)))
            ys.append(np.full(missing, k))
    return np.concatenate(xs), np.concatenate(ys)


def _filled(plain, categorical):
    """Rows without gaps, which are columns of their own; and names of the nominal."""
    filled, nominal = {}, [name for name in plain if name in {*categorical}]
    for name, column in plain.items():
        if column.dtype.kind != "f" or name in nominal:
            # One type for all that is no quantity, so that frames stay frames.
            filled[name] = column.astype(object).fillna(MISSING).astype(str)
            continue
        gaps = column.isna()
        filled[name] = column.fillna(column.median())
        if gaps.any():
            filled[_MARK + name] = gaps.astype(str)
            nominal.append(_MARK + name)
    return pandas.DataFrame(filled), nominal


def _new_rows(members, nominal, number, random_state):
    """That many synthetic rows of a class, from its rows."""
    from imblearn.over_sampling import SMOTE
    from imblearn.over_sampling import SMOTEN
    from imblearn.over_sampling import SMOTENC

    count = len(members)
    if count == 1:
        return members.iloc[np.zeros(number, int)].reset_index(drop=True)
    arguments = {
        "k_neighbors": min(_NEIGHBOURS, count - 1),
        "random_state": random_state,
    }
    if not nominal:
        sampler = SMOTE(**arguments)
    elif len(nominal) == members.shape[1]:
        sampler = SMOTEN(**arguments)
    else:
        sampler = SMOTENC(categorical_features=nominal, **arguments)
    # Per class, since the number of neighbours depends on its size. The filler only
    # gives imbalanced-learn the second class it asks for.
    filler = members.iloc[np.zeros(count + number, int)]
    both = pandas.concat([filler, members], ignore_index=True)
    labels = np.repeat([0, 1], [len(filler), count])
    made, _ = sampler.fit_resample(both, labels)
    return made.iloc[len(both) :].reset_index(drop=True)


def _emptied(new, plain):
    """New rows in the form of `plain`: what is missing there is missing again."""
    found = {}
    for name, column in plain.items():
        values = new[name]
        if column.dtype.kind == "f":
            values = pandas.to_numeric(values, errors="coerce").astype("float64")
            if _MARK + name in new:
                values = values.mask((new[_MARK + name] == "True").to_numpy())
        else:
            values = values.astype(object)
        found[name] = values
    return pandas.DataFrame(found)
