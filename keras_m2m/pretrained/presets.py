"""Networks of keras_hub, by the name of a preset or from its folder."""

import difflib
import pathlib
from collections.abc import Sequence
from typing import Any

import keras

from keras_m2m.models.parts import image_shape
from keras_m2m.pretrained.features import vectors

_FILES = ("config.json", "image_converter.json", "model.weights.h5")


def _listed():
    *others, last = _FILES
    return f"{', '.join(others)} and {last}"


def load_by_name(name: str, size: int | None, known: Sequence[str]) -> keras.Model:
    """The backbone of a preset that keras_hub knows or finds, such as on Kaggle.

    Args:
        name: Of the preset, or its address, `kaggle://...` or `hf://...`.
        size: Side of the images in pixels, or None for that of its training.
        known: Other names that a backbone may have, for the message.

    Raises:
        ValueError: If there is none such, or it is none for images.
        FileNotFoundError: If it is not here and cannot be downloaded.
        ImportError: If keras_hub is not installed.
    """
    hub = _keras_hub(name, known)
    presets = hub.models.Backbone.presets
    if name not in presets and "://" not in name:
        raise ValueError(
            "There is no such backbone: no file, no folder, no model of "
            f"keras.applications and no preset of keras_hub is called so."
            f"{_close(name, [*known, *presets])} Received: name={name!r}"
        )
    address = presets[name]["kaggle_handle"] if name in presets else name
    try:
        return _backbone(hub, name, size)
    except OSError as error:  # Of which those without a network are.
        raise FileNotFoundError(
            f"The preset {name} is not on this machine, and cannot be downloaded: "
            f"{error}. Put its files {_listed()}, of {address}, into a folder here and "
            "give that folder instead of the name"
        ) from error


def load(folder: str, size: int | None) -> keras.Model:
    """The backbone of a folder that `save_to_preset` wrote.

    Args:
        folder: It holds the backbone and its image converter.
        size: Side of the images in pixels, or None for that of its training.

    Raises:
        ValueError: If the folder holds something else.
        ImportError: If keras_hub is not installed.
    """
    lacking = [file for file in _FILES if not pathlib.Path(folder, file).is_file()]
    if lacking:
        raise ValueError(
            f"{folder} is no folder of a preset: it must hold {_listed()}, which "
            "`save_to_preset` of a keras_hub backbone and of its image converter "
            f"write. Received: a folder without {', '.join(lacking)}"
        )
    return _backbone(_keras_hub(folder), folder, size)


def _keras_hub(name, known=()) -> Any:
    try:
        import keras_hub
    except ImportError as error:
        raise ImportError(
            f"{name!r} is no file and no model of keras.applications."
            f"{_close(name, known)} Presets need keras_hub: pip install "
            f"keras-hub. {error}"
        ) from error
    return keras_hub


def _close(name, known):
    """A sentence on what else may be meant, or nothing."""
    close = difflib.get_close_matches(name, known, cutoff=0.5)
    return f" Did you mean {' or '.join(close)}?" if close else ""


def _backbone(hub, preset, size):
    shape = {} if size is None else {"image_shape": image_shape(size)}
    try:
        network = hub.models.Backbone.from_preset(preset, **shape)
        converter = hub.layers.ImageConverter.from_preset(preset)
    except OSError:
        raise
    except Exception as error:  # Of many kinds, of what is no backbone for images.
        asked = "" if size is None else f" of {size} pixels"
        raise ValueError(
            f"{preset} gives no backbone for images{asked}: "
            f"{type(error).__name__}: {error}"
        ) from error
    inputs = keras.Input(_shape(network, converter, preset, size), name="images")
    scaled = _as_in_training(inputs, converter)
    # Some take their one input by its name.
    named = isinstance(network.input, dict)
    outputs = network(dict.fromkeys(network.input, scaled) if named else scaled)
    features = vectors(outputs, f"The backbone of {preset}")
    return keras.Model(inputs, features, name=f"{network.name}_features")


def _shape(network, converter, preset, size):
    """The shape of an image: what is asked for, or what it was trained on."""
    inputs = keras.tree.flatten(network.input)
    if len(inputs) != 1 or len(inputs[0].shape) != 4:
        raise ValueError(
            f"{preset} must be a backbone with one input, images. Received: inputs of "
            f"shape {', '.join(str(each.shape) for each in inputs)}"
        )
    own = inputs[0].shape[2]  # Channels are the first or the last.
    trained = (converter.image_size or (None,))[0]
    found = size or own or trained
    if found is None:
        raise ValueError(
            f"{preset} does not say how large its images are: give image_size. "
            "Received: image_size=None"
        )
    return image_shape(found)


def _as_in_training(images, converter):
    """Images in [0, 1] as its converter makes them of 0 to 255."""
    scale = 1.0 if converter.scale is None else converter.scale
    offset = 0.0 if converter.offset is None else converter.offset
    scale = keras.tree.map_structure(lambda one: 255.0 * one, scale)
    return keras.layers.Rescaling(scale, offset, name="as_in_training")(images)
