"""Image files as one array of small images, made once and kept."""

import functools
import hashlib
import os
import sys
from collections.abc import Iterator
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import keras
import numpy as np

from tasks.data import kept_arrays
from tasks.data.own.image_decoding import Decoded
from tasks.data.own.image_decoding import decode
from tasks.data.own.image_decoding import peak_of
from tasks.data.own.memory import MemoryBudget
from tasks.data.own.memory import available
from tasks.experiment.errors import UserError
from tasks.experiment.paths import keras_home

_AT_ONCE = 4096  # What waits for a thread takes memory.
_VERSION = 3  # To be raised when images are prepared in another way.
# As bytes of up to 16 bits, a copy of them by splits, and as float32.
BYTES_A_VALUE = 2 + 2 + 4


def prepare(
    paths: Sequence[Path], size: int, folder: Path
) -> tuple[np.ndarray, int | None]:
    """Decode images and bring them to one size, or read them from an earlier time.

    They are kept in `~/.keras/keras_m2m` (or `$KERAS_HOME/keras_m2m`), one file per
    folder and size, and made again when the list of files, a file's size or the time
    of its last change is another.

    Args:
        paths: Image files below `folder`.
        size: Side of the images in pixels.
        folder: An absolute path, which the kept file is named by.

    Returns:
        `(images, bits)`: an array `(len(paths), size, size, 3)`, RGB, uint8; or uint16
        over its whole range if there are grey images of more than 8 bits, and then how
        many bits are taken for theirs, else None.

    Raises:
        UserError: If files cannot be decoded; it names the first ten.
    """
    key, path = state(paths, size), kept_file(folder, size)
    kept = kept_arrays.read(path, key)
    if kept is None:
        print(f"preparing {len(paths)} images of {size}×{size} pixels", flush=True)
        images, deep, coarse = _decode_all(paths, size)
        bits = _bits(deep)
        for row in range(len(images) if bits else 0):  # As floats they are large.
            images[row] = _widened(images[row], bits if row in deep else 8)
        note = "; ".join(notes(deep, coarse))
        kept = {"images": images, "bits": np.array(bits or 0), "note": np.array(note)}
        kept_arrays.write(path, key, **kept)
    else:
        print(f"{len(paths)} prepared images are read from {path}", flush=True)
    if kept["note"].item():
        print(f"note: {kept['note']}", flush=True)
    return kept["images"], kept["bits"].item() or None


def read_new(
    paths: Sequence[Path], size: int, bits: int | None
) -> tuple[np.ndarray, dict[int, str]]:
    """Read images as `prepare` does, and as if they were of a set that it prepared.

    Args:
        paths: Image files.
        size: Side of the images in pixels.
        bits: What `prepare` gave for that set.

    Returns:
        `(images, broken)`: images like those of that set, and by row why one could not
        be read, which is black.
    """
    images = np.zeros((len(paths), size, size, 3), "uint16" if bits else "uint8")
    broken = {}
    for row, image in enumerate(_decoded(paths, size, images.nbytes)):
        try:
            images[row] = _in_range(image, bits)
        except Exception as error:  # Of many kinds, where it could not be decoded.
            broken[row] = str(error) or type(error).__name__
    return images, broken


def _in_range(image, bits):
    """The pixels of one decoded image, in the range of a set of so many bits."""
    if not isinstance(image, Decoded):
        raise image
    is_deep = image.pixels.dtype == "uint16"
    if is_deep and (bits is None or image.peak >= 2**bits):
        raise ValueError(
            f"it is grey of more than 8 bits, with values up to {image.peak}, and the "
            f"images that the network was trained on had {bits or 8} bits"
        )
    return _widened(image.pixels, bits if is_deep else 8) if bits else image.pixels


def _decoded(paths, size, taken):
    """Images in order, or the errors in their place; `taken` bytes are held."""
    budget = MemoryBudget(available() - 3 * taken)
    read = functools.partial(_try_decode, size=size, budget=budget)
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for start in range(0, len(paths), _AT_ONCE):
            yield from pool.map(read, paths[start : start + _AT_ONCE])


def decoded(
    paths: Sequence[Path], size: int, taken: int = 0
) -> Iterator[Decoded | Exception]:
    """Decode images in order, and show how many are done.

    Args:
        paths: Image files.
        size: Side of the images in pixels.
        taken: Bytes that are held meanwhile.

    Yields:
        The image of each file, or why it cannot be decoded.
    """
    bar = keras.utils.Progbar(
        len(paths), verbose=1 if sys.stdout.isatty() else 2, unit_name="image"
    )
    for row, image in enumerate(_decoded(paths, size, taken)):
        bar.update(row + 1)
        yield image


def _decode_all(paths, size):
    """The images, each in the units of its file; peaks of deep and coarse ones."""
    images = np.empty((len(paths), size, size, 3), "uint8")
    deep, coarse, broken = {}, {}, {}
    # Held beside them: the images, as bytes and once more where they become 16 bits.
    for row, (path, image) in enumerate(
        zip(paths, decoded(paths, size, images.nbytes), strict=True)
    ):
        if not isinstance(image, Decoded):
            broken[path] = image
            continue
        if image.pixels.dtype == "uint16":
            images, deep[row] = images.astype("uint16", copy=False), image.peak
        elif image.peak is not None:
            coarse[row] = image.peak
        images[row] = image.pixels
    if broken:
        raise unreadable(broken, len(paths))
    return images, deep, coarse


def unreadable(broken: dict[Path, object], count: int) -> UserError:
    """The error that some of so many images cannot be read, by what of each."""
    lines = [f"  {path}: {error}" for path, error in [*broken.items()][:10]]
    return UserError(
        f"{len(broken)} of {count} images cannot be read. Replace or remove them:\n"
        + "\n".join(lines)
    )


def bits_of(paths: Sequence[Path]) -> int | None:
    """The bits that `prepare` would give for images; it prints the same notes.

    Only those are decoded whose files say that they hold 16 bits.

    Raises:
        UserError: As `prepare` does of such images.
    """
    peaks = {"deep": {}, "coarse": {}}
    read = functools.partial(peak_of, budget=MemoryBudget(available()))
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for row, (kind, peak) in enumerate(pool.map(read, paths)):
            if kind is not None:
                peaks[kind][row] = peak
    for note in notes(**peaks):
        print(f"note: {note}", flush=True)
    return _bits(peaks["deep"])


def _bits(deep):
    """How many bits grey images of more than 8 hold, None if there are none.

    Files of 16 bits often hold 10 or 12 and do not say so. The largest value of all
    does.
    """
    return max(8, max(deep.values()).bit_length()) if deep else None


def _widened(pixels, bits):
    """An image of so many bits, over the whole range of 16."""
    return np.rint(pixels * ((2**16 - 1) / (2**bits - 1))).astype("uint16")


def notes(deep: dict[int, int], coarse: dict[int, int]) -> Iterator[str]:
    """What is to be said of images of more than 8 bits."""
    if coarse:
        if max(coarse.values()) < 16:
            raise UserError(
                f"{len(coarse)} images of 16 bits a colour hold at most 12, of which "
                "only the upper 4 could be read. Save them with 8 bits a colour"
            )
        yield f"of {len(coarse)} images of 16 bits a colour the upper 8 are read"
    if deep:
        bits = _bits(deep)
        yield (
            f"{len(deep)} images hold more than 8 bits, values up to "
            f"{max(deep.values())}: {2**bits - 1} ({bits} bits) is taken for white"
        )


def _try_decode(path, size, budget):
    try:
        return decode(path, size, budget)
    except Exception as error:  # Pillow raises many kinds for a broken file.
        return error


def state(paths: Sequence[Path], size: int) -> str:
    """What prepared images follow from, except the pixels: files, sizes and times.

    Args:
        paths: Image files.
        size: Side of the images in pixels.

    Raises:
        UserError: If there is no such file.
    """
    digest = hashlib.sha256(f"{_VERSION} {size}".encode())
    for path in paths:
        try:
            found = path.stat()
        except OSError as error:
            raise UserError(f"{path} cannot be read: {error.strerror}") from error
        digest.update(os.fsencode(path))
        digest.update(f"\0{found.st_size} {found.st_mtime_ns}\0".encode())
    return digest.hexdigest()


def kept_file(folder: Path, size: int) -> Path:
    """The file that `prepare` keeps the images of a folder in."""
    place = hashlib.sha256(os.fsencode(folder)).hexdigest()[:16]
    return keras_home() / "keras_m2m" / f"images-{place}-{size}.npz"
