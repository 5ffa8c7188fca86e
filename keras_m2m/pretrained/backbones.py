"""`load_backbone`: a pretrained network by its name, or from a folder or a file."""

import os
import pathlib

import keras

from keras_m2m.checks import check_whole
from keras_m2m.pretrained import applications
from keras_m2m.pretrained import own_file
from keras_m2m.pretrained import presets


def load_backbone(
    name: str | os.PathLike, image_size: int | None = None
) -> keras.Model:
    """A frozen network from images to features, pretrained elsewhere.

    What its images were scaled to when it was trained is a part of it: all take values
    in [0, 1].

    Args:
        name: One of

            - a model of `keras.applications`, such as `"MobileNetV3Small"`,
              `"EfficientNetV2B0"`, `"ResNet50"` or `"ConvNeXtTiny"`, with the weights
              of ImageNet, which Keras downloads;
            - a preset of `keras_hub` for images, such as `"resnet_18_imagenet"` or
              `"dinov2_small"`, downloaded by `keras_hub`, which has to be installed;
            - a folder that `save_to_preset` of such a backbone wrote. Its image
              converter, saved there too, says how images are scaled;
            - a `.keras` file of your own: a network from images `(n, s, s, 3)` in
              [0, 1] to vectors, or to maps, which are averaged, with no head
              (`keras_m2m.heads.feature_network` takes it off).
        image_size: Side of the images in pixels; None for that of the network's
            training, or of its file.

    Returns:
        A `keras.Model`, not trainable, from float32 images `(n, s, s, 3)` in [0, 1], or
        `(n, 3, s, s)` where Keras is set to channels first, to features `(n, d)`.

    Raises:
        ValueError: If there is no such network, it does not take such images, or what
            it gives are no features.
        FileNotFoundError: If weights are not on this machine and cannot be downloaded;
            it says which file is wanted and where it goes.
        ImportError: If it is a preset, and `keras_hub` is not installed.

    Example:

    >>> import pathlib, tempfile
    >>> import keras_m2m
    >>> import numpy as np
    >>> own = keras_m2m.heads.feature_network(keras_m2m.cifar_resnet(8, 10))
    >>> path = pathlib.Path(tempfile.mkdtemp(), "own.keras")
    >>> own.save(path)
    >>> load_backbone(path).predict(np.zeros((2, 32, 32, 3)), verbose=0).shape
    (2, 64)
    """
    size = None if image_size is None else check_whole(image_size=image_size)
    backbone = _loaded(os.fspath(name), size)
    backbone.trainable = False
    return backbone


def _loaded(name, size):
    path = pathlib.Path(name).expanduser()
    if path.is_dir():
        return presets.load(str(path), size)
    if path.suffix == ".keras" or path.is_file():
        return own_file.load(path, size)
    if applications.has(name):
        return applications.load(name, size)
    return presets.load_by_name(name, size, known=applications.names())
