"""A network with its weights folded, to be called many times for few weights."""

from collections.abc import Callable

import keras
from keras import ops

from keras_m2m.folding.layers import Borrowed
from keras_m2m.folding.layers import FoldedConv2D
from keras_m2m.folding.layers import ScaleAndShift
from keras_m2m.folding.layers import Skipped


class FoldedNetwork:
    """Runs a classifier in inference mode, with less work per call.

    A translation calls f and g many times while their weights stand still. So
    all that depends on weights alone is done once, by `freeze`: each
    `BatchNormalization` is multiplied into the convolution before it, or becomes
    one scale and one offset. The function that `freeze` returns computes what the
    network does, but for rounding.

    A copy of the network's graph is made once; it shares the variables and leaves
    the network as it is. What is no graph of layers (a subclass of `keras.Model`
    with a `call` of its own) or no convolution or normalisation that is known
    here runs as it is.

    Args:
        network: A built `keras.Model` with one input and one output.

    Example:

    >>> import keras_m2m
    >>> network = keras_m2m.resnet32(10)
    >>> logits = FoldedNetwork(network).freeze()
    >>> logits(ops.zeros((2, 32, 32, 3))).shape[1]
    10

    Source: Jacob et al., Quantization and training of neural networks for efficient
    integer-arithmetic-only inference (CVPR 2018), section 3.2, for the folding.
    """

    def __init__(self, network: keras.Model) -> None:
        self.network = network
        self._norms: list = []  # (BatchNormalization, the convolution before or None)
        self._convolutions: list = []  # FoldedConv2D
        self._others: list = []  # Borrowed
        self._copy = self._copied(network) if _is_graph(network) else None

    @property
    def nests(self) -> bool:
        """Whether XLA's CPU code is as fast in loops and branches as outside.

        That is, whether every convolution can have a forward gradient. The kernels
        of others are recognised by their number of axes.
        """
        weights = [w for layer in self._others for w in layer.weights]
        return self._copy is not None and all(len(w.shape) < 3 for w in weights)

    def freeze(self, forward_gradient: bool = False) -> Callable:
        """Fold the weights as they are now.

        Args:
            forward_gradient: Whether convolutions get their input gradient from
                `conv2d_with_forward_gradient`.

        Returns:
            Function from samples `(batch, ...)` to logits `(batch, num_classes)`.
        """
        network = self._copy or self.network
        mapping = {id(v): (v, ops.stop_gradient(v)) for v in self.network.variables}
        for norm, conv in self._norms:
            for variable, value in _folded(norm, conv):
                mapping[id(variable)] = (variable, value)
        for layer in self._convolutions:
            layer.forward_gradient = forward_gradient

        def logits(x):
            with keras.StatelessScope(state_mapping=mapping.values()):
                return network(x, training=False)

        return logits

    def _copied(self, network):
        graph = keras.Model(network.inputs, network.outputs)
        convolution_before = _foldable(graph)
        followed = {id(conv): norm for norm, conv in convolution_before.values()}

        def stand_in(operation):
            if isinstance(operation, keras.Model) and _is_graph(operation):
                return self._copied(operation)
            if type(operation) is keras.layers.BatchNormalization:
                _, conv = convolution_before.get(id(operation), (None, None))
                self._norms.append((operation, conv))
                return (Skipped if conv else ScaleAndShift)(operation)
            if _is_plain_convolution(operation):
                layer = FoldedConv2D(operation, followed.get(id(operation)))
                self._convolutions.append(layer)
                return layer
            self._others.append(Borrowed(operation))
            return self._others[-1]

        return keras.models.clone_model(graph, clone_function=stand_in)


def _is_graph(network):
    """Whether calling the network is running through its graph, and no more."""
    functional = type(keras.Model(inputs := keras.Input((1,)), inputs))
    plain = (functional.call, keras.Sequential.call)
    return isinstance(network, keras.Model) and type(network).call in plain


def _is_plain_convolution(layer):
    return (
        type(layer) is keras.layers.Conv2D
        and layer.groups == 1
        and tuple(layer.dilation_rate) == (1, 1)
        and isinstance(layer.kernel, keras.Variable)  # and no low-rank update
    )


def _foldable(graph):
    """By id of a BatchNormalization: itself and the convolution to fold it into."""
    try:
        consumed = [
            id(tensor)
            for operation in graph.operations
            for tensor in keras.tree.flatten(operation.input)
        ]
        produced = {
            id(operation.output): operation
            for operation in graph.operations
            if _is_plain_convolution(operation)
        }
    except (AttributeError, ValueError):
        # An operation in several places: Keras does not tell what goes into it.
        return {}
    consumed += [id(tensor) for tensor in graph.outputs]
    pairs = {}
    for norm in graph.operations:
        if type(norm) is keras.layers.BatchNormalization:
            conv = produced.get(id(norm.input))
            if conv and consumed.count(id(conv.output)) == 1 and _linear(conv, norm):
                pairs[id(norm)] = (norm, conv)
    return pairs


def _linear(conv, norm):
    """Whether nothing comes between, and both mean the same by a channel."""
    axis = 1 if conv.data_format == "channels_first" else 3
    same_axis = norm.axis % len(conv.output.shape) == axis
    return conv.activation is keras.activations.linear and same_axis


def _folded(norm, conv):
    """Pairs of a variable and what stands in for its value."""
    variance = ops.stop_gradient(norm.moving_variance)
    scale = ops.rsqrt(variance + norm.epsilon)
    if norm.scale:
        scale = scale * ops.stop_gradient(norm.gamma)
    offset = -ops.stop_gradient(norm.moving_mean) * scale
    if norm.center:
        offset = offset + ops.stop_gradient(norm.beta)
    if conv is None:
        return [(norm.moving_mean, offset), (norm.moving_variance, scale)]
    if conv.use_bias:
        offset = offset + ops.stop_gradient(conv.bias) * scale
    kernel = ops.stop_gradient(conv.kernel) * scale
    return [(norm.moving_mean, offset), (conv.kernel, kernel)]
