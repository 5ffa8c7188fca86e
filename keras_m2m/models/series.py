"""Networks for series: windows of signals, of one channel or several."""

from collections.abc import Sequence
from typing import Any

import keras
from numpy.typing import ArrayLike

from keras_m2m.checks import check_whole
from keras_m2m.models.parts import batch_norm
from keras_m2m.models.parts import check_head
from keras_m2m.models.parts import check_series_shape
from keras_m2m.models.parts import decay_of
from keras_m2m.models.parts import he_fan_out
from keras_m2m.models.parts import head_layer
from keras_m2m.models.parts import normalised_input
from keras_m2m.models.parts import relu


def resnet1d(
    num_classes: int,
    input_shape: Sequence[int | None],
    width: int = 64,
    mean: ArrayLike | None = None,
    variance: ArrayLike | None = None,
    head: str = "dense",
    weight_decay: float = 0.0,
    name: str = "resnet1d",
) -> keras.Model:
    """The ResNet of time series classification: three blocks of three convolutions.

    The convolutions of a block reach over 8, 5 and 3 values. Blocks are `width`,
    `2 * width` and `2 * width` wide, and none shortens the series, which is averaged at
    the end. A block that widens has a projection as its shortcut, another one only a
    BatchNorm. As in the other networks here, convolutions before a BatchNorm have no
    bias, which would change nothing.

    Args:
        num_classes: Number of classes K.
        input_shape: `(length, channels)`, whatever `image_data_format` is; a length of
            None for series of any.
        width: Channels of the first block; 64 in the paper. Half as many take a
            quarter of the time.
        mean: See `mlp`; per channel.
        variance: See `mlp`; per channel.
        head: See `mlp`.
        weight_decay: See `mlp`.
        name: Name of the model.

    Returns:
        A `keras.Model` from series `(batch, length, channels)` to logits
        `(batch, num_classes)`.

    Raises:
        ValueError: If `input_shape` is not that of a series, or as for `mlp`.

    Example:

    >>> resnet1d(5, input_shape=(187, 1)).output_shape
    (None, 5)

    Source: Wang, Yan and Oates, Time series classification from scratch with deep
    neural networks (IJCNN 2017), with the shortcuts of Ismail Fawaz et al., Deep
    learning for time series classification: a review (2019).
    """
    check_head(head, num_classes)
    check_whole(width=width)
    decay = decay_of(weight_decay)
    inputs, x = normalised_input(check_series_shape(input_shape), mean, variance)
    for filters in (width, 2 * width, 2 * width):
        x = _block(x, filters, decay)
    x = keras.layers.GlobalAveragePooling1D(data_format="channels_last")(x)
    return keras.Model(inputs, head_layer(x, head, num_classes, decay), name=name)


def _block(x: Any, filters: int, decay: keras.Regularizer | None) -> Any:
    y = relu(batch_norm(_conv(x, filters, 8, decay), decay))
    y = relu(batch_norm(_conv(y, filters, 5, decay), decay))
    y = batch_norm(_conv(y, filters, 3, decay), decay)
    widens = x.shape[-1] != filters
    shortcut = _conv(x, filters, 1, decay) if widens else x
    return relu(keras.layers.Add()([y, batch_norm(shortcut, decay)]))


def _conv(x: Any, filters: int, size: int, decay: keras.Regularizer | None) -> Any:
    return keras.layers.Conv1D(
        filters,
        size,
        padding="same",
        data_format="channels_last",
        use_bias=False,
        kernel_initializer=he_fan_out(),
        kernel_regularizer=decay,
    )(x)
