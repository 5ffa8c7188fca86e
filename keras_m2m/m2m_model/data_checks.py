"""Checks of the data that goes into `fit`, on the host, and of each batch by shape.

Values cannot be read inside a compiled step. So before training arrays are looked
through, and the first batch of a pipeline.
"""

import itertools
import warnings
from collections.abc import Iterator
from typing import Any

import keras
import numpy as np

from keras_m2m._backend import is_readable
from keras_m2m.checks import AS_FLOATS
from keras_m2m.checks import check_labels
from keras_m2m.checks import check_samples
from keras_m2m.checks import check_targets
from keras_m2m.checks import is_sparse
from keras_m2m.checks import only_input
from keras_m2m.sampling import ResampledDataset
from keras_m2m.sampling import is_stream

# Less of a difference is another draw of samples, or chance: in batches of equal shares
# one class has twice the labels of another now and then.
_TELLING_RATIO, _TELLING_DEVIATIONS = 2, 4


def check_data(
    x: Any, y: Any, bounds: tuple[float, float] | None, class_counts: np.ndarray
) -> tuple[Any, Any, tuple[Any, Any]]:
    """Look through what goes into `fit` for what M2m cannot work with.

    Args:
        x: Samples `(n, ...)`, a `ResampledDataset`, or a pipeline of batches, whose
            first is looked at.
        y: Labels `(n,)` or `(n, 1)`, or None.
        bounds: `(low, high)` that all samples must lie in, or None.
        class_counts: Training samples per class, int64 `(num_classes,)`.

    Returns:
        `(x, y, seen)`: x and y as Keras takes them, lists and frames as arrays;
        instead of an iterator, which cannot be looked at twice, one of the same
        batches. `seen` is a pair of equally many samples, as training sees them, and
        labels, all there are or those of the first batch; what could not be looked at
        is None.

    Raises:
        ValueError: If samples are integers, not finite or outside `bounds`, or a
            label is not an integer in `0..num_classes - 1`.

    Warns:
        UserWarning: If labels contradict `class_counts`.

    Example:

    >>> x = np.zeros((2, 3))
    >>> check_data(x, [0, 1], (0, 1), np.array([9, 5]))[1]
    array([0, 1])
    """
    seen: Any = None
    if isinstance(x, ResampledDataset):
        samples, labels, seen = x.x, x.y, (x.augmented, x.y)
        if is_stream(samples):
            samples = x[0][0]
    elif x is None or hasattr(x, "__array__") or is_sparse(x):
        x, y = (_as_keras_takes_it(part) for part in (x, y))
        samples, labels = x, y
        if labels is None:
            check_targets(labels)
    else:
        batch, x = _first_batch(x)
        samples, labels, _ = keras.utils.unpack_x_y_sample_weight(batch)
        samples = only_input(samples)
    if hasattr(samples, "__array__") or is_sparse(samples):
        samples = check_samples(_on_host(samples), bounds)
    else:
        samples = None
    if hasattr(labels, "__array__"):
        labels = check_labels(_on_host(labels), len(class_counts))
        _compare(class_counts, np.bincount(labels, minlength=len(class_counts)))
    else:
        labels = None
    return x, y, seen or (samples, labels)


def check_batch(x: Any, y: Any, num_classes: int) -> None:
    """Raise unless a batch can be rewritten; in compiled code by shapes and dtypes.

    Args:
        x: Tensor of samples.
        y: Tensor of labels, or None.
        num_classes: Number of classes K.

    Raises:
        ValueError: If samples are not floating point, labels are missing or not of
            shape `(batch,)` or `(batch, 1)`, or, where values can be read, a label is
            not an integer in `0..num_classes - 1`.

    Example:

    >>> check_batch(keras.ops.zeros((2, 3)), keras.ops.zeros((2, 1), "int32"), 2)
    """
    check_targets(y)
    y = keras.ops.convert_to_tensor(y)
    if is_readable(y):
        check_labels(_on_host(y), num_classes)
    if not keras.backend.is_float_dtype(keras.backend.standardize_dtype(x.dtype)):
        raise ValueError(
            "Samples must be floating point, since they are moved by gradient steps; "
            f"{AS_FLOATS}. Received: dtype={x.dtype}"
        )


def _first_batch(x):
    """`(batch, x)`, where `x` still gives all batches; an empty batch if unknown."""
    if isinstance(x, keras.utils.PyDataset):
        return x[0], x
    if isinstance(x, Iterator):
        batch = next(x, None)
        return batch, (each for each in itertools.chain([batch], x))
    return next(iter(x), None) if hasattr(x, "__iter__") else None, x


def _as_keras_takes_it(values):
    """Lists and frames as arrays; tensors, and what has to be refused, as they came."""
    known = values is None or keras.ops.is_tensor(values) or is_sparse(values)
    return values if known else np.asarray(values)


def _on_host(values):
    """A tensor as an array, wherever it is; anything else as it came."""
    if not keras.ops.is_tensor(values):
        return values
    if keras.backend.is_float_dtype(keras.backend.standardize_dtype(values.dtype)):
        values = keras.ops.cast(values, "float32")  # NumPy has no bfloat16.
    return keras.ops.convert_to_numpy(values)


def _compare(class_counts, found):
    """Warn where a class that is said to be larger has clearly fewer labels."""
    order = np.argsort(class_counts, kind="stable")
    smaller = np.searchsorted(class_counts[order], class_counts)  # So many classes are.
    most = np.maximum.accumulate(found[order])
    rival = np.where(smaller > 0, most[smaller - 1], 0)  # Of smaller classes.
    fewer = _TELLING_RATIO * found < rival
    clearly = rival - found > _TELLING_DEVIATIONS * np.sqrt(found + rival)
    wrong = fewer & clearly
    if wrong.any():
        # The clearest pair.
        large = np.where(wrong, rival / (found + 1), 0).argmax()
        candidates = order[: smaller[large]]
        small = candidates[found[candidates].argmax()]
        warnings.warn(
            "`class_counts` contradict the labels: they must be in the order of the "
            "labels, as keras_m2m.count_classes(y, num_classes) gives them. Received: "
            f"{class_counts[large]} for class {large} and {class_counts[small]} for "
            f"class {small}, which have {found[large]} and {found[small]} labels here",
            stacklevel=4,
        )
