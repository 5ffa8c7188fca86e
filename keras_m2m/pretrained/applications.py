"""Networks of `keras.applications`, trained on ImageNet."""

import inspect
import re
import warnings
from collections.abc import Callable
from typing import Any

import keras
import numpy as np

from keras_m2m.keras_home import keras_home
from keras_m2m.models.parts import image_shape

# Sides of the images that they were trained on, where that is not 224 pixels.
_SIDES = {
    "EfficientNetB1": 240,
    "EfficientNetB2": 260,
    "EfficientNetB3": 300,
    "EfficientNetB4": 380,
    "EfficientNetB5": 456,
    "EfficientNetB6": 528,
    "EfficientNetB7": 600,
    "EfficientNetV2B1": 240,
    "EfficientNetV2B2": 260,
    "EfficientNetV2B3": 300,
    "EfficientNetV2S": 384,
    "EfficientNetV2M": 480,
    "EfficientNetV2L": 480,
    "InceptionResNetV2": 299,
    "InceptionV3": 299,
    "NASNetLarge": 331,
    "Xception": 299,
}
# Keras keeps these under another name than that of the address.
_KEPT_AS = {
    "NASNet-mobile-no-top.h5": "nasnet_mobile_no_top.h5",
    "NASNet-large-no-top.h5": "nasnet_large_no_top.h5",
}
_ADDRESS = re.compile(r"https?://\S+/([\w.-]+\.h5)")


def names() -> list[str]:
    """The names of all networks.

    Example:

    >>> "ResNet50" in names()
    True
    """
    found = vars(keras.applications).items()
    return sorted(name for name, value in found if inspect.isfunction(value))


def has(name: str) -> bool:
    """Whether there is a network of this name.

    Example:

    >>> has("MobileNetV3Small"), has("mobilenet_v3")
    (True, False)
    """
    return name in names()


def side_of(name: str) -> int:
    """The side of the images that a network was trained on, in pixels.

    Example:

    >>> side_of("ResNet50")
    224
    """
    return _SIDES.get(name, 224)


def load(name: str, size: int | None, weights: str | None = "imagenet") -> keras.Model:
    """A network from images in [0, 1] to the average of its last maps.

    Args:
        name: One of `names()`.
        size: Side of the images in pixels, or None for that of its training.
        weights: None for random ones.

    Raises:
        ValueError: If images are too small for it.
        FileNotFoundError: If the weights are not here and cannot be downloaded.

    Example:

    >>> load("MobileNetV3Small", 32, weights=None).output_shape
    (None, 576)
    """
    shape = image_shape(side_of(name) if size is None else size)
    inputs = keras.Input(shape, name="images")
    scaled = as_in_training(inputs, _family(name).preprocess_input)
    network = _built(name, shape, weights)
    return keras.Model(inputs, network(scaled), name=f"{network.name}_features")


def _family(name) -> Any:
    """The public module of its family, which is named as the file that builds it."""
    file = getattr(keras.applications, name).__module__.rpartition(".")[2]
    return getattr(keras.applications, file)


def as_in_training(images: Any, preprocess_input: Callable) -> Any:
    """Images in [0, 1], scaled as a family of networks was trained on them.

    `preprocess_input` of `keras.applications` takes 0 to 255. It scales and shifts each
    channel, and may turn RGB into BGR: what it does to three colours says what it is.

    Args:
        images: A symbolic tensor, RGB.
        preprocess_input: Of the family.

    Returns:
        A symbolic tensor, made by layers.

    Example:

    >>> family = keras.applications.mobilenet_v2
    >>> as_in_training(keras.Input((96, 96, 3)), family.preprocess_input).shape
    (None, 96, 96, 3)
    """

    def seen(*colour):
        pixel = np.array(colour, "float32").reshape(1, 1, 1, 3)
        return preprocess_input(pixel, data_format="channels_last").ravel()

    black, white, red = seen(0, 0, 0), seen(255, 255, 255), seen(255, 0, 0)
    if red[0] == black[0]:  # Red went to the last channel.
        images = keras.ops.flip(images, axis=_channel_axis())
    scale, offset = (white - black).tolist(), black.tolist()
    return keras.layers.Rescaling(scale, offset, name="as_in_training")(images)


def _channel_axis():
    return 1 if keras.config.image_data_format() == "channels_first" else -1


def _built(name, shape, weights):
    try:
        with warnings.catch_warnings():
            # The weights are those of another size than is asked for, as is known.
            warnings.filterwarnings("ignore", "`input_shape` is undefined")
            return getattr(keras.applications, name)(
                include_top=False, weights=weights, input_shape=shape, pooling="avg"
            )
    except Exception as error:  # Keras raises a plain Exception without a network.
        address = _ADDRESS.search(str(error))
        if address is None:
            raise
        file = _KEPT_AS.get(address[1], address[1])
        raise FileNotFoundError(
            f"The weights of {name} are not on this machine, and cannot be downloaded: "
            f"{error}. Download {address[0]} elsewhere and put it here as "
            f"{keras_home() / 'models' / file}. Or give a .keras file or the folder of "
            "a preset instead of a name"
        ) from error
