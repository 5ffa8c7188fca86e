"""Networks for small images, whose first convolution keeps their size."""

from collections.abc import Sequence
from typing import Any

import keras
from numpy.typing import ArrayLike

from keras_m2m.checks import check_whole
from keras_m2m.layers import OptionAShortcut
from keras_m2m.models.parts import batch_norm
from keras_m2m.models.parts import check_head
from keras_m2m.models.parts import check_image_shape
from keras_m2m.models.parts import conv
from keras_m2m.models.parts import decay_of
from keras_m2m.models.parts import head_layer
from keras_m2m.models.parts import normalised_input
from keras_m2m.models.parts import relu

_DEEPEST = 10_000  # He et al. go to 1,202.


def cifar_resnet(
    depth: int,
    num_classes: int,
    input_shape: Sequence[int] | None = None,
    mean: ArrayLike | None = None,
    variance: ArrayLike | None = None,
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
    >>> import math
    >>> sum(math.prod(weight.shape) for weight in model.trainable_weights)
    464154

    Source: He et al., Deep residual learning (CVPR 2016), section 4.2.
    """
    blocks, rest = divmod(check_whole(1, _DEEPEST, depth=depth) - 2, 6)
    if rest or not blocks:
        raise ValueError(
            f"`depth` must be 6n + 2, such as 20 or 32. Received: depth={depth}"
        )
    check_head(head, num_classes)
    decay = decay_of(weight_decay)
    inputs, x = normalised_input(check_image_shape(input_shape, 32), mean, variance)
    x = relu(batch_norm(conv(x, 16, 3, 1, decay), decay))
    for stage, filters in enumerate((16, 32, 64)):
        for block in range(blocks):
            strides = 2 if stage and not block else 1
            shortcut = x if strides == 1 else OptionAShortcut(filters, strides)(x)
            y = relu(batch_norm(conv(x, filters, 3, strides, decay), decay))
            y = batch_norm(conv(y, filters, 3, 1, decay), decay)
            x = relu(keras.layers.Add()([y, shortcut]))
    x = keras.layers.GlobalAveragePooling2D()(x)
    outputs = head_layer(x, head, num_classes, decay)
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
    mean: ArrayLike | None = None,
    variance: ArrayLike | None = None,
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
    check_head(head, num_classes)
    decay = decay_of(weight_decay)
    inputs, x = normalised_input(check_image_shape(input_shape, 32), mean, variance)
    x = conv(x, 64, 3, 1, decay)
    for stage, filters in enumerate((64, 128, 256, 512)):
        for block in range(2):
            strides = 2 if stage and not block else 1
            y = relu(batch_norm(x, decay))
            shortcut = x if strides == 1 else conv(y, filters, 1, strides, decay)
            y = conv(y, filters, 3, strides, decay)
            y = conv(relu(batch_norm(y, decay)), filters, 3, 1, decay)
            x = keras.layers.Add()([y, shortcut])
    x = keras.layers.GlobalAveragePooling2D()(relu(batch_norm(x, decay)))
    return keras.Model(inputs, head_layer(x, head, num_classes, decay), name=name)
