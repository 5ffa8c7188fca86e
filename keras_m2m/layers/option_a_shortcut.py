"""The shortcut without parameters of CIFAR ResNets."""

from typing import Any

import keras

from keras_m2m.checks import check_whole


@keras.saving.register_keras_serializable(package="keras_m2m")
class OptionAShortcut(keras.layers.Layer):
    """Shortcut of a CIFAR ResNet between two sizes, without parameters.

    Keeps every `strides`-th row and column, beginning with the first, and
    appends channels of zeros after the existing ones.

    Args:
        filters: Channels of the output, a positive integer, no fewer than the
            input has.
        strides: Step between the rows and columns kept, a positive integer.
        data_format: `"channels_last"`, `"channels_first"`, or `None` for
            `keras.config.image_data_format()`.
        **kwargs: Arguments of `keras.layers.Layer`, such as `name`, `dtype`.

    Call arguments:
        inputs: Feature maps of shape `(batch, height, width, channels)`, or
            `(batch, channels, height, width)` under `"channels_first"`.

    Returns:
        Feature maps in the same format with `ceil(height / strides)` rows,
        `ceil(width / strides)` columns and `filters` channels.

    Raises:
        ValueError: If an argument is out of its range, or the input has more
            than `filters` channels.

    Example:

    >>> import numpy as np
    >>> layer = OptionAShortcut(4, strides=2, data_format="channels_last")
    >>> out = layer(np.ones((1, 3, 3, 2)))
    >>> tuple(out.shape), [float(value) for value in out[0, 0, 0]]
    ((1, 2, 2, 4), [1.0, 1.0, 0.0, 0.0])

    Source: He et al., Deep Residual Learning (CVPR 2016), sections 3.3, 4.2.
    """

    def __init__(
        self, filters: int, strides: int, data_format: str | None = None, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.filters = check_whole(filters=filters)
        self.strides = check_whole(strides=strides)
        if data_format is None:
            data_format = keras.config.image_data_format()
        if str(data_format) not in ("channels_last", "channels_first"):
            raise ValueError(
                "`data_format` must be 'channels_last', 'channels_first' or None. "
                f"Received: data_format={data_format}"
            )
        self.data_format = str(data_format)

    @property
    def _channel_axis(self) -> int:
        return 1 if self.data_format == "channels_first" else 3

    def build(self, input_shape: tuple) -> None:
        if len(input_shape) != 4 or input_shape[self._channel_axis] > self.filters:
            raise ValueError(
                f"Expected feature maps of 4 axes, {self.data_format}, of at most "
                f"{self.filters} channels. Received: input_shape={input_shape}"
            )

    def call(self, inputs: Any) -> Any:
        step = slice(None, None, self.strides)
        spatial = [slice(None)] * 4
        for axis in {1, 2, 3} - {self._channel_axis}:
            spatial[axis] = step
        padding = [[0, 0] for _ in range(4)]
        missing = self.filters - inputs.shape[self._channel_axis]
        padding[self._channel_axis] = [0, missing]
        return keras.ops.pad(inputs[tuple(spatial)], padding)

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        shape = [None if n is None else -(-n // self.strides) for n in input_shape]
        shape[0] = input_shape[0]
        shape[self._channel_axis] = self.filters
        return tuple(shape)

    def get_config(self) -> dict:
        return {
            **super().get_config(),
            "filters": self.filters,
            "strides": self.strides,
            "data_format": self.data_format,
        }
