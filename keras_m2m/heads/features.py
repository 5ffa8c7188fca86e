"""Features of samples, computed once for all that is done with them."""

from typing import Any
from typing import NamedTuple

import keras
import numpy as np
from numpy.typing import ArrayLike

from keras_m2m.checks import as_array
from keras_m2m.checks import check_labels
from keras_m2m.checks import check_same_length
from keras_m2m.checks import check_whole
from keras_m2m.classes import class_logits
from keras_m2m.heads.head import feature_network
from keras_m2m.heads.head import head_of


class Features(NamedTuple):
    """What the head of a network is given; functions take it in the place of samples.

    Attributes:
        values: float32 array `(n, dim)`, such as `feature_network(f).predict` returns.
    """

    values: np.ndarray


def features(f: keras.Model, x: ArrayLike, batch_size: int = 512) -> Features:
    """Features of samples, in inference mode, for all functions of this module.

    They hold as long as the layers before the head do. Networks that these functions
    return have the same, so that one can be made of another with them.

    Args:
        f: A built graph of layers, one input, that ends in a `Dense` without
            activation or in a `CosineDense`.
        x: Samples `(n, ...)` as f takes them, not augmented. Of a stream, wrap what
            `feature_network(f).predict` returns for it: `Features(values)`.
        batch_size: Samples a step.

    Returns:
        `Features`, of float32 `(n, dim)`.

    Raises:
        ValueError: If f is another network, or `x` has no samples of its shape.

    Example:

    >>> import keras_m2m
    >>> f = keras_m2m.mlp(3, input_shape=(4,))
    >>> features(f, np.ones((2, 4), "float32")).values.shape
    (2, 256)
    """
    network = feature_network(f)
    samples = as_array(x=x)
    shape, fixed = samples.shape[1:], network.input_shape[1:]
    fits = len(shape) == len(fixed) and all(
        own in (None, size) for own, size in zip(fixed, shape)
    )
    if not (fits and len(samples)) or samples.dtype.kind not in "biuf":
        raise ValueError(
            f"`x` must be samples of shape (n, {', '.join(map(str, fixed))}), as f "
            f"takes them. Received: x.shape={samples.shape}, x.dtype={samples.dtype}"
        )
    size = check_whole(batch_size=batch_size)
    values = network.predict(samples, batch_size=size, verbose=0)
    return Features(np.asarray(values).astype("float32"))


def values_of(f: keras.Model, x: Any) -> np.ndarray:
    """The features of samples, or of `Features`, as a float32 array `(n, dim)`.

    Example:

    >>> import keras_m2m
    >>> f = keras_m2m.mlp(3, input_shape=(4,))
    >>> values_of(f, Features(np.ones((2, 256), "float32"))).shape
    (2, 256)
    """
    values = as_array(x=x.values if isinstance(x, Features) else features(f, x).values)
    dim = head_of(f).dim
    if values.ndim != 2 or values.shape[1] != dim or not len(values):
        raise ValueError(
            f"Features of this network must be of shape (n, {dim}). "
            f"Received: features of shape {values.shape}"
        )
    if str(values.dtype) == "bfloat16":  # Which NumPy itself does not know.
        values = values.astype("float32")
    if values.dtype.kind != "f" or not np.isfinite(values).all():
        raise ValueError(
            "Features must be finite floats: look into samples, or weights of f. "
            f"Received: {values.dtype} features, NaN or infinite ones among them"
        )
    return values.astype("float32")


def logits_of(f: keras.Model, x: Any) -> np.ndarray:
    """A logit for each class, float64 `(n, num_classes)`; two for one of f's.

    Example:

    >>> import keras_m2m
    >>> f = keras_m2m.mlp(2, input_shape=(4,), head="logit")
    >>> logits_of(f, np.ones((3, 4), "float32")).shape
    (3, 2)
    """
    logits = class_logits(head_of(f).layer(values_of(f, x)))
    return np.asarray(keras.ops.convert_to_numpy(logits)).astype("float64")


def labels_of(f: keras.Model, x: Any, y: ArrayLike) -> np.ndarray:
    """Labels as int64 `(n,)`, as many as samples and each a class of f.

    Example:

    >>> import keras_m2m
    >>> f = keras_m2m.mlp(3, input_shape=(4,))
    >>> labels_of(f, np.ones((2, 4)), [0, 2])
    array([0, 2])
    """
    labels = check_labels(y, head_of(f).num_classes)
    check_same_length(x.values if isinstance(x, Features) else as_array(x=x), labels)
    return labels


def check_several_logits(f: keras.Model, what: str) -> None:
    """Raise where f has one logit of two classes.

    Example:

    >>> import keras_m2m
    >>> check_several_logits(keras_m2m.mlp(3, input_shape=(4,)), "cRT")
    """
    if head_of(f).has_one_logit:
        raise ValueError(
            f"{what} needs a logit for each class, and f has one for two classes: "
            "build it with two. adjust_logits, temperature_scaled and with_prior take "
            "f as it is. Received: a last layer of one unit"
        )
