"""Labels of anybody's arrays: which rows have one, and the classes that they name."""

import numpy as np

from tasks.data.own.class_names import MISSING
from tasks.data.own.class_names import check_class_names
from tasks.data.own.class_names import check_name
from tasks.data.own.class_names import check_several
from tasks.data.own.class_names import listed
from tasks.experiment.errors import UserError


def read_labels(y: np.ndarray, what: str) -> tuple[np.ndarray, np.ndarray]:
    """Labels of one split as integers or strings, and where there is one.

    Args:
        y: As it was saved.
        what: What it is, for messages.

    Returns:
        `(y, labelled)`: integers, booleans or strings `(n,)`, and bool `(n,)`, False
        where `y` is NaN or a string that stands for no label, such as `"nan"`.

    Raises:
        UserError: If labels are none, are one-hot or of several classes a row.
    """
    y = y[:, 0] if y.ndim == 2 and y.shape[1] == 1 else y
    if y.ndim != 1:
        raise UserError(f"{what} must be labels of shape (n,). {_several_axes(y)}")
    if y.dtype.kind in "SU":
        y = _decoded(y, what)
        labelled = ~np.isin(np.char.strip(y), sorted(MISSING))
    elif y.dtype.kind == "f":
        y, labelled = _whole(y, what)
    elif y.dtype.kind in "biu":
        labelled = np.ones(len(y), bool)
    else:
        raise UserError(
            f"{what} must be integers or strings of shape (n,). Received: dtype "
            f"{y.dtype}"
        )
    return y, labelled


def _several_axes(y):
    """What to do about labels of this shape."""
    received = f"Received: shape {y.shape}, dtype {y.dtype}"
    if y.ndim > 2 and y[0].size > 1:
        return (
            "Masks, a class for each pixel, need a network for segmentation, such as "
            f"those of KerasHub. {received}"
        )
    if y.ndim != 2 or y.dtype.kind not in "biuf":
        return received
    if not np.isin(y, (0, 1)).all():
        return f"{received}. Give the column that holds the classes"
    several = np.count_nonzero(y, axis=1) != 1
    if not several.any():
        return f"These are one-hot: save y.argmax(axis=1). {received}"
    return (
        f"{several.sum()} of {len(y)} rows have several labels, or none, and a sample "
        "must be of one class. Save the one that counts, or a name for each "
        "combination; or take scikit-learn's MultiOutputClassifier, a classifier for "
        f"each label. {received}"
    )


def _whole(y, what):
    """Integers of floats that are whole, and where there are some."""
    labelled = ~np.isnan(y)
    values = np.where(labelled, y, 0).astype("float64")
    # From there on floats are not the numbers that were written any more.
    if not (np.abs(values) <= 2**53).all() or (values != np.rint(values)).any():
        raise UserError(
            f"{what} must be integers or strings. Received: {y.dtype}, such as "
            f"{values[np.argmax(values != np.rint(values))]}, which are no classes. "
            "Give a class to each range of values, or predict them by scikit-learn's "
            "HistGradientBoostingRegressor"
        )
    return values.astype("int64"), labelled


def tell_missing(labelled: np.ndarray, what: str, drop: bool) -> None:
    """Refuse rows without a label, or say that they are left out.

    Args:
        labelled: bool `(n,)`, as `read_labels` returns.
        what: What the labels are, for messages.
        drop: Whether to leave out such rows.

    Raises:
        UserError: If there are some and they are not to be left out, or nothing else
            is there.
    """
    count, row = np.count_nonzero(~labelled), int(np.argmin(labelled))
    if count == len(labelled):
        raise UserError(f"{what} holds no label at all: every row is missing")
    if count and drop:
        print(f"note: {what}: {count} of {len(labelled)} rows have no label: left out")
    elif count:
        spellings = ", ".join(map(repr, sorted(MISSING)))
        raise UserError(
            f"{what}: {count} of {len(labelled)} rows have no label, the first of them "
            f"row {row + 1} (NaN, or one of the strings {spellings}). --missing=drop "
            "leaves them out. If it is the name of a class, rename that class"
        )


def index_labels(
    labels: dict[str, np.ndarray], given: np.ndarray | None, path
) -> tuple[dict[str, np.ndarray], list[str]]:
    """int64 labels that index the names of classes, and these.

    Args:
        labels: By split, integers or strings `(n,)`.
        given: The array `class_names`, or None.
        path: The archive, for messages.

    Raises:
        UserError: If splits differ in kind, or names are unfit, or labels have none.
    """
    if len({y.dtype.kind in "SU" for y in labels.values()}) > 1:
        raise UserError(f"{path}: labels are integers in one split, strings in another")
    # Python's numbers: NumPy's would become floats where int64 meets uint64.
    unique = {split: np.unique(y) for split, y in labels.items()}
    values = {split: found.tolist() for split, found in unique.items()}
    known = sorted({value for own in values.values() for value in own})
    class_names = [str(value) for value in known]
    if given is not None:
        class_names = _given_names(given, path)
        known = _domain(known, class_names, path)
    names = [check_name(name, f"{path}") for name in class_names]
    check_class_names(names, f"{path}")
    check_several(names)
    index = {value: k for k, value in enumerate(known)}
    indices = {
        split: np.array([index[value] for value in values[split]], "int64")[
            np.searchsorted(found, labels[split])
        ]
        for split, found in unique.items()
    }
    return indices, names


def _domain(known, class_names, path):
    """What labels may be, in the order of `class_names`."""
    numbered = all(isinstance(value, int) for value in known)
    domain = list(range(len(class_names))) if numbered else class_names
    allowed = set(domain)
    strange = [str(value) for value in known if value not in allowed]
    if strange:
        raise UserError(
            f"{path}: labels {listed(strange)} are none of the "
            f"{len(class_names)} class_names"
            + (", which are numbered from 0" if numbered else "")
        )
    return domain


def _given_names(given, path):
    if given.ndim != 1 or given.dtype.kind not in "SU" or not given.size:
        raise UserError(
            f"class_names of {path} must be strings of shape (num_classes,). "
            f"Received: shape {given.shape}, dtype {given.dtype}"
        )
    names = _decoded(given, f"class_names of {path}").tolist()
    if len(set(names)) < len(names):
        raise UserError(f"class_names of {path} holds a name twice")
    return names


def _decoded(strings, what):
    """Strings that are Unicode text; NumPy does not check it."""
    try:
        if strings.dtype.kind == "S":
            strings = np.char.decode(strings, "utf-8")
        strings.tolist()
    except ValueError as error:
        raise UserError(f"{what} holds strings that are no text: {error}") from error
    return strings
