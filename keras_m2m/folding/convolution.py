"""A convolution whose input gradient is a convolution that runs forwards."""

from collections.abc import Sequence
from typing import Any

from keras import ops


def conv_with_forward_gradient(
    x: Any, kernel: Any, strides: Sequence[int], padding: str, data_format: str
) -> Any:
    """`keras.ops.conv` with another way to compute its input gradient.

    XLA compiles the input gradient of a convolution for a CPU about nine times
    slower where the code is nested, as in a loop or a branch (jax-ml/jax#12868).
    Forward convolutions do not suffer, and the gradient can be written as one:
    of the incoming gradient, spread out by the strides, with the kernel flipped
    in space, or in time, and transposed in its channels.

    Only `x` may be differentiated: the kernel has no gradient here.

    Args:
        x: float tensor `(batch, height, width, channels)`, or
            `(batch, channels, height, width)`, or the same of another number of axes,
            such as `(batch, length, channels)`; all sizes known but that of the batch.
        kernel: float tensor `(kernel height, kernel width, channels, filters)`, or
            `(kernel length, channels, filters)`, and so on.
        strides: A positive integer for each axis but those of batch and channels.
        padding: `"same"` or `"valid"`.
        data_format: `"channels_last"` or `"channels_first"`.

    Returns:
        float tensor in the same format, as `keras.ops.conv` returns it.

    Example:

    >>> import keras
    >>> x, kernel = keras.ops.ones((1, 4, 4, 1)), keras.ops.ones((3, 3, 1, 2))
    >>> arguments = {"padding": "same", "data_format": "channels_last"}
    >>> result = conv_with_forward_gradient(x, kernel, (2, 2), **arguments)
    >>> tuple(result.shape)
    (1, 2, 2, 2)

    Source: Dumoulin and Visin, A guide to convolution arithmetic for deep learning
    (2016), section 4.
    """
    first = 1 if data_format == "channels_last" else 2
    spatial = tuple(range(first, first + len(strides)))
    sizes = [x.shape[axis] for axis in spatial]

    @ops.custom_gradient
    def convolve(x):
        def gradient(*args, upstream=None):
            incoming = args[0] if upstream is None else upstream
            for axis, size, extent, stride in zip(
                spatial, sizes, kernel.shape[: len(spatial)], strides, strict=True
            ):
                before = _padding_before(size, extent, stride, padding)
                incoming = _spread(incoming, axis, stride)
                incoming = _fit(incoming, axis, extent - 1 - before, size + extent - 1)
            over = tuple(range(len(spatial)))
            flipped = ops.swapaxes(ops.flip(kernel, over), -1, -2)
            return ops.conv(incoming, flipped, 1, "valid", data_format)

        return ops.conv(x, kernel, strides, padding, data_format), gradient

    return convolve(x)


def _padding_before(size, extent, stride, padding):
    """Zeros that "same" puts before the first of `size` values, 0 for "valid"."""
    if padding == "valid":
        return 0
    outputs = -(-size // stride)
    return max((outputs - 1) * stride + extent - size, 0) // 2


def _spread(x, axis, stride):
    """Put `stride - 1` zeros after each value along an axis."""
    if stride == 1:
        return x
    shape = list(x.shape)
    shape[0] = -1
    shape[axis] *= stride
    padding = [[0, 0]] * (len(shape) + 1)
    padding[axis + 1] = [0, stride - 1]
    return ops.reshape(ops.pad(ops.expand_dims(x, axis + 1), padding), shape)


def _fit(x, axis, before, length):
    """Zeros before and after along an axis, up to a length; too long is cut."""
    kept = min(x.shape[axis], length - before)
    inside = [slice(None)] * len(x.shape)
    inside[axis] = slice(0, kept)
    padding = [[0, 0]] * len(x.shape)
    padding[axis] = [before, length - before - kept]
    return ops.pad(x[tuple(inside)], padding)
