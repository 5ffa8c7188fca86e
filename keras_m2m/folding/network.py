"""A network with its weights folded, to be called many times for few weights."""

import collections
from collections.abc import Callable

import keras
from keras import ops

from keras_m2m.checks import is_graph
from keras_m2m.folding.layers import FoldedConvolution
from keras_m2m.folding.layers import FoldedNorm
from keras_m2m.folding.layers import channel_axis
from keras_m2m.layers import FusedBatchNormalization

_CONVOLUTIONS = (keras.layers.Conv1D, keras.layers.Conv2D)
_NORMS = (keras.layers.BatchNormalization, FusedBatchNormalization)


class FoldedNetwork:
    """Runs a classifier in inference mode, with less work per call.

    A translation calls f and g many times while their weights stand still. So
    all that depends on weights alone is done once, by `freeze`: each
    `BatchNormalization` is multiplied into the convolution before it, or becomes
    one scale and one offset. The function that `freeze` returns computes what the
    network does, up to rounding.

    A copy of the network's graph is made once, and by `refresh` again. It shares the
    variables and leaves the network as it is. Convolutions and normalisations of other
    kinds run as they are. So does a whole network that is not a plain graph of layers:
    a subclass of `keras.Model` with its own `call`, or one whose layers share weights.

    Args:
        network: A built `keras.Model` with one input and one output.

    Attributes:
        nests: Whether XLA's CPU code is as fast in loops and branches as outside: that
            is, whether every convolution can have a forward gradient. The kernels of
            unknown ones are recognised by their number of axes.

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
        self._fold()

    def refresh(self) -> bool:
        """Make the copy anew if the network has other variables.

        For the host, before a step: in compiled code variables have no values.

        Returns:
            Whether it has.
        """
        now, then = self.network.variables, self._variables
        changed = len(now) != len(then) or any(a is not b for a, b in zip(now, then))
        if changed:
            self._fold()
        return changed

    def _fold(self):
        self._variables = list(self.network.variables)
        self._convolutions: list = []  # their stand-ins
        self._norms: list = []  # BatchNormalization, and its convolution or None
        self._others: list = []  # layers that run as they are
        self._copy = self._copied(self.network) if is_graph(self.network) else None
        weights = [weight for layer in self._others for weight in layer.weights]
        self.nests = self._copy is not None and all(len(w.shape) < 3 for w in weights)
        if self._has_shared_weights():
            # Those of one place would be scaled for the other too.
            self._copy, self._norms, self._convolutions = None, [], []
            self.nests = False

    def _has_shared_weights(self):
        known = [layer.conv for layer in self._convolutions]
        known += [norm for norm, _ in self._norms]
        weights = [w for layer in [*known, *self._others] for w in layer.weights]
        return len({id(weight) for weight in weights}) < len(weights)

    def freeze(self, forward_gradient: bool = False) -> Callable:
        """Fold the weights as they are now.

        Args:
            forward_gradient: Whether convolutions get their input gradient from
                `conv_with_forward_gradient`.

        Returns:
            Function from samples `(batch, ...)` to logits `(batch, num_classes)`.
        """
        network = self._copy or self.network
        mapping = {id(v): (v, ops.stop_gradient(v)) for v in self.network.variables}
        for norm, conv in self._norms:
            values = _folded(norm, conv)
            mapping.update((id(variable), (variable, v)) for variable, v in values)
        for layer in self._convolutions:
            layer.forward_gradient = forward_gradient

        def logits(x):
            with keras.StatelessScope(state_mapping=mapping.values()):
                return network(x, training=False)

        return logits

    def _copied(self, network):
        calls = []

        def stand_in(operation):
            if isinstance(operation, keras.Model) and is_graph(operation):
                return self._copied(operation)
            if type(operation) in _NORMS:
                return FoldedNorm(operation)
            if _is_plain_convolution(operation):
                self._convolutions.append(FoldedConvolution(operation))
                return self._convolutions[-1]
            if isinstance(operation, keras.Layer):
                self._others.append(operation)
            return operation

        def call(operation, *args, **kwargs):
            outputs = operation(*args, **kwargs)
            calls.append((operation, keras.tree.flatten((args, kwargs)), outputs))
            return outputs

        if isinstance(network, keras.Sequential):
            graph = keras.Model(network.inputs[0], network.outputs[0])
        else:
            # A copy of its own, since a compiled network's would be compiled too.
            graph = keras.Model(network.input, network.output)
        copy = keras.models.clone_model(
            graph, clone_function=stand_in, call_function=call
        )
        self._norms += _with_convolutions(calls, copy.outputs)
        return copy


def _is_plain_convolution(layer):
    return (
        type(layer) in _CONVOLUTIONS
        and layer.groups == 1
        and set(layer.dilation_rate) == {1}
        and layer.padding != "causal"
        and isinstance(layer.kernel, keras.Variable)  # and no low-rank update
    )


def _with_convolutions(calls, outputs):
    """Each normalisation of a graph and the convolution that can take its scale.

    Args:
        calls: For each call in the graph: what was called, its arguments, and the
            tensor that it returned.
        outputs: List of the tensors that the graph returns.

    Returns:
        Dict values of pairs `(BatchNormalization, convolution or None)`.
    """
    times = collections.Counter(id(layer) for layer, _, _ in calls)
    used = collections.Counter(id(tensor) for tensor in outputs)
    for _, arguments, _ in calls:
        used.update(id(argument) for argument in arguments)
    before = {
        id(output): layer.conv
        for layer, _, output in calls
        if isinstance(layer, FoldedConvolution)
        and times[id(layer)] == used[id(output)] == 1
    }
    pairs = {}
    for layer, arguments, _ in calls:
        if isinstance(layer, FoldedNorm):
            conv = before.get(id(arguments[0])) if times[id(layer)] == 1 else None
            layer.scaled = conv is not None and _linear(conv, layer.norm)
            pairs[id(layer)] = (layer.norm, conv if layer.scaled else None)
    return pairs.values()


def _linear(conv, norm):
    """Whether nothing comes between, and both mean the same by a channel."""
    same_axis = norm.axis % (conv.rank + 2) == channel_axis(conv)
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
    values = [(norm.moving_mean, offset), (norm.moving_variance, scale)]
    if conv is not None:
        # The kernel's last axis is that of the filters; a bias has no other.
        weights = [conv.kernel, conv.bias] if conv.use_bias else [conv.kernel]
        values += [(weight, ops.stop_gradient(weight) * scale) for weight in weights]
    return values
