"""One image file of anybody's, made small; nothing in it is trusted."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image
from PIL import ImageOps

from tasks.data.own.memory import MemoryBudget

# Pillow picks a decoder by a file's content; these are the ones it may pick.
FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "GIF", "TIFF")
BYTES_A_PIXEL = 24  # Pillow's copies while it decodes, each of 4 bytes.


@dataclass(frozen=True)
class Decoded:
    """An image that was decoded and made small.

    Attributes:
        pixels: `(size, size, 3)`, RGB: uint8, or uint16 in the units of the file, of
            a grey image of more than 8 bits.
        peak: The largest value of the whole image, where it holds 16 bits: of the
            upper 8 if it has colours, which is all that Pillow reads of them.
    """

    pixels: np.ndarray
    peak: int | None = None


def decode(path: Path, size: int, budget: MemoryBudget) -> Decoded:
    """The centre square of an image, in which a pixel is the mean of what it covers.

    Turned as its EXIF data says, and on white where it is transparent. Only the first
    page or frame counts.

    Args:
        path: A PNG, JPEG, WebP, BMP, GIF or TIFF file.
        size: Side in pixels.
        budget: Memory that it and others decoded beside it may take.

    Raises:
        Exception: Of many kinds, if Pillow cannot decode it or it is far too large.
    """
    with Image.open(path, formats=FORMATS) as image:
        if image.width * image.height > Image.MAX_IMAGE_PIXELS:
            raise ValueError(f"more than {Image.MAX_IMAGE_PIXELS} pixels")
        # Lets the decoder of JPEG halve a large image, which takes a fraction of the
        # time, while two pixels or more are left for one.
        image.draft(None, (2 * size, 2 * size))
        with budget.taken(BYTES_A_PIXEL * image.width * image.height):
            return _small(image, size)


def peak_of(path: Path, budget: MemoryBudget) -> tuple[str | None, int]:
    """The largest value of an image whose file holds 16 bits.

    Args:
        path: A file. Whether it can be decoded is for `decode` to say.
        budget: As for `decode`.

    Returns:
        `("deep", peak)` of a grey image, `("coarse", peak)` of one with colours, where
        the peak is as `Decoded` has it; `(None, 0)` of any other.
    """
    try:
        with Image.open(path, formats=FORMATS) as image:
            size = image.width * image.height
            kind = "coarse" if _has_16_bit_colours(image) else None
            kind = "deep" if image.mode.startswith("I") else kind
            if kind is None or size > Image.MAX_IMAGE_PIXELS:
                return None, 0
            with budget.taken(BYTES_A_PIXEL * size):
                pixels = np.asarray(image if kind == "deep" else _opaque(image))
                return kind, int(pixels.max())
    except Exception:  # Pillow raises many kinds for a broken file.
        return None, 0


def _small(image, size):
    coarse = _has_16_bit_colours(image)
    image = ImageOps.exif_transpose(image)
    if image.mode.startswith("I"):
        return _deep(np.asarray(image), size)
    if image.mode == "F":
        raise ValueError("its pixels are floats. Save integers of 8 or 16 bits")
    image = _opaque(image)
    peak = max(high for _, high in image.getextrema()) if coarse else None
    return Decoded(np.asarray(_fitted(image, size)), peak)


def _has_16_bit_colours(image):
    """Whether Pillow will leave out the lower 8 bits of each colour."""
    return image.format in ("PNG", "TIFF") and any(
        ";16" in str(tile[3]) and not image.mode.startswith("I") for tile in image.tile
    )


def _deep(pixels, size):
    """A grey image of more than 8 bits, in its own units."""
    low, high = int(pixels.min()), int(pixels.max())
    if not 0 <= low <= high < 2**16:
        raise ValueError(f"its pixels go from {low} to {high}. Save 0 to 65535")
    # Pillow reduces 16 bits only as floats.
    small = _fitted(Image.fromarray(pixels.astype("float32")), size)
    grey = np.rint(np.asarray(small)).astype("uint16")
    return Decoded(np.repeat(grey[..., None], 3, axis=-1), high)


def _fitted(image, size):
    return ImageOps.fit(image, (size, size), method=Image.Resampling.BOX)


def _opaque(image):
    """An image of up to 8 bits as RGB."""
    if not image.has_transparency_data:
        return image.convert("RGB")
    image = image.convert("RGBA")
    white = Image.new("RGBA", image.size, "white")
    return Image.alpha_composite(white, image).convert("RGB")
