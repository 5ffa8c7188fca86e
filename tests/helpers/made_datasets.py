"""Datasets of TensorFlow Datasets written into a folder, with records of our own."""

import io

import numpy as np
import tensorflow_datasets as tfds
from PIL import Image

SPLITS = ("train", "validation", "test")
CODE = 25  # Values between the levels of a colour that stands for a number.


def encoded(pixels, kind="PNG"):
    """The bytes of a file of that kind, from uint8 `(height, width[, 3])`."""
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, kind)
    return file.getvalue()


def write(folder, name, version, features, records, config=None, splits=SPLITS):
    """Write `records`, dicts by key, to splits of equal size.

    TensorFlow Datasets stores the records of a split in an order of its own.
    """
    items = [*records.items()]
    parts = np.array_split(np.arange(len(items)), len(splits))
    tfds.dataset_builders.store_as_tfds_dataset(
        *(name, version, features),
        {
            split: [(items[i][0], _for_writing(items[i][1])) for i in part]
            for split, part in zip(splits, parts, strict=True)
        },
        config=config,
        data_dir=folder,
    )


def _for_writing(record):
    return {**record, "image": io.BytesIO(record["image"])}


def in_stored_order(name, folder):
    """The records as TensorFlow Datasets gives them, split by split; images encoded."""
    builder = tfds.builder(name, data_dir=folder)
    how = {
        "decoders": {"image": tfds.decode.SkipDecoding()},
        "read_config": tfds.ReadConfig(interleave_cycle_length=1),
    }
    splits = [builder.as_dataset(split=split, **how) for split in SPLITS]
    return [record for split in splits for record in split.as_numpy_iterator()]


def colour_of(number):
    """A colour for each number below 1000, apart enough to survive a JPEG."""
    digits = [number // 100, number // 10 % 10, number % 10]
    return np.array(digits, "uint8") * CODE + 12


def number_of(images):
    """The number of each image of one colour, from pixels in [0, 1], channels last."""
    colours = images.reshape(len(images), -1, 3)
    digits = np.rint((colours.mean(axis=1) * 255 - 12) / CODE).astype(int)
    return (digits @ [100, 10, 1]).tolist()
