"""What the networks are made of: layers as PyTorch has them, with weight decay."""

import math
from collections.abc import Sequence
from typing import Any

import keras
from numpy.typing import ArrayLike

from keras_m2m.checks import LARGEST
from keras_m2m.checks import MOST_CLASSES
from keras_m2m.checks import as_array
from keras_m2m.checks import check_real
from keras_m2m.checks import check_whole
from keras_m2m.layers import CosineDense
from keras_m2m.layers import FusedBatchNormalization


def image_shape(size: int) -> tuple[int, int, int]:
    """Shape of a square colour image of `size` pixels a side, as Keras is set."""
    return (3, size, size) if _channel_axis(4) == 1 else (size, size, 3)


def _channel_axis(axes):
    """That of samples of so many axes; those of series come last whatever is set."""
    first = keras.config.image_data_format() == "channels_first"
    return 1 if first and axes > 3 else -1


def _channels(input_shape):
    """Size of the channel axis, or of a vector, in a shape without the batch."""
    return input_shape[0 if _channel_axis(len(input_shape) + 1) == 1 else -1]


def check_image_shape(input_shape: Sequence[int | None] | None, size: int) -> tuple:
    """The shape of an image, of open height and width if they are None."""
    if input_shape is None:
        return image_shape(size)
    shape = _whole_shape(input_shape, or_none=True)
    if len(shape) != 3 or _channels(shape) is None:
        raise ValueError(
            "`input_shape` must be that of an image, three axes with its channels "
            f"where `image_data_format` says. Received: input_shape={input_shape}"
        )
    return shape


def check_series_shape(input_shape: Sequence[int | None]) -> tuple:
    """`(length, channels)`, of open length if that is None."""
    shape = _whole_shape(input_shape, or_none=True)
    if len(shape) != 2 or shape[1] is None:
        raise ValueError(
            "`input_shape` must be that of a series, (length, channels), as in "
            f"(187, 1). Received: input_shape={input_shape}"
        )
    return shape


def check_vector_shape(input_shape: Sequence[int]) -> tuple:
    """A shape of at least one axis."""
    shape = _whole_shape(input_shape)
    if not shape:
        raise ValueError(
            "`input_shape` must have at least one axis, as in (30,). "
            f"Received: input_shape={input_shape}"
        )
    return shape


def _whole_shape(input_shape, or_none=False):
    try:
        return tuple(
            None if or_none and size is None else check_whole(size=size)
            for size in input_shape
        )
    except (TypeError, ValueError) as error:
        raise ValueError(
            "`input_shape` must be a tuple of positive integers, without the batch. "
            f"Received: input_shape={input_shape}"
        ) from error


def normalised_input(
    input_shape: tuple, mean: ArrayLike | None, variance: ArrayLike | None
) -> tuple[Any, Any]:
    """An input, and what is left of it after its statistics, if there are any."""
    inputs = keras.Input(input_shape, name="samples")
    if (mean is None) != (variance is None):
        raise ValueError(
            "`mean` and `variance` go together: give both or neither. "
            f"Received: mean={mean}, variance={variance}"
        )
    if mean is None:
        return inputs, inputs
    axis = _channel_axis(len(input_shape) + 1)
    size = _channels(input_shape)
    mean = _statistic(size, -LARGEST, mean=mean)
    variance = _statistic(size, 0, variance=variance)
    normalise = keras.layers.Normalization(axis=axis, mean=mean, variance=variance)
    return inputs, normalise(inputs)


def _statistic(size, low, **argument):
    """The one keyword argument as so many plain floats, as a saved model holds them."""
    ((name, value),) = argument.items()
    values = as_array(**argument)
    numbers = values.shape == (size,) and values.dtype.kind in "iuf"
    # NaN compares false.
    if not numbers or not ((values >= low) & (values <= LARGEST)).all():
        raise ValueError(
            f"`{name}` must be {size} finite numbers of at least {low:g}, one for each "
            f"entry of the last axis, or of the channels. Received: {name}={value}"
        )
    return [float(each) for each in values]


def decay_of(weight_decay: float) -> keras.Regularizer | None:
    """The regulariser whose gradient is `weight_decay * w`, or None."""
    check_real(0, weight_decay=weight_decay)
    return keras.regularizers.L2(weight_decay / 2) if weight_decay else None


def he_fan_out() -> keras.Initializer:
    """How kernels of convolutions are drawn; one for each, or they would be alike."""
    return keras.initializers.VarianceScaling(2.0, "fan_out", "untruncated_normal")


def conv(
    x: Any, filters: int, size: int, strides: int, decay: keras.Regularizer | None
) -> Any:
    """A convolution without bias, padded by `size // 2` pixels on every side."""
    if strides > 1 and size > 1:
        # Keras' "same" would pad the bottom and the right only.
        x = keras.layers.ZeroPadding2D(size // 2)(x)
    return keras.layers.Conv2D(
        filters,
        size,
        strides,
        padding="same" if strides == 1 else "valid",
        use_bias=False,
        kernel_initializer=he_fan_out(),
        kernel_regularizer=decay,
    )(x)


def batch_norm(x: Any, decay: keras.Regularizer | None) -> Any:
    """BatchNorm with PyTorch's constants."""
    return FusedBatchNormalization(
        axis=_channel_axis(len(x.shape)),
        momentum=0.9,
        epsilon=1e-5,
        gamma_regularizer=decay,
        beta_regularizer=decay,
    )(x)


def relu(x: Any) -> Any:
    """A ReLU as a layer."""
    return keras.layers.ReLU()(x)


def dense(
    x: Any,
    units: int,
    decay: keras.Regularizer | None,
    activation: str | None = None,
    name: str | None = None,
) -> Any:
    """A dense layer, its weights drawn from `±1/sqrt(fan_in)`."""
    limit = 1 / math.sqrt(x.shape[-1])
    return keras.layers.Dense(
        units,
        activation=activation,
        kernel_initializer=keras.initializers.RandomUniform(-limit, limit),
        bias_initializer=keras.initializers.RandomUniform(-limit, limit),
        kernel_regularizer=decay,
        bias_regularizer=decay,
        name=name,
    )(x)


def check_head(head: str, num_classes: int) -> None:
    """Raise unless `head_layer` takes them; before a network is built up to it."""
    check_whole(2, MOST_CLASSES, num_classes=num_classes)
    heads = ("dense", "cosine", "logit") if num_classes == 2 else ("dense", "cosine")
    if not isinstance(head, str) or head not in heads:
        raise ValueError(
            '`head` must be "dense", "cosine", or for two classes "logit". '
            f"Received: head={head!r}, num_classes={num_classes}"
        )


def head_layer(
    x: Any, head: str, num_classes: int, decay: keras.Regularizer | None
) -> Any:
    """The last layer: logits, a single one for `head="logit"`, or cosines."""
    if head == "cosine":
        return CosineDense(num_classes, kernel_regularizer=decay, name="logits")(x)
    return dense(x, 1 if head == "logit" else num_classes, decay, name="logits")
