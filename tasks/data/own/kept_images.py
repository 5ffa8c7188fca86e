"""Small images of a folder, too many for memory: a file of pixels, and a stream.

The file is an `.npy` array. It is opened for each batch, so that its pages, which the
system keeps while there is room, are no memory of this process.
"""

import zlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from tasks.data import kept_arrays
from tasks.data import whole_files
from tasks.data.own import image_files
from tasks.data.own.image_decoding import Decoded
from tasks.data.small_images import samples
from tasks.experiment.errors import UserError


class KeptImages:
    """A stream of images for `Data`, as networks take them.

    Args:
        path: An `.npy` file of uint8 `(m, size, size, 3)`.
        rows: Which of them, integers `(n,)`.
        checksum: Of all pixels in the file.

    Attributes:
        checksum: The same.
        shape: `(n, size, size, 3)`, or `(n, 3, size, size)` where Keras is set so.
    """

    def __init__(self, path: Path, rows: np.ndarray, checksum: int) -> None:
        self.path, self.rows, self.checksum = path, rows, checksum
        pixels = np.load(path, mmap_mode="r")
        self.shape = (len(rows), *samples(pixels[:1]).shape[1:])

    def __len__(self) -> int:
        return len(self.rows)

    def __getitem__(self, rows: np.ndarray) -> np.ndarray:
        return samples(np.load(self.path, mmap_mode="r")[self.rows[rows]])

    def part(self, rows: np.ndarray) -> "KeptImages":
        """The stream of these rows."""
        return KeptImages(self.path, self.rows[rows], self.checksum)


def keep(paths: Sequence[Path], size: int, folder: Path) -> KeptImages:
    """Decode images into a file, or find that of an earlier time.

    It is kept where, and as long as, what `image_files.prepare` makes is.

    Args:
        paths: Image files below `folder`.
        size: Side of the images in pixels.
        folder: An absolute path, which the kept file is named by.

    Returns:
        Samples of all.

    Raises:
        UserError: If files cannot be decoded, or hold grey of more than 8 bits, or
            the disk is full.
        OSError: If the file cannot be written.
    """
    key, about = image_files.state(paths, size), image_files.kept_file(folder, size)
    path = about.with_suffix(".npy")
    kept = kept_arrays.read(about, key)
    if kept is None or "checksum" not in kept or not path.is_file():
        print(f"preparing {len(paths)} images of {size}×{size} pixels", flush=True)
        path.parent.mkdir(parents=True, exist_ok=True)
        # Decoding may take an hour, and a disk is not to be found full at its end.
        remedy = "Give a smaller --image_size, or another folder by KERAS_HOME"
        whole_files.check_space(path.parent, len(paths) * size * size * 3, remedy)
        with whole_files.aside(path) as part:
            checksum, note = _write(part, paths, size)
        kept = {"checksum": np.array(checksum), "note": np.array(note)}
        kept_arrays.write(about, key, **kept)
    print(
        f"{len(paths)} prepared images are read from {path} batch by batch", flush=True
    )
    if kept["note"].item():
        print(f"note: {kept['note']}", flush=True)
    return KeptImages(path, np.arange(len(paths)), kept["checksum"].item())


def _write(path, paths, size):
    """Write pixels as they are decoded; their checksum, and what is to be said."""
    shape = (len(paths), size, size, 3)
    header = {"descr": "|u1", "fortran_order": False, "shape": shape}
    checksum, coarse, broken = 0, {}, {}
    with open(path, "wb") as file:
        np.lib.format.write_array_header_1_0(file, header)
        for row, image in enumerate(image_files.decoded(paths, size)):
            if not isinstance(image, Decoded):
                broken[paths[row]] = image
                continue
            if image.pixels.dtype != "uint8":
                raise UserError(
                    f"{paths[row]} is grey of more than 8 bits, of which only as many "
                    "images are read as fit into memory. Save 8 bits, or give a "
                    "smaller --image_size"
                )
            if image.peak is not None:
                coarse[row] = image.peak
            pixels = image.pixels.tobytes()
            checksum = zlib.crc32(pixels, checksum)
            file.write(pixels)
    if broken:
        raise image_files.unreadable(broken, len(paths))
    return checksum, "; ".join(image_files.notes({}, coarse))
