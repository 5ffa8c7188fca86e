"""Photographs of TensorFlow Datasets made small once, and kept.

Each image becomes the largest square in its middle, reduced to 32×32 pixels of which
each is the mean of the area that it covers (`tf.image.resize(method="area")`, rounded).
The photographs are read one after the other, so memory holds the small images only.
They are kept as `small_images/*.npz` in `--data_dir`, or in `~/tensorflow_datasets`.
"""

import json
import sys
from collections.abc import Sequence
from pathlib import Path

import keras
import numpy as np

from tasks.data import kept_arrays
from tasks.experiment.errors import UserError

SIZE = 32  # Pixels on a side.
SPLITS = ("train", "validation", "test")  # Joined in this order.


def prepared_images(
    builder, keys: Sequence[str], data_dir: str | None
) -> tuple[np.ndarray, np.ndarray]:
    """All images of a dataset with their labels, in stored order.

    The order is that of the files of TensorFlow Datasets, which a version of a
    dataset fixes: the records of `train`, of `validation`, of `test`.

    Args:
        builder: A prepared builder, with records that have an `image`.
        keys: Where the labels are in a record, such as `"label"` or
            `"attributes/Bald"`.
        data_dir: The folder that keeps the small images; None for
            `~/tensorflow_datasets`.

    Returns:
        Images, uint8 `(n, 32, 32, 3)`, and labels, int64 `(n, len(keys))`.

    Raises:
        UserError: If the dataset has no such labels, or a record cannot be read.
    """
    folder = Path(data_dir or "~/tensorflow_datasets").expanduser() / "small_images"
    path = folder / f"{builder.info.full_name.replace('/', '-')}.npz"
    about = _about(builder, keys)
    kept = kept_arrays.read(path, about)
    if kept is None:
        images, labels = _prepare(builder, keys)
        kept = {"images": images, "labels": labels}
        kept_arrays.write(path, about, **kept)
    return kept["images"], kept["labels"]


def _about(builder, keys):
    """What the small images were made of, and how; else they are out of date."""
    splits = {
        name: [split.num_examples, split.num_bytes]
        for name, split in builder.info.splits.items()
    }
    how = [SIZE, "centre square, area", *SPLITS, *keys]
    return json.dumps([builder.info.full_name, splits, how])


def _prepare(builder, keys):
    import tensorflow as tf

    name = builder.info.full_name
    for key in keys:
        _check_feature(builder, key)
    done = 0
    try:
        records = _records(builder, keys)
        images = np.empty((len(records), SIZE, SIZE, 3), "uint8")
        labels = np.empty((len(records), len(keys)), "int64")
        print(f"{len(records)} images of {name} become {SIZE}×{SIZE}, once", flush=True)
        shown = 1 if sys.stdout.isatty() else 2
        progress = keras.utils.Progbar(len(records), verbose=shown, unit_name="image")
        for image, label in records.as_numpy_iterator():
            images[done], labels[done] = image, label
            done += 1
            progress.update(done)
    except (tf.errors.OpError, ValueError) as error:
        raise UserError(
            f"Record {done} of {name} (of {' + '.join(SPLITS)}, from 0) cannot be "
            f"read. Delete {builder.data_dir} and run again, which downloads and "
            f"prepares the dataset anew. {error}"
        ) from error
    return images, labels


def _check_feature(builder, key):
    try:
        _at(builder.info.features, key)
    except KeyError:
        raise UserError(
            f"{builder.info.full_name} in {builder.data_dir} has no {key!r} in its "
            "records. Delete this folder, or give another --data_dir"
        ) from None


def _at(tree, key):
    for part in key.split("/"):
        tree = tree[part]
    return tree


def _records(builder, keys):
    """A `tf.data.Dataset` of `(small image, labels)`, in stored order."""
    import tensorflow as tf
    import tensorflow_datasets as tfds

    records = builder.as_dataset(
        split="+".join(SPLITS),
        shuffle_files=False,
        decoders={"image": tfds.decode.SkipDecoding()},
        # One file after the other, and none of it kept in memory.
        read_config=tfds.ReadConfig(interleave_cycle_length=1, try_autocache=False),
    )
    return records.map(
        lambda record: (
            small_image(record["image"]),
            [tf.cast(_at(record, key), "int64") for key in keys],
        ),
        num_parallel_calls=tf.data.AUTOTUNE,
        deterministic=True,
    ).prefetch(tf.data.AUTOTUNE)


def small_image(encoded):
    """The largest centred square of an image at 32×32 pixels.

    Args:
        encoded: A string tensor `()`, the bytes of a JPEG or PNG.

    Returns:
        uint8 tensor `(32, 32, 3)`.
    """
    import tensorflow as tf

    image = tf.io.decode_image(encoded, channels=3, expand_animations=False)
    height, width = tf.shape(image)[0], tf.shape(image)[1]
    side = tf.minimum(height, width)
    square = tf.image.crop_to_bounding_box(
        image, (height - side) // 2, (width - side) // 2, side, side
    )
    means = tf.image.resize(square, (SIZE, SIZE), method="area")
    return tf.cast(tf.round(means), "uint8")
