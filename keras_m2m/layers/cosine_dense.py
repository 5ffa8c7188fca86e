"""A classifier head whose logits are cosines."""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np

from keras_m2m.checks import LARGEST
from keras_m2m.checks import MOST_CLASSES
from keras_m2m.checks import check_positive
from keras_m2m.checks import check_real
from keras_m2m.checks import check_whole

# A vector whose squared norm is below this has no usable direction in float32.
_SMALLEST_SQUARE = 1e-24


@keras.saving.register_keras_serializable(package="keras_m2m")
class CosineDense(keras.layers.Layer):
    """Classifier head whose logits are cosines, for LDAM and its relatives.

    The logit of a class is `scale` times the cosine of the angle between the
    input and the class' column of the kernel. It learns no bias, and no class can
    win by a longer column. Known elsewhere as NormedLinear or CosNorm.

    Norms and products are computed in float32 (float64 under that policy) and
    the kernel is never rounded, whatever the policy; only the result is cast.
    An input of all zeros has no direction: its logits are 0, and their gradient
    is that of a product with unit columns, which is finite.

    Args:
        units: Number of classes, a positive integer.
        scale: Factor of the cosines, a positive float. Leave it at 1 where the
            loss scales, as `keras_m2m.LDAMLoss` does. Or a factor for each class, any
            finite floats `(units,)`.
        offset: What is added to all logits, a float, or to each, floats `(units,)`.
            Neither is trained: `keras_m2m.heads` puts there what it finds.
        kernel_initializer: Initialiser of the kernel. The default gives columns
            of about unit length, whatever the input size.
        kernel_regularizer: Regulariser of the kernel, or `None`.
        **kwargs: Arguments of `keras.layers.Layer`, such as `name`, `dtype`.

    Call arguments:
        inputs: Features of shape `(batch, ..., dim)`, any float dtype.

    Returns:
        Logits of shape `(batch, ..., units)` in the layer's compute dtype,
        values in `[offset - scale, offset + scale]`.

    Raises:
        ValueError: If `units` is not a positive integer, `scale` is not positive, or
            several numbers are not one for each unit.

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
        scale: float | Sequence[float] = 1.0,
        kernel_initializer: str | keras.initializers.Initializer = "lecun_normal",
        kernel_regularizer: str | keras.regularizers.Regularizer | None = None,
        offset: float | Sequence[float] = 0.0,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.units = check_whole(1, MOST_CLASSES, units=units)
        self.scale = _one_or_each(units, check_positive, scale=scale)
        self.offset = _one_or_each(units, _finite, offset=offset)
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

    def call(self, inputs: Any) -> Any:
        # At least float32: squares overflow float16 from 256 on.
        wide = keras.backend.result_type(self.compute_dtype, "float32")
        features = _unit_length(keras.ops.cast(inputs, wide), axis=-1)
        columns = _unit_length(keras.ops.cast(self.kernel, wide), axis=0)
        cosines = keras.ops.matmul(features, columns)
        logits = _constant(self.scale, wide) * cosines
        if self.offset != 0.0:
            logits = logits + _constant(self.offset, wide)
        return keras.ops.cast(logits, self.compute_dtype)

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        return (*input_shape[:-1], self.units)

    def get_config(self) -> dict:
        return {
            **super().get_config(),
            "units": self.units,
            "scale": self.scale,
            "offset": self.offset,
            "kernel_initializer": keras.initializers.serialize(self.kernel_initializer),
            "kernel_regularizer": keras.regularizers.serialize(self.kernel_regularizer),
        }


def _finite(**argument):
    return check_real(-LARGEST, **argument)


def _one_or_each(units, check_one, **argument):
    """The one keyword argument as a float, or a tuple of one for each unit."""
    ((name, value),) = argument.items()
    if not isinstance(value, tuple | list | np.ndarray):
        return check_one(**argument)
    if len(value) != units:
        raise ValueError(
            f"`{name}` must be one number, or one for each of {units} units. "
            f"Received: {name}={value}"
        )
    return tuple(_finite(**{name: each}) for each in np.asarray(value).tolist())


def _constant(value, dtype):
    """One number as it is, several as a tensor."""
    several = isinstance(value, tuple)
    return keras.ops.convert_to_tensor(value, dtype) if several else value


def _unit_length(vectors, axis):
    """Vectors along `axis`, divided by their L2 norm; zero ones stay zero."""
    square = keras.ops.sum(keras.ops.square(vectors), axis=axis, keepdims=True)
    # Dividing by max(norm, tiny) would be finite too, but with gradients of
    # 1 / tiny at zero inputs, enough to ruin the weights in one step.
    safe = keras.ops.where(square > _SMALLEST_SQUARE, square, 1.0)
    return vectors * keras.ops.rsqrt(safe)
