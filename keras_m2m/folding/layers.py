"""Stand-ins for the layers of a network whose weights are folded.

They own no variables. What they compute with are the values of the layers that
they stand for, which `FoldedNetwork` replaces for the time of a call: those of a
convolution's kernel by the scaled one, those of the moving mean and variance of a
BatchNormalization by the offset and scale that remain of it.
"""

from typing import Any

import keras
from keras import ops

from keras_m2m.folding.convolution import conv_with_forward_gradient


class FoldedConvolution(keras.layers.Layer):
    """A `Conv1D` or `Conv2D`.

    Attributes:
        conv: The layer that this stands for.
        forward_gradient: Whether the input gradient is computed by a forward
            convolution.
    """

    def __init__(self, conv: keras.layers.Conv1D | keras.layers.Conv2D) -> None:
        # Inputs are cast here as the layer would, whatever the global policy.
        super().__init__(name=conv.name, autocast=False)
        self.supports_masking = conv.supports_masking
        self.conv = conv
        self.forward_gradient = False

    def call(self, x: Any) -> Any:
        conv, dtype = self.conv, self.conv.compute_dtype
        x = self._convolve(ops.cast(x, dtype), ops.cast(conv.kernel, dtype))
        if conv.use_bias:
            x = x + _along_channels(conv.bias, x, channel_axis(conv))
        return conv.activation(x)

    def _convolve(self, x, kernel):
        conv = self.conv
        arguments = (kernel, conv.strides, conv.padding)
        if self.forward_gradient and None not in x.shape[1:]:
            return conv_with_forward_gradient(x, *arguments, conv.data_format)
        if keras.config.backend() == "torch" and conv.data_format == "channels_last":
            return _convolve_by_torch(x, *arguments)
        return ops.conv(x, *arguments, conv.data_format)


def _convolve_by_torch(x, kernel, strides, padding):
    """Without the two copies of the input that Keras makes.

    PyTorch sees a tensor in its own channels-last memory format, and nothing is copied.
    It has this format for images alone, so series are images of one row: a translation
    of `resnet1d` takes a fifth less time than by its convolution of series.
    """
    series = len(strides) == 1
    if series:
        x, kernel, strides = x[:, None], kernel[None], (1, *strides)
    x = ops.transpose(x, (0, 3, 1, 2))
    x = ops.conv(x, kernel, strides, padding, "channels_first")
    x = ops.transpose(x, (0, 2, 3, 1))
    return x[:, 0] if series else x


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


def channel_axis(conv: keras.layers.Conv1D | keras.layers.Conv2D) -> int:
    """That of the channels, of what a convolution takes and returns."""
    return 1 if conv.data_format == "channels_first" else conv.rank + 1


def _along_channels(values, x, axis):
    """The values, one a channel, shaped to spread over `x` and in its dtype."""
    shape = [1] * len(x.shape)
    shape[axis] = -1
    return ops.reshape(ops.cast(values, x.dtype), shape)
