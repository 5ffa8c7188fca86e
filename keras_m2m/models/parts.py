"""What the networks are made of: layers as PyTorch has them, with weight decay."""

import math

import keras

from keras_m2m.checks import check_real
from keras_m2m.checks import check_whole
from keras_m2m.layers import CosineDense
from keras_m2m.layers import FusedBatchNormalization


def image_shape(size):
    """Shape of a square colour image of `size` pixels a side, as Keras is set."""
    return (3, size, size) if _channel_axis() == 1 else (size, size, 3)


def _channel_axis():
    return 1 if keras.config.image_data_format() == "channels_first" else -1


def normalised_input(input_shape, mean, variance):
    """An input, and what is left of it after its statistics, if there are any."""
    inputs = keras.Input(tuple(input_shape), name="samples")
    if (mean is None) != (variance is None):
        raise ValueError(
            "`mean` and `variance` go together: give both or neither. "
            f"Received: mean={mean}, variance={variance}"
        )
    if mean is None:
        return inputs, inputs
    axis = _channel_axis() if len(input_shape) > 1 else -1
    # Plain floats, since a saved model holds them in its configuration.
    mean, variance = ([float(value) for value in v] for v in (mean, variance))
    normalise = keras.layers.Normalization(axis=axis, mean=mean, variance=variance)
    return inputs, normalise(inputs)


def decay_of(weight_decay):
    """The regulariser whose gradient is `weight_decay * w`, or None."""
    check_real(0, weight_decay=weight_decay)
    return keras.regularizers.L2(weight_decay / 2) if weight_decay else None


def conv(filters, size, strides, x, decay):
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
        kernel_initializer=keras.initializers.VarianceScaling(
            2.0, "fan_out", "untruncated_normal"
        ),
        kernel_regularizer=decay,
    )(x)


def batch_norm(x, decay):
    """BatchNorm with PyTorch's constants."""
    return FusedBatchNormalization(
        axis=_channel_axis(),
        momentum=0.9,
        epsilon=1e-5,
        gamma_regularizer=decay,
        beta_regularizer=decay,
    )(x)


def relu(x):
    """A ReLU as a layer."""
    return keras.layers.ReLU()(x)


def dense(units, x, decay, activation=None, name=None):
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


def head_layer(head, num_classes, x, decay):
    """The last layer: logits, or cosines for `head="cosine"`."""
    check_whole(2, num_classes=num_classes)
    if head == "dense":
        return dense(num_classes, x, decay, name="logits")
    if head == "cosine":
        return CosineDense(num_classes, kernel_regularizer=decay, name="logits")(x)
    raise ValueError(f'`head` must be "dense" or "cosine". Received: head={head!r}')
