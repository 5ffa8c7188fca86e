"""A user's own network without a head, from a `.keras` file."""

import pathlib

import keras

from keras_m2m.models.parts import image_shape
from keras_m2m.pretrained.features import vectors


def load(path: pathlib.Path, size: int | None) -> keras.Model:
    """A saved network as a backbone, with its images in [0, 1].

    Args:
        path: A `.keras` file.
        size: Side of the images in pixels, or None for that of the file.

    Raises:
        ValueError: If the file holds no network from images to features.

    Example:

    >>> import pathlib, tempfile
    >>> path = pathlib.Path(tempfile.mkdtemp(), "own.keras")
    >>> images = keras.Input((None, None, 3))
    >>> keras.Model(images, keras.layers.Conv2D(8, 3)(images)).save(path)
    >>> load(path, 32).output_shape
    (None, 8)
    """
    network = _read(path)
    inputs = keras.Input(_shape(network, path, size), name="images")
    features = vectors(network(inputs), f"The network of {path}")
    return keras.Model(inputs, features, name=f"{path.stem}_features")


def _read(path):
    if not path.is_file():  # To open a pipe would wait for ever.
        raise ValueError(
            f"{path} is no file. Expected a .keras file of a network from images to "
            "features"
        )
    try:
        # In Keras' safe mode, which runs no code out of the file.
        return keras.saving.load_model(path, compile=False, safe_mode=True)
    except Exception as error:  # Keras raises many kinds for a file it cannot read.
        raise ValueError(f"{path} is no model that Keras loads: {error}") from error


def _shape(network, path, size):
    """The shape of an image that it takes."""
    fixed = getattr(network, "input_shape", None)
    if not isinstance(fixed, tuple) or len(fixed) != 4:
        raise ValueError(
            f"The network of {path} must have one input, images (n, s, s, 3). "
            f"Received: input_shape={fixed}"
        )
    # Channels are the first or the last.
    side = fixed[2] if size is None else size
    if side is None:
        raise ValueError(
            f"The network of {path} does not say how large its images are: give "
            f"image_size. Received: input_shape={fixed}"
        )
    expected = image_shape(side)
    if any(mine not in (None, asked) for mine, asked in zip(fixed[1:], expected)):
        raise ValueError(
            f"The network of {path} does not take images of this shape. Expected "
            f"{fixed[1:]}. Received: {expected}"
        )
    return expected
