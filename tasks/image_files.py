"""Image files as one array of small images, made once and kept."""

import functools
import hashlib
import os
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import keras
import numpy as np
from PIL import Image
from PIL import ImageOps

from tasks import kept_arrays
from tasks.task import UserError

# Pillow picks a decoder by a file's content; these are the ones it may pick.
_FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "GIF")
_VERSION = 1  # To be raised when images are prepared in another way.


def prepare(paths: Sequence[Path], size: int, folder: Path) -> np.ndarray:
    """Decode images and bring them to one size, or read them from an earlier time.

    They are kept in `~/.keras/keras_m2m` (or `$KERAS_HOME/keras_m2m`), one file per
    folder and size, and made again when the list of files, a file's size or the time
    of its last change is another.

    Args:
        paths: Image files below `folder`.
        size: Side of the images in pixels.
        folder: An absolute path, which the kept file is named by.

    Returns:
        uint8 array `(len(paths), size, size, 3)`, RGB.

    Raises:
        UserError: If files cannot be decoded; it names the first ten.
    """
    key, path = _key(paths, size), _kept_file(folder, size)
    kept = kept_arrays.read(path, key)
    if kept is not None:
        print(f"{len(paths)} prepared images are read from {path}", flush=True)
        return kept["images"]
    print(f"preparing {len(paths)} images of {size}×{size} pixels", flush=True)
    images = _decode_all(paths, size)
    kept_arrays.write(path, key, images=images)
    return images


def decode(path: Path, size: int) -> np.ndarray:
    """The centre square of an image, in which a pixel is the mean of what it covers.

    Turned as its EXIF data says; of an animation the first frame; on white where it
    is transparent; of 16 bits the upper 8.

    Args:
        path: A PNG, JPEG, WebP, BMP or GIF file.
        size: Side in pixels.

    Returns:
        uint8 array `(size, size, 3)`, RGB.

    Raises:
        Exception: Of many kinds, if Pillow cannot decode it or it is far too large.
    """
    with Image.open(path, formats=_FORMATS) as image:
        if image.width * image.height > Image.MAX_IMAGE_PIXELS:
            raise ValueError(f"more than {Image.MAX_IMAGE_PIXELS} pixels")
        # Lets the decoder of JPEG halve a large image, which takes a fraction of the
        # time, while two pixels or more are left for one.
        image.draft(None, (2 * size, 2 * size))
        image = _opaque(ImageOps.exif_transpose(image))
        small = ImageOps.fit(image, (size, size), method=Image.Resampling.BOX)
    return np.asarray(small)


def _opaque(image):
    """An image of any mode as RGB of 8 bits."""
    if image.mode.startswith("I"):
        return Image.fromarray((np.asarray(image) >> 8).astype("uint8")).convert("RGB")
    if not image.has_transparency_data:
        return image.convert("RGB")
    image = image.convert("RGBA")
    white = Image.new("RGBA", image.size, "white")
    return Image.alpha_composite(white, image).convert("RGB")


def _decode_all(paths, size):
    images = np.empty((len(paths), size, size, 3), "uint8")
    broken = {}
    bar = keras.utils.Progbar(
        len(paths), verbose=1 if sys.stdout.isatty() else 2, unit_name="image"
    )
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        decoded = pool.map(functools.partial(_try_decode, size=size), paths)
        for row, (path, image) in enumerate(zip(paths, decoded, strict=True)):
            if isinstance(image, Exception):
                broken[path] = image
            else:
                images[row] = image
            bar.update(row + 1)
    if broken:
        lines = [f"  {path}: {error}" for path, error in [*broken.items()][:10]]
        raise UserError(
            f"{len(broken)} of {len(paths)} images cannot be read. Replace or remove "
            "them:\n" + "\n".join(lines)
        )
    return images


def _try_decode(path, size):
    try:
        return decode(path, size)
    except Exception as error:  # Pillow raises many kinds for a broken file.
        return error


def _key(paths, size):
    """What the prepared images follow from, but for the pixels."""
    digest = hashlib.sha256(f"{_VERSION} {size}".encode())
    for path in paths:
        try:
            found = path.stat()
        except OSError as error:
            raise UserError(f"{path} cannot be read: {error.strerror}") from error
        digest.update(os.fsencode(path))
        digest.update(f"\0{found.st_size} {found.st_mtime_ns}\0".encode())
    return digest.hexdigest()


def _kept_file(folder, size):
    home = os.environ.get("KERAS_HOME") or Path.home() / ".keras"
    place = hashlib.sha256(os.fsencode(folder)).hexdigest()[:16]
    return Path(home) / "keras_m2m" / f"images-{place}-{size}.npz"
