"""Image files whose pixels say where they are, as streams hold them."""

import io

import keras
import numpy as np
from PIL import Image

import keras_m2m

# Red grows by 2 a column, green by 1 a row, whatever is cut and resampled.
SLOPES = np.array([2.0, 1.0])


def ramp(width, height, form="PNG"):
    """An image file whose pixels say where they are."""
    y, x = np.mgrid[:height, :width]
    pixels = np.stack([2 * x, y, np.full_like(x, 99)], -1).clip(0, 255)
    file = io.BytesIO()
    options = {"quality": 98, "subsampling": 0} if form == "JPEG" else {}
    Image.fromarray(pixels.astype("uint8")).save(file, form, **options)
    return file.getvalue()


class Rows(list):
    """Records in a list, which notes those that are read."""

    def __init__(self, images):
        names = (f"image {i}".encode() for i in range(len(images)))
        super().__init__(
            {"image": image, "file_name": name}
            for image, name in zip(images, names, strict=True)
        )
        self.read = []

    def __getitem__(self, row):
        self.read.append(row)
        return super().__getitem__(row)


def channels_last(images):
    first = keras.config.image_data_format() == "channels_first"
    return np.moveaxis(images, 1, -1) if first else images


def flat(data, head, settings):
    """A network that is compiled faster than any ResNet."""
    return keras_m2m.mlp(len(data.class_names), data.sample_shape, hidden=4)
