"""Stand-ins for the layers of a network whose weights are folded.

They own no variables. What they compute with are the values of the layers that
they stand for, which `FoldedNetwork` replaces for the time of a call: those of a
convolution's kernel by the scaled one, those of the moving mean and variance of a
BatchNormalization by the offset and scale that remain of it.
"""

from typing import Any

import keras
from keras import ops

from keras_m2m.folding.convolution import conv2d_with_forward_gradient


class FoldedConv2D(keras.layers.Layer):
    """A `Conv2D`.

    Attributes:
        conv: The layer that this stands for.
        forward_gradient: Whether the input gradient is computed by a forward
            convolution.
    """

    def __init__(self, conv: keras.layers.Conv2D) -> None:
        # Inputs are cast here as the layer would, whatever the global policy.
        super().__init__(name=conv.name, autocast=False)
        self.supports_masking = conv.supports_masking
        self.conv = conv
        self.forward_gradient = False

    def call(self, x: Any) -> Any:
        conv, dtype = self.conv, self.conv.compute_dtype
        x = self._convolve(ops.cast(x, dtype), ops.cast(conv.kernel, dtype))
        if conv.use_bias:
            axis = 1 if conv.data_format == "channels_first" else 3
            x = x + _along_channels(conv.bias, x, axis)
        return conv.activation(x)

    def _convolve(self, x, kernel):
        conv = self.conv
        arguments = (kernel, conv.strides, conv.padding)
        if self.forward_gradient and None not in x.shape[1:]:
            return conv2d_with_forward_gradient(x, *arguments, conv.data_format)
        if keras.config.backend() == "torch" and conv.data_format == "channels_last":
            # Keras would copy the input twice. Like this, PyTorch sees a tensor
            # in its own channels-last memory format, and nothing is copied.
            x = ops.conv(ops.transpose(x, (0, 3, 1, 2)), *arguments, "channels_first")
            return ops.transpose(x, (0, 2, 3, 1))
        return ops.conv(x, *arguments, conv.data_format)


class FoldedNorm(keras.layers.Layer):
    """A `BatchNormalization`: a scale and an offset.

    Attributes:
        norm: The layer that this stands for.
        scaled: Whether the convolution before it has the scale in its weights.
    """

    def __init__(self, norm: keras.layers.BatchNormalization) -> None:
        super().__init__(name=norm.name, autocast=False)
        self.supports_masking = norm.supports_masking
        self.norm, self.scaled = norm, False

    def call(self, x: Any, mask: Any = None) -> Any:
        norm = self.norm
        if not self.scaled:
            x = x * _along_channels(norm.moving_variance, x, norm.axis)
        return x + _along_channels(norm.moving_mean, x, norm.axis)


def _along_channels(values, x, axis):
    """The values, one a channel, shaped to spread over `x` and in its dtype."""
    shape = [1] * len(x.shape)
    shape[axis] = -1
    return ops.reshape(ops.cast(values, x.dtype), shape)
