"""What a person would know a test sample by: its image, lines, or row of the table."""

import io
from collections.abc import Callable
from typing import Any

import keras
import matplotlib.figure
import numpy as np
from PIL import Image

from tasks.experiment.task import Data

_ENTRIES = 8  # Of a vector.
_CHANNELS = 12  # Of a series.


def shown(data: Data) -> Callable[[int], dict[str, Any]]:
    """Function from the index of a test sample to texts and PNG files by name.

    Args:
        data: The dataset.
    """
    if data.shown is not None:
        return data.shown
    if data.are_images:
        return _image(data)
    return _series(data) if data.are_series else _vector(data)


def _image(data):
    def read(index):
        image = np.asarray(data.test[0][np.array([index])][0])
        if keras.config.image_data_format() == "channels_first":
            image = np.moveaxis(image, 0, -1)
        pixels = np.clip(np.rint(255 * image), 0, 255).astype("uint8")
        grey = pixels.shape[-1] == 1
        file = io.BytesIO()
        Image.fromarray(pixels[..., 0] if grey else pixels).save(file, "PNG")
        return {"image": file.getvalue()}

    return read


def _series(data):
    def read(index):
        channels = np.asarray(data.test[0][np.array([index])][0]).T[:_CHANNELS]
        size = (2.4, 0.6 + 0.3 * len(channels))
        figure = matplotlib.figure.Figure(size, dpi=80, layout="tight")
        rows = figure.subplots(len(channels), squeeze=False, sharex=True)[:, 0]
        for axes, values in zip(rows, channels, strict=True):
            axes.plot(values, color="black", linewidth=0.8)
            axes.set_axis_off()
        file = io.BytesIO()
        figure.savefig(file, format="png")
        return {"test sample": str(index), "series": file.getvalue()}

    return read


def _vector(data):
    def read(index):
        sample = np.asarray(data.test[0][np.array([index])][0]).ravel()
        more = ", …" if len(sample) > _ENTRIES else ""
        entries = ", ".join(f"{value:.3g}" for value in sample[:_ENTRIES])
        return {"test sample": str(index), "entries": entries + more}

    return read
