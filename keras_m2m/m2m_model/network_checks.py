"""Checks of the two networks that M2m works with, and of the batches it gets."""

import keras

from keras_m2m.checks import check_labels
from keras_m2m.checks import check_samples
from keras_m2m.layers import CosineDense
from keras_m2m.sampling import ResampledDataset

_SQUASHED = ("softmax", "sigmoid")


def check_networks(f: keras.Model, g: keras.Model, num_classes: int) -> None:
    """Raise unless `f` and `g` are two separate classifiers that return logits.

    Args:
        f: The network to train.
        g: The frozen one.
        num_classes: Number of classes K, and so of logits.

    Raises:
        ValueError: If a network is no built `keras.Model`, has several inputs or
            outputs, ends in a softmax or sigmoid, or does not return
            `num_classes` logits; if `g` ends in a `CosineDense` of scale 1; if
            their input shapes differ, or they share variables.

    Example:

    >>> import keras_m2m
    >>> f, g = (keras_m2m.mlp(3, input_shape=(4,)) for _ in range(2))
    >>> check_networks(f, g, num_classes=3)
    """
    for name, network in {"f": f, "g": g}.items():
        _check_network(name, network, num_classes)
    last = _last_operation(g)
    if isinstance(last, CosineDense) and last.scale == 1:
        raise ValueError(
            "`g` must not end in a CosineDense of scale 1: the softmax of cosines "
            "never gets confident, so no translation would be accepted. Train g with "
            "an ordinary Dense head, or give its CosineDense a scale such as 30. "
            f"Received: g={g.name!r}"
        )
    if _input_shape(f) != _input_shape(g):
        raise ValueError(
            "`f` and `g` must take the same inputs. Received: "
            f"f.input_shape={_input_shape(f)}, g.input_shape={_input_shape(g)}"
        )
    shared = {id(v) for v in f.variables} & {id(v) for v in g.variables}
    if shared:
        raise ValueError(
            "`f` and `g` must not share layers: g is frozen while f is trained. Build "
            f"two models. Received: {len(shared)} shared variables"
        )


def check_data(x, y, bounds: tuple[float, float] | None, num_classes: int) -> None:
    """Raise if arrays that go into `fit` hold values that M2m cannot work with.

    Args:
        x: Samples `(n, ...)`, or a `ResampledDataset`. Data of other kinds, which
            cannot be looked through beforehand, passes.
        y: Labels `(n,)` or `(n, 1)`, or None.
        bounds: `(low, high)` that all samples must lie in, or None.
        num_classes: Number of classes K.

    Raises:
        ValueError: If samples are integers, not finite or outside `bounds`, or a
            label is not an integer in `0..num_classes - 1`.

    Example:

    >>> import numpy as np
    >>> check_data(np.zeros((2, 3)), np.array([0, 1]), bounds=(0, 1), num_classes=2)
    """
    samples, labels = (x.x, x.y) if isinstance(x, ResampledDataset) else (x, y)
    if hasattr(samples, "__array__"):
        check_samples(_on_host(samples), bounds)
        if labels is None:
            check_targets(labels)
    if hasattr(labels, "__array__"):
        check_labels(_on_host(labels), num_classes)


def check_batch(x, y) -> None:
    """Raise unless a batch can be rewritten; reads shapes and dtypes only.

    Args:
        x: Tensor of samples.
        y: Tensor of labels, or None.

    Raises:
        ValueError: If samples are not floating point, or labels are missing or
            not of shape `(batch,)` or `(batch, 1)`.

    Example:

    >>> check_batch(keras.ops.zeros((2, 3)), keras.ops.zeros((2, 1), "int32"))
    """
    check_targets(y)
    if not keras.backend.is_float_dtype(keras.backend.standardize_dtype(x.dtype)):
        raise ValueError(
            "Samples must be floating point, since they are moved by gradient steps; "
            f"scale integer images to [0, 1]. Received: dtype={x.dtype}"
        )


def check_targets(y) -> None:
    """Raise unless a batch has labels of a shape that they can have.

    Args:
        y: Tensor of labels, or None.

    Raises:
        ValueError: If labels are missing or not of shape `(batch,)` or
            `(batch, 1)`.

    Example:

    >>> check_targets(keras.ops.zeros((2, 1), "int32"))
    """
    if y is None:
        raise ValueError("M2mModel trains on samples and labels. Received: y=None")
    if len(y.shape) > 2 or (len(y.shape) == 2 and y.shape[1] != 1):
        raise ValueError(
            "Labels must be integers of shape (batch,) or (batch, 1), not one-hot. "
            f"Received: shape={tuple(y.shape)}"
        )


def _check_network(name, network, num_classes):
    if not isinstance(network, keras.Model) or not network.built:
        raise ValueError(
            f"`{name}` must be a built keras.Model; give its input shape, or call it "
            f"once on a batch. Received: {name}={network!r}"
        )
    for attribute in ("inputs", "outputs"):
        tensors = getattr(network, attribute, None) or []
        if len(tensors) > 1:
            raise ValueError(
                f"`{name}` must have one input and one output, the logits. "
                f"Received: {len(tensors)} {attribute} of {name}"
            )
    last = _last_operation(network)
    kind = type(last).__name__.lower()  # Of keras.layers.Softmax and keras.ops.softmax.
    activation = getattr(getattr(last, "activation", None), "__name__", kind)
    if activation in _SQUASHED:
        raise ValueError(
            f"`{name}` must return logits, but its last layer squashes them; remove "
            f"the activation, and use from_logits=True in the loss. Received: "
            f"{name} ends in {last.name!r} ({activation})"
        )
    shape = _output_shape(network)
    if shape is not None and (len(shape) != 2 or shape[1] != num_classes):
        hint = " A single unit for two classes is two logits here." * (shape[-1] == 1)
        raise ValueError(
            f"`{name}` must return one logit for each of the {num_classes} entries of "
            f"`class_counts`, of shape (batch, {num_classes}).{hint} "
            f"Received: {name}.output_shape={shape}"
        )


def _on_host(values):
    """A tensor as an array, wherever it is; anything else as it came."""
    is_tensor = keras.ops.is_tensor(values)
    return keras.ops.convert_to_numpy(values) if is_tensor else values


def _last_operation(network):
    """The layer or operation that makes the output; in nested models, the innermost."""
    config = network.get_config() if getattr(network, "outputs", None) else {}
    if "output_layers" in config:
        ends = config["output_layers"]
        name = ends[0] if isinstance(ends[0], str) else ends[0][0]
        (last,) = (each for each in network.operations if each.name == name)
    else:
        last = network.layers[-1] if network.layers else None
    return _last_operation(last) if isinstance(last, keras.Model) else last


def _input_shape(network):
    return tuple(network.inputs[0].shape) if getattr(network, "inputs", None) else None


def _output_shape(network):
    """Shape of the output, or None for a subclassed model, which does not know."""
    return (
        tuple(network.outputs[0].shape) if getattr(network, "outputs", None) else None
    )
