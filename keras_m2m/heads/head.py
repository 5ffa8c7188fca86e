"""The head of a network: found, read, and replaced in a copy of the network."""

from collections.abc import Iterator
from typing import Any
from typing import NamedTuple

import keras
import numpy as np

from keras_m2m.checks import check_model
from keras_m2m.checks import is_graph
from keras_m2m.layers import CosineDense


class Head(NamedTuple):
    """The last layer of a network, whose logits are `scale * products + offset`.

    Attributes:
        layer: A `Dense` without activation, or a `CosineDense`.
        kernel: float64 `(dim, units)`.
        scale: float64 `(units,)`, ones for a `Dense`.
        offset: float64 `(units,)`; its bias, for a `Dense`.
    """

    layer: keras.layers.Layer
    kernel: np.ndarray
    scale: np.ndarray
    offset: np.ndarray

    @property
    def is_cosine(self) -> bool:
        """Whether the products are cosines."""
        return isinstance(self.layer, CosineDense)

    @property
    def dim(self) -> int:
        """Length of a feature."""
        return len(self.kernel)

    @property
    def num_classes(self) -> int:
        """Number of classes K: two where there is one logit."""
        return max(self.kernel.shape[1], 2)

    @property
    def has_one_logit(self) -> bool:
        """Whether it is the logit of class 1 of two."""
        return self.kernel.shape[1] == 1


def head_of(f: keras.Model) -> Head:
    """The head of a network.

    Args:
        f: A built graph of layers, one input, that ends in a `Dense` without
            activation or in a `CosineDense`.

    Raises:
        ValueError: If it is another network.

    Example:

    >>> import keras_m2m
    >>> head_of(keras_m2m.mlp(3, input_shape=(4,))).dim
    256
    """
    _check_graph(check_model(f=f))
    layer = f.layers[-1]
    _check_layer(f, layer)
    kernel = _array(layer.kernel)
    units = kernel.shape[1]
    if isinstance(layer, CosineDense):
        scale, offset = layer.scale, layer.offset
    else:
        scale, offset = 1.0, _array(layer.bias) if layer.use_bias else 0.0
    scale, offset = (np.broadcast_to(part, units) for part in (scale, offset))
    return Head(layer, kernel, scale.astype("float64"), offset.astype("float64"))


def _check_graph(f):
    if not (f.built and is_graph(f)):
        raise ValueError(
            "`f` must be a built Functional or Sequential model, whose last layer can "
            "be told from the others; a subclass with its own `call` does not say "
            f"where its features are. Received: f={f!r}"
        )
    if len(f.inputs) != 1 or len(f.outputs) != 1:
        raise ValueError(
            "`f` must have one input and one output, the logits. "
            f"Received: {len(f.inputs)} inputs, {len(f.outputs)} outputs"
        )


def _check_layer(f, layer):
    name = f"{type(layer).__name__} {layer.name!r}"
    known = type(layer) in (keras.layers.Dense, CosineDense)
    whole = known and isinstance(layer.kernel, keras.Variable)  # and no low-rank update
    if not whole or _output(layer) is not f.outputs[0] or len(f.output_shape) != 2:
        raise ValueError(
            "`f` must end in a Dense layer of logits `(batch, units)`, or in a "
            "CosineDense: remove what comes after it, such as a softmax. Received: f "
            f"whose last layer is {name}, with output_shape={f.output_shape}"
        )
    activation = getattr(layer, "activation", keras.activations.linear)
    if activation is not keras.activations.linear:
        raise ValueError(
            "`f` must return logits: remove the activation of its last layer, and use "
            f"from_logits=True in the loss. Received: {name} with activation "
            f"{getattr(activation, '__name__', activation)!r}"
        )


def _output(layer):
    """What a layer returns in its graph; None where it is called in several places."""
    try:
        return layer.output
    except (AttributeError, ValueError):
        return None


def _array(variable):
    return np.asarray(keras.ops.convert_to_numpy(variable)).astype("float64")


def feature_network(f: keras.Model) -> keras.Model:
    """The part of a network before its head: from samples to features.

    Args:
        f: A built graph of layers, one input, that ends in a `Dense` without
            activation or in a `CosineDense`.

    Returns:
        A `keras.Model` that shares the layers of f, from samples `(batch, ...)` to
        features `(batch, dim)`.

    Raises:
        ValueError: If f is another network.

    Example:

    >>> import keras_m2m
    >>> feature_network(keras_m2m.mlp(3, input_shape=(4,))).output_shape
    (None, 256)
    """
    features = head_of(f).layer.input
    return keras.Model(f.inputs[0], features, name=f"{f.name}_features")


def head_alone(f: keras.Model) -> keras.Model:
    """A copy of the head of a network as a network from features to logits.

    Example:

    >>> import keras_m2m
    >>> head_alone(keras_m2m.mlp(3, input_shape=(4,))).input_shape
    (None, 256)
    """
    head = head_of(f)
    inputs = keras.Input((head.dim,), dtype=head.layer.input.dtype)
    layer = type(head.layer).from_config(head.layer.get_config())
    network = keras.Model(inputs, layer(inputs))
    layer.set_weights(head.layer.get_weights())
    return network


def with_layer(f: keras.Model, layer: keras.Layer, weights: list) -> keras.Model:
    """A copy of a network with another head.

    Args:
        f: The network.
        layer: The head, not built.
        weights: Its weights, arrays.

    Returns:
        A `keras.Model` that shares no variable with f, not compiled.

    Raises:
        ValueError: If f cannot be copied.

    Example:

    >>> import keras_m2m
    >>> f = keras_m2m.mlp(3, input_shape=(4,))
    >>> layer = keras.layers.Dense(2, use_bias=False)
    >>> with_layer(f, layer, [np.zeros((256, 2))]).output_shape
    (None, 2)
    """
    body = copied(feature_network(f))
    network = keras.Model(body.inputs[0], layer(body.outputs[0]), name=f.name)
    layer.set_weights(weights)
    return network


def _input_like(f):
    """A new input as f has it, of the same name: exported networks are called by it."""
    (old,) = f.inputs
    names = [x.name for x in f.layers if isinstance(x, keras.layers.InputLayer)]
    return keras.Input(batch_shape=old.shape, dtype=old.dtype, name=(*names, None)[0])


def copied(network: keras.Model) -> keras.Model:
    """A copy of a network of one input, with its weights, that shares none of them.

    Raises:
        ValueError: If it cannot be copied.

    Example:

    >>> import keras_m2m
    >>> f = keras_m2m.mlp(3, input_shape=(4,))
    >>> copied(f).input_shape
    (None, 4)
    """
    try:
        copy = keras.models.clone_model(network, input_tensors=_input_like(network))
    except Exception as error:  # Whatever a user's layer raises.
        raise ValueError(
            "`f` must be a network that keras.models.clone_model copies, its own "
            f"layers with a get_config: {type(error).__name__}: {error}. "
            f"Received: f={network.name.removesuffix('_features')!r}"
        ) from error
    copy.set_weights(network.get_weights())
    for layer in _layers(copy):
        if isinstance(layer, keras.layers.Normalization):
            layer.finalize_state()  # It computes with what was read from its weights.
    return copy


def _layers(network: keras.Model) -> Iterator[Any]:
    for layer in network.layers:
        yield layer
        if isinstance(layer, keras.Model):
            yield from _layers(layer)


def scaled_and_shifted(f: keras.Model, scale: Any, offset: Any) -> keras.Model:
    """A copy of a network whose logits are `scale * f(x) + offset`, in its head.

    Args:
        f: The network.
        scale: A float, or floats `(units,)`.
        offset: A float, or floats `(units,)`.

    Example:

    >>> import keras_m2m
    >>> f = keras_m2m.mlp(3, input_shape=(4,))
    >>> scaled_and_shifted(f, 2.0, [0.0, 0.0, 1.0]).count_params() == f.count_params()
    True
    """
    head = head_of(f)
    offset = scale * head.offset + offset
    config = head.layer.get_config()
    if head.is_cosine:
        of_head = {"scale": _plain(scale * head.scale, 0), "offset": _plain(offset)}
        layer = CosineDense.from_config({**config, **of_head})
        return with_layer(f, layer, head.layer.get_weights())
    weights = [head.kernel * scale]
    has_bias = head.layer.use_bias or bool(offset.any())
    if has_bias:
        weights.append(offset)
    layer = keras.layers.Dense.from_config({**config, "use_bias": has_bias})
    return with_layer(f, layer, weights)


def _plain(values, above=-np.inf):
    """One float where all are the same and above something, else a list."""
    same = values[0] > above and (values == values[0]).all()
    return values[0].item() if same else values.tolist()
