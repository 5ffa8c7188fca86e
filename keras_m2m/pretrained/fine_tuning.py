"""A backbone of which a part is trained further."""

from typing import Any

import keras

from keras_m2m.checks import check_model
from keras_m2m.checks import check_whole
from keras_m2m.heads.head import copied

WAYS = ("lora", "all")


def fine_tuned(backbone: keras.Model, how: str = "lora", rank: int = 8) -> keras.Model:
    """A copy of a backbone, to be trained together with a head.

    BatchNorm stays as it is, its statistics, scales and offsets: the statistics of
    class-balanced batches, or of few images, are not those of new ones.

    Args:
        backbone: What `load_backbone` gives.
        how: `"all"` for all weights. `"lora"` for low-rank updates, and biases, of the
            layers that Keras has them for (`enable_lora` of `Dense`, `EinsumDense` and
            convolutions that are not depthwise; in a transformer of `keras_hub` those
            of queries and values), everything else frozen.
        rank: Of such an update.

    Returns:
        A `keras.Model` that shares no variable with the backbone. Each copy starts from
        the same weights, except that the first factors of updates are drawn.

    Raises:
        ValueError: If `how` is unknown, or no layer has low-rank updates.

    Example:

    >>> images = keras.Input((8, 8, 3))
    >>> maps = keras.layers.Conv2D(16, 3, use_bias=False)(images)
    >>> features = keras.layers.GlobalAveragePooling2D()(maps)
    >>> network = fine_tuned(keras.Model(images, features), "lora", rank=2)
    >>> [tuple(v.shape) for v in network.trainable_variables]
    [(3, 3, 3, 2), (2, 16)]
    """
    if how not in WAYS:
        raise ValueError(f'`how` must be "lora" or "all". Received: how={how!r}')
    check_whole(rank=rank)
    network = _trainable_copy(check_model(backbone=backbone))
    _freeze_norms(network)
    if how == "lora":
        _enable_lora(network, rank)
        if not network.trainable_variables:
            raise ValueError(
                'No layer of `backbone` has low-rank updates; give how="all". '
                f"Received: backbone={backbone.name!r}"
            )
    return network


def _trainable_copy(backbone):
    was_trainable = backbone.trainable
    # TensorFlow never trains a variable that is made by a frozen layer.
    backbone.trainable = True
    network = copied(backbone)
    backbone.trainable = was_trainable
    return network


def _freeze_norms(network):
    for layer in network.layers:
        if isinstance(layer, keras.Model):
            _freeze_norms(layer)
        elif isinstance(layer, keras.layers.BatchNormalization):
            layer.trainable = False  # It is in inference mode then.


def _enable_lora(network: Any, rank: int) -> None:
    for layer in network.layers:
        if isinstance(layer, keras.Model):
            if hasattr(layer, "enable_lora"):  # Of keras_hub, which knows its layers.
                layer.enable_lora(rank)
            if not hasattr(layer, "enable_lora") or not layer.trainable_variables:
                layer.trainable = True
                _enable_lora(layer, rank)
        elif hasattr(layer, "enable_lora") and hasattr(layer, "kernel"):
            layer.trainable = True
            layer.enable_lora(rank)
        else:
            layer.trainable = False
