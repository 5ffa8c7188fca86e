"""A photograph as a person knows it: its file, and what it shows."""

import io
from collections.abc import Sequence
from pathlib import Path

from PIL import Image

from tasks.data.own.image_decoding import FORMATS

_SIDE = 160  # Pixels of what is shown.


def photograph(files: Sequence[Path], folder: Path, index: int) -> dict:
    """The file of a photograph, and a small PNG of it where it has usual colours.

    Args:
        files: Of all photographs.
        folder: That they are in.
        index: Of one of them.
    """
    file = files[index]
    inside = file.is_relative_to(folder)
    found = {"file": str(file.relative_to(folder) if inside else file)}
    try:
        with Image.open(file, formats=FORMATS) as image:
            if image.mode[0] not in "IF":  # Of more than 8 bits.
                image.thumbnail((_SIDE, _SIDE))
                png = io.BytesIO()
                image.convert("RGB").save(png, "PNG")
                found["image"] = png.getvalue()
    except (OSError, ValueError, Image.DecompressionBombError):
        pass  # It was read before, and its name is enough.
    return found
