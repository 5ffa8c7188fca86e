"""Layers that the paper's networks need and Keras lacks, and a setting of one."""

from typing import Any

import keras

from keras_m2m._backend import fused_batch_norm
from keras_m2m.checks import MOST_CLASSES
from keras_m2m.checks import check_flag
from keras_m2m.checks import check_model
from keras_m2m.checks import check_positive
from keras_m2m.checks import check_whole

# A vector whose squared norm is below this has no usable direction in float32.
SMALLEST_SQUARE = 1e-24


@keras.saving.register_keras_serializable(package="keras_m2m")
class CosineDense(keras.layers.Layer):
    """Classifier head whose logits are cosines, for LDAM and its relatives.

    The logit of a class is `scale` times the cosine of the angle between the
    input and the class' column of the kernel. It has no bias, and no class can
    win by a longer column. Known elsewhere as NormedLinear or CosNorm.

    Norms and products are computed in float32 (float64 under that policy) and
    the kernel is never rounded, whatever the policy; only the result is cast.
    An input of all zeros has no direction: its logits are 0, and their gradient
    is that of a product with unit columns, which is finite.

    Args:
        units: Number of classes, a positive integer.
        scale: Factor of the cosines, a positive float. Leave it at 1 where the
            loss scales, as `keras_m2m.losses.LDAMLoss` does.
        kernel_initializer: Initialiser of the kernel. The default gives columns
            of about unit length, whatever the input size.
        kernel_regularizer: Regulariser of the kernel, or `None`.
        **kwargs: Arguments of `keras.layers.Layer`, such as `name`, `dtype`.

    Call arguments:
        inputs: Features of shape `(batch, ..., dim)`, any float dtype.

    Returns:
        Logits of shape `(batch, ..., units)` in the layer's compute dtype,
        values in `[-scale, scale]`.

    Raises:
        ValueError: If `units` is not a positive integer, or `scale` is not
            positive.

    Example:

    >>> import numpy as np
    >>> layer = CosineDense(2, kernel_initializer="ones")
    >>> logits = layer(np.array([[5.0, 5.0]]))
    >>> cosines = keras.ops.stop_gradient(logits)[0]
    >>> [round(float(cosine), 4) for cosine in cosines]
    [1.0, 1.0]

    Source: Cao et al., LDAM (NeurIPS 2019), section 3.2; Wang et al.,
    NormFace (ACM MM 2017), section 3.
    """

    def __init__(
        self,
        units: int,
        scale: float = 1.0,
        kernel_initializer: str | keras.initializers.Initializer = "lecun_normal",
        kernel_regularizer: str | keras.regularizers.Regularizer | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.units = check_whole(1, MOST_CLASSES, units=units)
        self.scale = float(check_positive(scale=scale))
        self.kernel_initializer = keras.initializers.get(kernel_initializer)
        self.kernel_regularizer = keras.regularizers.get(kernel_regularizer)

    def build(self, input_shape: tuple) -> None:
        self.kernel = self.add_weight(
            name="kernel",
            shape=(input_shape[-1], self.units),
            initializer=self.kernel_initializer,
            regularizer=self.kernel_regularizer,
            # Under mixed precision a cast kernel would have lost its norm.
            autocast=False,
        )

    def call(self, inputs):
        # At least float32: squares overflow float16 from 256 on.
        wide = keras.backend.result_type(self.compute_dtype, "float32")
        features = _unit_length(keras.ops.cast(inputs, wide), axis=-1)
        columns = _unit_length(keras.ops.cast(self.kernel, wide), axis=0)
        cosines = keras.ops.matmul(features, columns)
        return keras.ops.cast(self.scale * cosines, self.compute_dtype)

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        return (*input_shape[:-1], self.units)

    def get_config(self) -> dict:
        return {
            **super().get_config(),
            "units": self.units,
            "scale": self.scale,
            "kernel_initializer": keras.initializers.serialize(self.kernel_initializer),
            "kernel_regularizer": keras.regularizers.serialize(self.kernel_regularizer),
        }


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

    def call(self, inputs):
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


@keras.saving.register_keras_serializable(package="keras_m2m")
class FusedBatchNormalization(keras.layers.BatchNormalization):
    """`keras.layers.BatchNormalization`, trained by the backend's own kernel.

    Computes what its base class does, but for rounding, in one pass instead of
    several: a training step of a ResNet-32 takes a third less time on TensorFlow.
    Where there is no such kernel (JAX, other than channels-last feature maps, with
    a mask, synchronised, not scaled or not centred), it is its base class.

    Args:
        **kwargs: Arguments of `keras.layers.BatchNormalization`.

    Call arguments:
        inputs: Feature maps of shape `(batch, height, width, channels)`, or
            whatever the base class takes, any float dtype.

    Returns:
        Tensor of the same shape in the layer's compute dtype.

    Raises:
        ValueError: As the base class.

    Example:

    >>> import numpy as np
    >>> layer = FusedBatchNormalization()
    >>> out = layer(np.arange(8.0).reshape(2, 2, 2, 1), training=True)
    >>> round(float(keras.ops.stop_gradient(keras.ops.std(out))), 3)
    1.0

    Source: Ioffe and Szegedy, Batch normalization (ICML 2015).
    """

    def call(self, inputs, training=None, mask=None):
        if not (training and self.trainable and self._has_kernel(inputs, mask)):
            return super().call(inputs, training=training, mask=mask)
        # In float32 whatever the policy, as Keras does it: squares may overflow.
        operands = (inputs, self.gamma, self.beta)
        operands = (keras.ops.cast(operand, "float32") for operand in operands)
        outputs, *statistics = fused_batch_norm(*operands, self.epsilon)
        moving = self.moving_mean, self.moving_variance
        for variable, value in zip(moving, statistics, strict=True):
            kept = variable * self.momentum
            variable.assign(kept + value * (1.0 - self.momentum))
        return keras.ops.cast(outputs, self.compute_dtype)

    def _has_kernel(self, inputs, mask):
        plain = mask is None and not self.synchronized and not self.renorm
        plain = plain and self.variable_dtype == "float32"
        maps = len(inputs.shape) == 4 and self.axis in (-1, 3)
        whole = self.scale and self.center
        return fused_batch_norm is not None and plain and maps and whole


def _unit_length(vectors, axis: int):
    """Vectors along `axis`, divided by their L2 norm; zero ones stay zero."""
    square = keras.ops.sum(keras.ops.square(vectors), axis=axis, keepdims=True)
    # Dividing by max(norm, tiny) would be finite too, but with gradients of
    # 1 / tiny at zero inputs, enough to ruin the weights in one step.
    safe = keras.ops.where(square > SMALLEST_SQUARE, square, 1.0)
    return vectors * keras.ops.rsqrt(safe)


def synchronize_batch_norm(network: keras.Model, synchronized: bool = True) -> None:
    """Let every `BatchNormalization` of a network use the batch of all replicas.

    Needed on TensorFlow under `tf.distribute.MirroredStrategy`, where each replica
    otherwise normalises by the statistics of its own rows. Call it before `compile`.
    A network saved so loads on no other backend: set False before `save`.

    Args:
        network: The network, changed in place. Layers of nested models count too;
            those hidden inside other layers do not.
        synchronized: Whether statistics are those of all replicas.

    Returns:
        None.

    Raises:
        ValueError: If `network` is no model, or `synchronized` on another backend
            than TensorFlow. JAX needs none, and PyTorch trains on one device.

    Example:

    >>> norm = keras.layers.BatchNormalization()
    >>> network = keras.Sequential([keras.Input((4,)), norm])
    >>> synchronize_batch_norm(network, False)
    >>> norm.synchronized
    False

    Source: `synchronized` of `keras.layers.BatchNormalization`.
    """
    if check_flag(synchronized=synchronized) and keras.config.backend() != "tensorflow":
        raise ValueError(
            "Only TensorFlow has replicas to synchronise: JAX normalises by the global "
            "batch as it is, and PyTorch trains on one device here. "
            f"Received: backend={keras.config.backend()!r}"
        )
    for layer in check_model(network=network).layers:
        if isinstance(layer, keras.Model):
            synchronize_batch_norm(layer, synchronized)
        elif isinstance(layer, keras.layers.BatchNormalization):
            layer.synchronized = synchronized
