"""Features of image files by a frozen network: computed once, in chunks that are kept.

Memory holds the images of one chunk. A command that was killed goes on after the last
chunk that it finished.
"""

import hashlib
import os
import sys
from collections.abc import Sequence
from pathlib import Path

import keras
import numpy as np

from tasks.data import kept_arrays
from tasks.data.own import image_files
from tasks.data.small_images import samples
from tasks.experiment.errors import UserError
from tasks.experiment.paths import keras_home

_VERSION = 1  # To be raised when features are computed in another way.
_BATCH = 32  # Images a call of the network.
_PIXELS = 2**24  # Of a chunk, at most.


def features(
    paths: Sequence[Path], folder: Path, backbone: keras.Model, digest: str
) -> tuple[np.ndarray, int | None]:
    """The features of images, or those of an earlier time.

    They are kept in `~/.keras/keras_m2m` (or `$KERAS_HOME/keras_m2m`), in one folder
    for a folder of images and a network. A chunk is made again when its images, a
    file's size or the time of its last change are others.

    Args:
        paths: Image files below `folder`.
        folder: An absolute path.
        backbone: From images in [0, 1] to vectors, what `load_backbone` gives.
        digest: What the backbone's numbers follow from.

    Returns:
        `(x, bits)`: a float32 array `(len(paths), d)`, and how many bits are taken for
        grey images of more than 8, as `image_files.prepare` gives it.

    Raises:
        UserError: If files cannot be decoded, or features are not finite.
    """
    size = side_of(backbone)
    place = hashlib.sha256(os.fsencode(folder)).hexdigest()[:16]
    kept_in = keras_home() / "keras_m2m" / f"features-{place}-{digest[:16]}"
    bits = _bits(paths, kept_in)
    # Rounding is that of a backend.
    how = f"{_VERSION} {keras.config.backend()} {digest} {bits}"
    print(f"features of {len(paths)} images of {size}×{size} pixels, in {kept_in}")
    bar = keras.utils.Progbar(
        len(paths), verbose=1 if sys.stdout.isatty() else 2, unit_name="image"
    )
    found, step = [], _rows(size)
    for number, start in enumerate(range(0, len(paths), step)):
        chunk = paths[start : start + step]
        about = hashlib.sha256(f"{how} {image_files.state(chunk, size)}".encode())
        path = kept_in / f"{number:06d}.npz"
        kept = kept_arrays.read(path, about.hexdigest())
        if kept is None:
            kept = {"features": _computed(_read(chunk, size, bits), backbone)}
            kept_arrays.write(path, about.hexdigest(), **kept)
        found.append(kept["features"])
        bar.update(start + len(chunk))
    return np.concatenate(found), bits


def side_of(backbone: keras.Model) -> int:
    """The side of the images that a backbone takes, in pixels."""
    return backbone.input_shape[2]  # Channels are the first or the last.


def _rows(size):
    """Images of a chunk, whole batches."""
    return max(_PIXELS // size**2 // _BATCH, 1) * _BATCH


def _bits(paths, kept_in):
    """The bits of grey images of more than 8, which follow from all files, or None."""
    path, about = kept_in / "bits.npz", image_files.state(paths, 0)
    kept = kept_arrays.read(path, about)
    if kept is None:
        kept = {"bits": np.array(image_files.bits_of(paths) or 0)}
        kept_arrays.write(path, about, **kept)
    return kept["bits"].item() or None


def _read(chunk, size, bits):
    """Images as floats in [0, 1]."""
    images, broken = image_files.read_new(chunk, size, bits)
    if broken:
        named = {chunk[row]: why for row, why in broken.items()}
        raise image_files.unreadable(named, len(chunk))
    return samples(images)


def _computed(images, backbone):
    # Batches of one size, for which networks are compiled once.
    fill = np.repeat(images[:1], -len(images) % _BATCH, axis=0)
    whole = np.concatenate([images, fill])
    found = backbone.predict(whole, batch_size=_BATCH, verbose=0)[: len(images)]
    found = np.asarray(found).astype("float32")
    if not np.isfinite(found).all():
        raise UserError(
            "--backbone gives features that are not finite (NaN, infinity): look into "
            "its weights"
        )
    return found
