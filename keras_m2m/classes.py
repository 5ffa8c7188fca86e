"""What a batch says of classes: its labels, its outputs and its weights.

Losses and metrics read all three here. Inside compiled code values cannot be read, so
there a label outside the classes makes a result NaN; elsewhere it is an error.
"""

from typing import Any
from typing import NamedTuple

import keras
import numpy as np
from keras import ops

from keras_m2m._backend import is_readable
from keras_m2m.checks import as_array
from keras_m2m.checks import check_label_shape
from keras_m2m.checks import check_labels

# NumPy's kinds of objects, strings, dates and complex numbers.
_NO_NUMBERS = "OSUMmc"


class Batch(NamedTuple):
    """Labels, predictions and weights of equally many samples, tensors or arrays."""

    y_true: Any
    y_pred: Any
    sample_weight: Any


def check_batch(y_true: Any, y_pred: Any, sample_weight: Any = None) -> Batch:
    """Return a batch if it consists of numbers and its shapes belong together.

    Args:
        y_true: Classes `(batch,)` or `(batch, 1)`, of any real dtype.
        y_pred: Predictions `(batch,)` or `(batch, columns)`.
        sample_weight: Weights `(batch,)` or `(batch, 1)`, one for all, or None.

    Returns:
        The three, tensors as they came and all else as arrays.

    Raises:
        ValueError: If one is no array of numbers or of another shape, or they are
            not equally many.

    Example:

    >>> check_batch([0, 1], [[0.5], [0.1]]).y_pred.shape
    (2, 1)
    """
    y_true = _numbers("Labels must be integers", y_true=y_true)
    y_pred = _numbers("Predictions must be numbers", y_pred=y_pred)
    shape = tuple(y_true.shape)
    check_label_shape(shape)
    if len(y_pred.shape) not in (1, 2):
        raise ValueError(
            "Predictions must be of shape `(batch, num_classes)`. "
            f"Received: y_pred of shape={tuple(y_pred.shape)}"
        )
    _check_equally_many("predictions", shape, tuple(y_pred.shape))
    if sample_weight is not None:
        sample_weight = _numbers("Weights must be numbers", sample_weight=sample_weight)
        _check_weights(shape, tuple(sample_weight.shape))
    return Batch(y_true, y_pred, sample_weight)


def class_members(y_true: Any, num_classes: int) -> Any:
    """Which class each sample is of.

    Args:
        y_true: Classes `(batch,)` or `(batch, 1)`, of any real dtype.
        num_classes: Number of classes K, below 2**24.

    Returns:
        float32 tensor `(batch, num_classes)`, rows one-hot, or in compiled code of
        zeros for what is no integer in `0..num_classes - 1`.

    Raises:
        ValueError: If there is such a label where values can be read.

    Example:

    >>> tuple(class_members([2, 0], num_classes=3).shape)
    (2, 3)
    """
    if isinstance(y_true, np.ndarray):
        check_labels(y_true, num_classes)
    # Not as integers, which would cut off fractions and the upper half of 64 bits.
    labels = ops.reshape(ops.cast(y_true, "float32"), (-1, 1))
    if is_readable(labels):
        check_labels(ops.convert_to_numpy(labels), num_classes)
    # Not `one_hot`: PyTorch's raises where others give zeros.
    classes = ops.arange(num_classes, dtype="float32")
    return ops.cast(ops.equal(labels, classes), "float32")


def class_logits(outputs: Any) -> Any:
    """One logit for each class, of a network that may have one for two classes.

    A logit z whose sigmoid is the probability of class 1 stands for the two logits
    `(-z/2, z/2)`, whose softmax is the same. That of `(0, z)` is the same too, but M2m,
    which lowers the logit of a seed's class, would have nothing to lower for class 0.

    Args:
        outputs: float tensor `(batch, num_classes)` or, for two classes, `(batch, 1)`.

    Returns:
        float tensor `(batch, num_classes)`.

    Example:

    >>> tuple(class_logits(keras.ops.convert_to_tensor([[3.0]])).shape)
    (1, 2)
    """
    if outputs.shape[-1] != 1:
        return outputs
    return ops.concatenate([-outputs / 2, outputs / 2], axis=-1)


def _numbers(what, **argument):
    ((name, values),) = argument.items()
    if ops.is_tensor(values) or isinstance(values, keras.KerasTensor):
        dtype = keras.backend.standardize_dtype(values.dtype)
        sound = dtype != "string" and not dtype.startswith("complex")
    else:
        values = as_array(**argument)
        dtype, sound = values.dtype, values.dtype.kind not in _NO_NUMBERS
    if not sound:
        raise ValueError(f"{what}. Received: {name} of dtype={dtype}")
    return values


def _check_equally_many(what, true_shape, shape):
    # In compiled code either number may be None, not known yet.
    if None not in (true_shape[0], shape[0]) and true_shape[0] != shape[0]:
        raise ValueError(
            f"Labels and {what} must be equally many. Received: {true_shape[0]} labels "
            f"and {shape[0]} {what}"
        )


def _check_weights(true_shape, shape):
    if not shape:
        return  # One for all.
    if len(shape) > 2 or shape[1:] not in ((), (1,)):
        raise ValueError(
            "Weights must be of shape `(batch,)` or `(batch, 1)`, one for each sample. "
            f"Received: sample_weight of shape={shape}"
        )
    _check_equally_many("weights", true_shape, shape)
