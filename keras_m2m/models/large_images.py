"""Networks for large images, whose first layers make them a quarter as wide."""

from collections.abc import Sequence

import keras
from numpy.typing import ArrayLike

from keras_m2m.models.parts import batch_norm
from keras_m2m.models.parts import check_head
from keras_m2m.models.parts import check_image_shape
from keras_m2m.models.parts import conv
from keras_m2m.models.parts import decay_of
from keras_m2m.models.parts import head_layer
from keras_m2m.models.parts import normalised_input
from keras_m2m.models.parts import relu


def resnet50(
    num_classes: int,
    input_shape: Sequence[int] | None = None,
    mean: ArrayLike | None = None,
    variance: ArrayLike | None = None,
    head: str = "dense",
    weight_decay: float = 0.0,
    name: str = "resnet50",
) -> keras.Model:
    """ResNet-50, the paper's network for ImageNet-LT.

    Four stages of 3, 4, 6 and 3 bottlenecks. Those that halve the size do it in
    their 3×3 convolution, as PyTorch's do ("v1.5"), and padding is PyTorch's too.

    Args:
        num_classes: Number of classes K.
        input_shape: Shape of an image; None for 128×128 colour images in the order
            of `keras.config.image_data_format()`.
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

    >>> model = resnet50(1000)
    >>> import math
    >>> sum(math.prod(weight.shape) for weight in model.trainable_weights)
    25557032

    Source: He et al., Deep residual learning (CVPR 2016), table 1; Goyal et al.,
    Accurate, large minibatch SGD (2017), section 5.1, for the place of the stride.
    """
    check_head(head, num_classes)
    decay = decay_of(weight_decay)
    inputs, x = normalised_input(check_image_shape(input_shape, 128), mean, variance)
    x = relu(batch_norm(conv(x, 64, 7, 2, decay), decay))
    # Nothing is below the zeros of the padding after a ReLU, so they never win.
    x = keras.layers.ZeroPadding2D(1)(x)
    x = keras.layers.MaxPooling2D(3, 2)(x)
    for stage, blocks in enumerate((3, 4, 6, 3)):
        for block in range(blocks):
            strides = 2 if stage and not block else 1
            x = _bottleneck(x, 64 * 2**stage, strides, decay, project=not block)
    x = keras.layers.GlobalAveragePooling2D()(x)
    return keras.Model(inputs, head_layer(x, head, num_classes, decay), name=name)


def _bottleneck(x, width, strides, decay, project):
    y = relu(batch_norm(conv(x, width, 1, 1, decay), decay))
    y = relu(batch_norm(conv(y, width, 3, strides, decay), decay))
    y = batch_norm(conv(y, 4 * width, 1, 1, decay), decay)
    if project:
        x = batch_norm(conv(x, 4 * width, 1, strides, decay), decay)
    return relu(keras.layers.Add()([y, x]))
