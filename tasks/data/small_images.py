"""What the tasks with 32×32 images share: splits, samples, augmentation, the ResNet."""

from collections.abc import Callable
from collections.abc import Sequence
from functools import partial

import keras
import numpy as np

import keras_m2m
from tasks.experiment.errors import UserError
from tasks.experiment.settings import Settings
from tasks.experiment.task import Data
from tasks.experiment.task import Flag

DEPTH = Flag(
    "enum",
    "depth",
    "32",
    "layers of the ResNet, 6n + 2",
    {"enum_values": ["8", "14", "20", "32", "44", "56"]},
    read_by="network",
)
_PADDING = 4  # Pixels of zeros around an image before the random crop.


def first_rows(labels: np.ndarray, counts, shuffled: bool = False) -> np.ndarray:
    """Rows of the first `counts[k]` samples of every class, or of random ones.

    Args:
        labels: Classes, integers `(n,)`.
        counts: Samples wanted of each class, integers `(num_classes,)`.
        shuffled: Whether they are drawn, by seed 0, instead.

    Returns:
        Integers, class by class.
    """
    rng = np.random.default_rng(0)
    chosen = []
    for k, count in enumerate(counts):
        rows = np.flatnonzero(labels == k)
        chosen.append((rng.permutation(rows) if shuffled else rows)[:count])
    return np.concatenate(chosen)


def split_in_order(
    labels: np.ndarray, class_names: Sequence[str], validation: int, test: int
) -> list[np.ndarray]:
    """Rows of the training, validation and test set of a dataset without splits.

    The first rows of each class are for validation, the next for the test and all
    others for training.

    Args:
        labels: Classes, integers `(n,)`, in stored order.
        class_names: One per class.
        validation: Samples per class for validation.
        test: Samples per class for the test.

    Returns:
        Three integer arrays: training, validation, test; class by class.

    Raises:
        UserError: If a class has no sample left for training.
    """
    parts = []
    for k, name in enumerate(class_names):
        rows = np.flatnonzero(labels == k)
        if len(rows) <= validation + test:
            raise UserError(
                f"Class {name} has {len(rows)} images; expected {validation} for "
                f"validation, {test} for the test and at least one for training. The "
                "dataset is not complete: delete what is prepared of it and run again"
            )
        parts.append(np.split(rows, [validation, validation + test]))
    held_out, tested, rest = (np.concatenate(rows) for rows in zip(*parts, strict=True))
    return [rest, held_out, tested]


def samples(pixels: np.ndarray) -> np.ndarray:
    """Images as the networks take them.

    Args:
        pixels: uint8 or uint16 `(n, height, width, 3)`, over the whole range.

    Returns:
        float32 array in [0, 1] of that shape, or channels first where Keras is set
        so.
    """
    largest = np.float32(np.iinfo(pixels.dtype).max)
    return in_order_of_keras(pixels.astype("float32") / largest)


def in_order_of_keras(images: np.ndarray) -> np.ndarray:
    """Images `(n, height, width, channels)` in the order that Keras is set to."""
    if _channels_first():
        return np.ascontiguousarray(np.moveaxis(images, -1, 1))
    return images


def augment(images: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Random crops of the zero-padded images, and random horizontal flips.

    Args:
        images: float32 `(batch, height, width, 3)` in [0, 1], or channels first
            where Keras is set so.
        rng: Source of the crops and flips.

    Returns:
        float32 array of the same shape.
    """
    images = np.ascontiguousarray(images)
    crops = np.zeros_like(images)
    to, of = _height_and_width_last(crops), _height_and_width_last(images)
    tops, lefts = rng.integers(2 * _PADDING + 1, size=(2, len(images))).tolist()
    flips = rng.random(len(images)) < 0.5
    rows, columns = map(_what_crops_share, of.shape[-2:])
    # An image at a time: an index of all pixels takes three times as long.
    for crop, image, top, left, flip in zip(to, of, tops, lefts, flips, strict=True):
        crop = crop[..., ::-1] if flip else crop
        part = image[..., rows[top], columns[left]]
        crop[..., rows[-1 - top], columns[-1 - left]] = part
    return crops


def augment_each(images: np.ndarray, rngs: Sequence[np.random.Generator]) -> np.ndarray:
    """`augment` of a stream, with a source of the crops and flips for each image."""
    alone = (augment(image[None], rng) for image, rng in zip(images, rngs, strict=True))
    return np.concatenate([*alone])


def _height_and_width_last(images):
    """The same memory; a pixel with its channels last is one item, and moves as one."""
    if _channels_first():
        return images
    pixel = np.dtype((np.void, images.itemsize * images.shape[-1]))
    return images.view(pixel)[..., 0]


def _what_crops_share(length):
    """For each offset in the padded image, the part of the image that a crop shows.

    By the opposite offset, it is where the crop shows that part.
    """
    shifts = range(-_PADDING, _PADDING + 1)
    return [slice(max(0, s), max(0, length + min(0, s))) for s in shifts]


def channel_statistics(images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and variance of each channel.

    Args:
        images: float32 `(n, height, width, 3)`, or channels first where Keras is set
            so.

    Returns:
        Two float64 arrays `(3,)`.
    """
    axes = (0, 2, 3) if _channels_first() else (0, 1, 2)
    total, squares = np.zeros((2, 3))
    # In pieces: a float64 copy of them all would take twice their memory.
    for start in range(0, len(images), 1000):
        piece = images[start : start + 1000].astype("float64")
        total += piece.sum(axis=axes)
        squares += np.square(piece).sum(axis=axes)
    pixels = images.size // 3
    mean = total / pixels
    return mean, squares / pixels - mean**2


def normalised(
    network: Callable[..., keras.Model], data: Data, head: str, settings: Settings
) -> keras.Model:
    """A network that normalises images by the statistics of the training set.

    Args:
        network: Such as `keras_m2m.resnet32`.
        data: Its training images and classes.
        head: As in `keras_m2m.mlp`.
        settings: For the weight decay.

    Returns:
        An untrained `keras.Model`.
    """
    mean, variance = channel_statistics(data.train[0])
    return network(
        num_classes=len(data.class_names),
        input_shape=data.sample_shape,
        mean=mean,
        variance=variance,
        head=head,
        weight_decay=settings.weight_decay,
    )


def build_resnet(data: Data, head: str, settings: Settings) -> keras.Model:
    """The CIFAR ResNet of `--depth` layers, `Task.build` of a task with that flag."""
    network = partial(keras_m2m.cifar_resnet, int(settings.depth))
    return normalised(network, data, head, settings)


def _channels_first():
    return keras.config.image_data_format() == "channels_first"
