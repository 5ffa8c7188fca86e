"""The paper's networks as functional Keras models that return logits.

All take samples as they are, images in `[0, 1]`, and normalise them in the first
layer, so that translation, clipping and export live in the units of the data.
"""

import math
from collections.abc import Sequence
from typing import Any

import keras

from keras_m2m.checks import check_real
from keras_m2m.checks import check_whole
from keras_m2m.layers import CosineDense
from keras_m2m.layers import FusedBatchNormalization
from keras_m2m.layers import OptionAShortcut


def mlp(
    num_classes: int,
    input_shape: Sequence[int],
    hidden: int = 256,
    mean: Sequence[float] | None = None,
    variance: Sequence[float] | None = None,
    head: str = "dense",
    weight_decay: float = 0.0,
    name: str = "mlp",
) -> keras.Model:
    """Two fully-connected layers, for word vectors and bags of words.

    Args:
        num_classes: Number of classes K.
        input_shape: Shape of a sample; flattened if it has several axes.
        hidden: Units of the ReLU layer.
        mean: Mean per entry of the last axis, or of the channel axis for images;
            None with `variance=None` for no normalisation.
        variance: Variance per entry of the same axis.
        head: `"dense"`, or `"cosine"` for the cosines that `LDAMLoss` expects
            (see `CosineDense` for the way to probabilities).
        weight_decay: Coupled weight decay c, as PyTorch's SGD has it: every
            parameter gets the regulariser `L2(c / 2)`, of gradient `c * w`.
        name: Name of the model.

    Returns:
        A `keras.Model` from `(batch, *input_shape)` to logits
        `(batch, num_classes)`, weights drawn uniformly from
        `±1/sqrt(fan_in)`.

    Raises:
        ValueError: If `head` is unknown, a size is not a positive integer,
            `weight_decay` is negative, or only one of the statistics is given.

    Example:

    >>> mlp(36, input_shape=(1000,)).count_params()
    265508

    Source: Kim et al., M2m (CVPR 2020), supplement A (Twitter, Reuters).
    """
    inputs, x = _normalised_input(input_shape, mean, variance)
    if len(input_shape) > 1:
        x = keras.layers.Flatten()(x)
    decay = _decay(weight_decay)
    x = _dense(check_whole(hidden=hidden), x, decay, activation="relu")
    return keras.Model(inputs, _head(head, num_classes, x, decay), name=name)


def cifar_resnet(
    depth: int,
    num_classes: int,
    input_shape: Sequence[int] | None = None,
    mean: Sequence[float] | None = None,
    variance: Sequence[float] | None = None,
    head: str = "dense",
    weight_decay: float = 0.0,
    name: str | None = None,
) -> keras.Model:
    """The CIFAR ResNet of `6n + 2` layers: three stages of n blocks, 16/32/64 wide.

    Shortcuts have no parameters (option A). Like PyTorch's, a 3×3 convolution of
    stride 2 pads by one pixel on every side.

    Args:
        depth: `6n + 2`: 8, 14, 20, 32, 44, 56, ...
        num_classes: Number of classes K.
        input_shape: Shape of an image; None for 32×32 colour images in the order
            of `keras.config.image_data_format()`.
        mean: See `mlp`; per channel.
        variance: See `mlp`; per channel.
        head: See `mlp`.
        weight_decay: See `mlp`.
        name: Name of the model; None for `resnet{depth}`.

    Returns:
        A `keras.Model` from images in `[0, 1]` to logits `(batch, num_classes)`.

    Raises:
        ValueError: If `depth` is not `6n + 2`, or as for `mlp`.

    Example:

    >>> model = cifar_resnet(32, num_classes=10)
    >>> sum(math.prod(weight.shape) for weight in model.trainable_weights)
    464154

    Source: He et al., Deep residual learning (CVPR 2016), section 4.2.
    """
    blocks, rest = divmod(check_whole(depth=depth) - 2, 6)
    if rest or not blocks:
        raise ValueError(
            f"`depth` must be 6n + 2, such as 20 or 32. Received: depth={depth}"
        )
    decay = _decay(weight_decay)
    inputs, x = _normalised_input(input_shape or _cifar_shape(), mean, variance)
    x = _relu(_batch_norm(_conv(16, 3, 1, x, decay), decay))
    for stage, filters in enumerate((16, 32, 64)):
        for block in range(blocks):
            strides = 2 if stage and not block else 1
            shortcut = x if strides == 1 else OptionAShortcut(filters, strides)(x)
            y = _relu(_batch_norm(_conv(filters, 3, strides, x, decay), decay))
            y = _batch_norm(_conv(filters, 3, 1, y, decay), decay)
            x = _relu(keras.layers.Add()([y, shortcut]))
    x = keras.layers.GlobalAveragePooling2D()(x)
    outputs = _head(head, num_classes, x, decay)
    return keras.Model(inputs, outputs, name=name or f"resnet{depth}")


def resnet32(num_classes: int, **arguments: Any) -> keras.Model:
    """The paper's ResNet-32 for CIFAR-LT and CelebA-5.

    Args:
        num_classes: Number of classes K.
        **arguments: As for `cifar_resnet`.

    Returns:
        A `keras.Model` from images in `[0, 1]` to logits `(batch, num_classes)`.

    Raises:
        ValueError: As for `cifar_resnet`.

    Example:

    >>> resnet32(10, weight_decay=2e-4).name
    'resnet32'

    Source: Kim et al., M2m (CVPR 2020), section 3.1.
    """
    return cifar_resnet(32, num_classes, **arguments)


def preact_resnet18(
    num_classes: int,
    input_shape: Sequence[int] | None = None,
    mean: Sequence[float] | None = None,
    variance: Sequence[float] | None = None,
    head: str = "dense",
    weight_decay: float = 0.0,
    name: str = "preact_resnet18",
) -> keras.Model:
    """Pre-activation ResNet-18 for small images: four stages, 64 to 512 wide.

    Args:
        num_classes: Number of classes K.
        input_shape: See `cifar_resnet`.
        mean: See `mlp`; per channel.
        variance: See `mlp`; per channel.
        head: See `mlp`.
        weight_decay: See `mlp`.
        name: Name of the model.

    Returns:
        A `keras.Model` from images in `[0, 1]` to logits `(batch, num_classes)`.

    Raises:
        ValueError: As for `mlp`.

    Example:

    >>> preact_resnet18(397, weight_decay=2e-4).output_shape
    (None, 397)

    Source: He et al., Identity mappings (ECCV 2016), with the final BatchNorm and
    ReLU of that paper; the network of M2m's SUN397 experiments.
    """
    decay = _decay(weight_decay)
    inputs, x = _normalised_input(input_shape or _cifar_shape(), mean, variance)
    x = _conv(64, 3, 1, x, decay)
    for stage, filters in enumerate((64, 128, 256, 512)):
        for block in range(2):
            strides = 2 if stage and not block else 1
            y = _relu(_batch_norm(x, decay))
            shortcut = x if strides == 1 else _conv(filters, 1, strides, y, decay)
            y = _conv(filters, 3, strides, y, decay)
            y = _conv(filters, 3, 1, _relu(_batch_norm(y, decay)), decay)
            x = keras.layers.Add()([y, shortcut])
    x = keras.layers.GlobalAveragePooling2D()(_relu(_batch_norm(x, decay)))
    return keras.Model(inputs, _head(head, num_classes, x, decay), name=name)


def _cifar_shape():
    return (3, 32, 32) if _channels_first() else (32, 32, 3)


def _channels_first():
    return keras.config.image_data_format() == "channels_first"


def _channel_axis():
    return 1 if _channels_first() else -1


def _normalised_input(input_shape, mean, variance):
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


def _decay(weight_decay):
    """The regulariser whose gradient is `weight_decay * w`, or None."""
    check_real(0, weight_decay=weight_decay)
    return keras.regularizers.L2(weight_decay / 2) if weight_decay else None


def _conv(filters, size, strides, x, decay):
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


def _batch_norm(x, decay):
    return FusedBatchNormalization(
        axis=_channel_axis(),
        momentum=0.9,
        epsilon=1e-5,
        gamma_regularizer=decay,
        beta_regularizer=decay,
    )(x)


def _relu(x):
    return keras.layers.ReLU()(x)


def _dense(units, x, decay, activation=None, name=None):
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


def _head(head, num_classes, x, decay):
    check_whole(2, num_classes=num_classes)
    if head == "dense":
        return _dense(num_classes, x, decay, name="logits")
    if head == "cosine":
        return CosineDense(num_classes, kernel_regularizer=decay, name="logits")(x)
    raise ValueError(f'`head` must be "dense" or "cosine". Received: head={head!r}')
