"""Checks of the two networks that M2m works with."""

import warnings

import keras
import numpy as np

from keras_m2m.m2m_model.network_faults import fault
from keras_m2m.m2m_model.network_trial import try_out
from keras_m2m.m2m_model.replicas import own_part

# Measured for 8,142 classes; where it warns it is a gigabyte.
_BYTES_A_PAIR = 56
_MANY_CLASSES = 4_000
_MOST_CLASSES = 10_000


def check_networks(
    f: keras.Model,
    g: keras.Model,
    num_classes: int,
    bounds: tuple[float, float] | None = None,
) -> None:
    """Raise unless `f` and `g` are two separate classifiers that return logits.

    Each is called on a few made samples, which leaves it as it is. This settles what
    layers do not show: the shape and the range of what it returns, and whether that
    depends on the samples by a gradient. Warns where a network cannot be called so;
    passes over one whose input shape is not known, and, in one of several processes
    of JAX, over all.

    Args:
        f: The network to train.
        g: The frozen one.
        num_classes: Number of classes K, and so of logits; one logit will do for two
            classes.
        bounds: `(low, high)` that samples stay in, or None.

    Raises:
        ValueError: If a network is no built `keras.Model`, has several inputs or
            outputs, does not return `num_classes` logits, returns probabilities or
            NaN, or has no gradient to its input; if the logits of `g` stay within
            [-1, 1], as cosines do; if their input shapes differ, or they share
            variables; if weights or `keras.config.floatx()` have 16 bits; if there
            are too many classes.

    Example:

    >>> import keras_m2m
    >>> f, g = (keras_m2m.mlp(3, input_shape=(4,)) for _ in range(2))
    >>> check_networks(f, g, num_classes=3)
    """
    check_number_of_classes(num_classes)
    networks = {"f": f, "g": g}
    for name, network in networks.items():
        _check_model(name, network)
    _check_precision(f, g)
    shape = input_shape(f, g)
    shared = {id(v) for v in f.variables} & {id(v) for v in g.variables}
    if shared:
        raise ValueError(
            "`f` and `g` must not share layers: g is frozen while f is trained. Build "
            f"two models. Received: {len(shared)} shared variables"
        )
    for name, network in networks.items():
        if getattr(network, "outputs", None):
            _check_output_shape(name, tuple(network.outputs[0].shape), num_classes)
        if shape is not None and own_part()[1] == 1:  # Else it cannot be read.
            _check_by_trial(name, network, shape, bounds, num_classes)


def check_number_of_classes(num_classes: int) -> None:
    """Warn of the memory that tables of all pairs of classes take; raise if too much.

    Args:
        num_classes: Number of classes K.

    Raises:
        ValueError: If K is above 10,000.

    Example:

    >>> check_number_of_classes(1000)
    """
    gigabytes = _BYTES_A_PAIR * num_classes**2 / 2**30
    needed = (
        f"A step of M2m holds tables of all pairs of classes, about {gigabytes:.1f} "
        f"GiB for {num_classes} classes"
    )
    if num_classes > _MOST_CLASSES:
        raise ValueError(
            f"{needed}. Join rare classes into fewer than {_MOST_CLASSES}. "
            f"Received: {num_classes} entries of `class_counts`"
        )
    if num_classes > _MANY_CLASSES:
        warnings.warn(f"{needed}.", stacklevel=3)


def _check_model(name, network):
    if not isinstance(network, keras.Model) or not network.built:
        raise ValueError(
            f"`{name}` must be a built keras.Model; give its input shape, or call it "
            f"once on a batch. Received: {name}={network!r}"
        )
    for attribute in ("inputs", "outputs"):
        tensors = getattr(network, attribute, None) or []
        if len(tensors) > 1:
            raise _not_one(name, f"{len(tensors)} {attribute}")


def _check_precision(f, g):
    kinds = {keras.backend.standardize_dtype(v.dtype) for v in (*f.weights, *g.weights)}
    narrow = {"float16", "bfloat16"} & {keras.config.floatx(), *kinds}
    if narrow:
        raise ValueError(
            "Weights, losses and rates need float32. For 16-bit computations use "
            'keras.mixed_precision.set_global_policy("mixed_float16") and leave '
            f"floatx as it is. Received: floatx={keras.config.floatx()!r}, weights of "
            f"{', '.join(sorted(kinds))}"
        )


def _not_one(name, what):
    return ValueError(
        f"`{name}` must have one input and one output, the logits, and no dict or "
        f"list of them. Received: {what} of {name}"
    )


def _check_output_shape(name, shape, num_classes):
    # For two classes one logit says as much as two.
    allowed = (1, 2) if num_classes == 2 else (num_classes,)
    if len(shape) != 2 or shape[1] not in allowed:
        raise ValueError(
            f"`{name}` must return one logit for each of the {num_classes} entries of "
            f"`class_counts`, of shape (batch, {num_classes}). "
            f"Received: {name}.output_shape={shape}"
        )


def _check_by_trial(name, network, shape, bounds, num_classes):
    bounds = bounds if bounds and np.isfinite(bounds).all() else (0.0, 1.0)
    tried = try_out(name, network, shape, bounds)
    if tried is None:
        return
    trial, outcome = tried
    if not isinstance(outcome.outputs, np.ndarray):
        raise _not_one(name, f"{type(outcome.outputs).__name__} as output")
    _check_output_shape(name, (None, *outcome.outputs.shape[1:]), num_classes)
    if message := fault(name, trial, outcome):
        raise ValueError(message)


def _input_shape(name, network):
    """With the batch axis, None for what may vary; None of a model that never says."""
    if getattr(network, "inputs", None):
        return tuple(network.inputs[0].shape)
    # A subclassed model knows the shape that it was first called on.
    shape = (network.get_build_config() or {}).get("input_shape") or ()
    if isinstance(shape, dict) or any(isinstance(size, tuple) for size in shape):
        raise _not_one(name, f"{len(shape)} inputs")
    return (None, *shape[1:]) if shape else None


def input_shape(f: keras.Model, g: keras.Model) -> tuple | None:
    """The shape of a batch that both networks take, or None if neither says.

    Args:
        f: The network to train.
        g: The frozen one.

    Raises:
        ValueError: If they take different inputs.

    Example:

    >>> import keras_m2m
    >>> f, g = (keras_m2m.mlp(3, input_shape=(4,)) for _ in range(2))
    >>> input_shape(f, g)
    (None, 4)
    """
    f, g = _input_shape("f", f), _input_shape("g", g)
    if f is None or g is None:
        return f or g
    pairs = [*zip(f, g)]
    if len(f) != len(g) or any(a != b for a, b in pairs[1:] if a and b):
        raise ValueError(
            "`f` and `g` must take the same inputs. Received: "
            f"f.input_shape={f}, g.input_shape={g}"
        )
    return tuple(a or b for a, b in pairs)
