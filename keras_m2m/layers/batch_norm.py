"""BatchNorm: trained by the backend's own kernel, and synchronised over replicas."""

from typing import Any

import keras

from keras_m2m._backend import fused_batch_norm
from keras_m2m.checks import check_flag
from keras_m2m.checks import check_model


@keras.saving.register_keras_serializable(package="keras_m2m")
class FusedBatchNormalization(keras.layers.BatchNormalization):
    """`keras.layers.BatchNormalization`, trained by the backend's own kernel.

    Computes what its base class does, up to rounding, in one pass instead of
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

    def call(self, inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
        if not (training and self.trainable and self._has_kernel(inputs, mask)):
            return super().call(inputs, training=training, mask=mask)
        # In float32 whatever the policy, as Keras does it: squares may overflow.
        operands = inputs, self.gamma, self.beta
        x, scale, offset = (keras.ops.cast(each, "float32") for each in operands)
        outputs, *statistics = fused_batch_norm(x, scale, offset, self.epsilon)
        moving = self.moving_mean, self.moving_variance
        for variable, value in zip(moving, statistics, strict=True):
            # As a tensor: for `variable * number` PyTorch would wait for its GPU.
            kept = keras.ops.convert_to_tensor(variable) * self.momentum
            variable.assign(kept + value * (1.0 - self.momentum))
        return keras.ops.cast(outputs, self.compute_dtype)

    def _has_kernel(self, inputs, mask):
        plain = mask is None and not self.synchronized and not self.renorm
        plain = plain and self.variable_dtype == "float32"
        maps = len(inputs.shape) == 4 and self.axis in (-1, 3)
        whole = self.scale and self.center
        return fused_batch_norm is not None and plain and maps and whole


def synchronize_batch_norm(network: keras.Model, synchronized: bool = True) -> None:
    """Let every `BatchNormalization` of a network use the batch of all replicas.

    Needed on TensorFlow under `tf.distribute.MirroredStrategy`, where each replica
    otherwise normalises by the statistics of its own rows. Call it before `compile`.
    A network saved so loads on no other backend: set False before `save`.

    Args:
        network: The network, changed in place. Layers of nested models count too;
            those hidden inside other layers do not.
        synchronized: Whether statistics are those of all replicas.

    Raises:
        ValueError: If `network` is no model, or `synchronized` on another backend
            than TensorFlow. JAX needs none, and PyTorch trains on one device.

    Example:

    >>> norm = keras.layers.BatchNormalization()
    >>> network = keras.Sequential([keras.Input((4,)), norm])
    >>> synchronize_batch_norm(network, False)
    >>> norm.synchronized
    False
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
