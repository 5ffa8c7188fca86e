"""Streams of encoded images, decoded when a batch asks for them.

Threads decode, crop and flip the images of a batch side by side. What they make
depends on the generators that they are given and not on how many they are.
"""

import functools
import io
import math
from collections.abc import Callable
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import keras
import numpy as np
from PIL import Image

from tasks.data.own.image_decoding import BYTES_A_PIXEL
from tasks.data.own.memory import MemoryBudget
from tasks.data.own.memory import available
from tasks.experiment.errors import UserError

# The field's random resized crop: shares of the area, and width over height.
AREAS = (0.08, 1.0)
ASPECTS = (3 / 4, 4 / 3)
ATTEMPTS = 10
# Tests see the middle 224 of 256 pixels of the shorter side, or as much of others.
CENTRE = 224 / 256


class EncodedImages:
    """A stream of encoded images, for `Data.train`.

    `images[rows]` has not read them yet: each is a function that returns its record,
    so that the threads which decode also read.

    Args:
        source: Random access to records, such as a data source of TensorFlow Datasets.
            A record holds `"image"`, a file's bytes, and `"file_name"`.
        name: What it is, for messages.
    """

    def __init__(self, source, name: str) -> None:
        self.source, self.name = source, name

    def __len__(self) -> int:
        return len(self.source)

    def __getitem__(self, rows: np.ndarray) -> list[Callable[[], dict]]:
        return [functools.partial(self._read, int(row)) for row in rows]

    def _read(self, row):
        try:
            return self.source[row]
        except Exception as error:  # The reader raises what it likes.
            raise UserError(
                f"{self.name} cannot be read: {error}\nIf its files are damaged, "
                "remove their folder, so that they are prepared again"
            ) from error


class CentreCrops:
    """A stream of the middle of each image, for `Data.validation` and `Data.test`.

    The centred square of 7/8 of the shorter side, as 224 of 256 pixels are, in one
    resampling.

    Args:
        images: The images.
        size: Pixels a side.

    Attributes:
        shape: `(n, size, size, 3)`, or `(n, 3, size, size)` where Keras is set so.
    """

    def __init__(self, images: EncodedImages, size: int) -> None:
        self.images, self.size = images, size
        self.shape = _shape(len(images), size)

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, rows: np.ndarray) -> np.ndarray:
        return _decoded(self.images[rows], self.size, _centre)


def random_crops(
    images: Sequence[Callable[[], dict]],
    rngs: Sequence[np.random.Generator],
    size: int,
) -> np.ndarray:
    """Random resized crops, half of them flipped: `Data.augment` of `EncodedImages`.

    Args:
        images: As `EncodedImages` gives them.
        rngs: A source of numbers for each.
        size: Pixels a side.

    Returns:
        float32 array `(n, size, size, 3)` in [0, 1], or `(n, 3, size, size)` where
        Keras is set so.

    Raises:
        UserError: If an image cannot be read or decoded.
    """
    return _decoded(images, size, random_box, rngs)


def random_box(
    width: int, height: int, rng: np.random.Generator
) -> tuple[tuple[float, float, float, float], bool]:
    """A random part of an image, of 8 to 100 % of its area, and whether to flip it.

    As torchvision's `RandomResizedCrop`: where ten draws do not fit into the image,
    the largest centred part of an allowed aspect.

    Args:
        width: Width of the image, in pixels.
        height: Height of the image, in pixels.
        rng: Source of the draws.

    Returns:
        `((left, top, right, bottom), flip)`.

    Source: Szegedy et al., Going deeper with convolutions (CVPR 2015), section 6.
    """
    flip = rng.random() < 0.5
    for _ in range(ATTEMPTS):
        area = width * height * rng.uniform(*AREAS)
        aspect = math.exp(rng.uniform(*np.log(ASPECTS)))
        w, h = round(math.sqrt(area * aspect)), round(math.sqrt(area / aspect))
        if 0 < w <= width and 0 < h <= height:
            left, top = rng.integers(width - w + 1), rng.integers(height - h + 1)
            return (left, top, left + w, top + h), flip
    aspect = np.clip(width / height, *ASPECTS)
    return _centred(width, height, min(width, height * aspect), aspect), flip


def _centre(width, height, rng):
    return _centred(width, height, CENTRE * min(width, height), 1.0), False


def _centred(width, height, w, aspect):
    h = w / aspect
    left, top = (width - w) / 2, (height - h) / 2
    return left, top, left + w, top + h


def _shape(n, size):
    first = keras.config.image_data_format() == "channels_first"
    return (n, 3, size, size) if first else (n, size, size, 3)


def _decoded(encoded, size, choose: Callable, rngs=None) -> np.ndarray:
    """The boxes that `choose(width, height, rng)` gives, as float32 in [0, 1]."""
    images = np.empty(_shape(len(encoded), size), "float32")
    first = keras.config.image_data_format() == "channels_first"
    places = np.moveaxis(images, 1, -1) if first else images

    def decode(place, read, rng):
        pixels = _pixels(read(), size, choose, rng)
        np.divide(pixels, 255, out=place, dtype="float32")

    rngs = [None] * len(encoded) if rngs is None else rngs
    for _ in _threads().map(decode, places, encoded, rngs):
        pass  # An error of a thread is raised here.
    return images


@functools.cache
def _threads():
    return ThreadPoolExecutor(thread_name_prefix="decode")


@functools.cache
def _budget():
    """Memory for all that is decoded at once."""
    return MemoryBudget(available() // 2)


def _pixels(record, size, choose, rng):
    """uint8 `(size, size, 3)`; NumPy and Pillow leave other threads running."""
    advice = (
        "It is damaged where the data is prepared. Remove that folder, so that it is "
        "prepared again; if it still fails, get the archive with that image again"
    )
    try:
        image = Image.open(io.BytesIO(record["image"]))
        box, flip = choose(*image.size, rng)
        pixels = np.asarray(_resampled(image, box, size))
    except Exception as error:  # Pillow raises many kinds.
        name = bytes(record["file_name"]).decode(errors="replace")
        advice = "" if isinstance(error, MemoryError) else f"\n{advice}"
        raise UserError(
            f"the image {name} cannot be decoded: {error}{advice}"
        ) from error
    return pixels[:, ::-1] if flip else pixels


def _resampled(image, box, size):
    width = image.width
    # A JPEG is decoded at a half, a quarter or an eighth of its size if that is enough.
    shrink = min(box[2] - box[0], box[3] - box[1]) / size
    drafted = image.draft("RGB", (image.width / shrink, image.height / shrink))
    scale = drafted[1][2] / width if drafted else 1
    box = tuple(edge * scale for edge in box)
    box = (*box[:2], min(box[2], image.width), min(box[3], image.height))
    with _budget().taken(BYTES_A_PIXEL * image.width * image.height):
        image = image.convert("RGB")
        return image.resize((size, size), Image.Resampling.BILINEAR, box)
