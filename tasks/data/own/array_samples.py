"""Samples of anybody's arrays: vectors, series or images, and which is asked."""

import numpy as np

from tasks.experiment.errors import UserError

KINDS = ("auto", "vectors", "images", "series")
_LARGEST = 1e18  # The square of a value, and so the variance, must fit float32.
_LONGEST = 4  # Grey pictures are at most so many times as wide as high.


def find_kind(shape: tuple[int, ...], dtype: np.dtype, asked: str, what: str) -> str:
    """Tell what samples are: by shape where that has one meaning, else as asked.

    Args:
        shape: Shape of the array, `(n, ...)`.
        dtype: Of the array.
        asked: One of `KINDS`.
        what: What the array is, for messages.

    Returns:
        `"vectors"`, `"series"` or `"images"`.

    Raises:
        UserError: If samples may be more than one thing, or are nothing that is known.
    """
    if len(shape) < 2 or 0 in shape:
        raise UserError(
            f"{what} must be vectors (n, d), series (n, length, channels) or images "
            f"(n, h, w), (n, h, w, 1) or (n, h, w, 3), at least one. Received: shape "
            f"{shape}"
        )
    if asked == "vectors" or (asked == "auto" and len(shape) == 2):
        return "vectors"
    if asked == "series" or (asked == "auto" and shape[2:] == (1,)):
        _check_series(shape, asked, what)
        return "series"
    _check_channels(shape, what)
    if asked == "auto" and not _looks_like_images(shape, dtype):
        raise UserError(
            f"{what} has shape {shape} of {dtype}: grey images of {shape[1]} rows and "
            f"{shape[2]} columns, or series of {shape[1]} values in {shape[2]} "
            "channels? Give --kind=images or --kind=series; or --kind=vectors, which "
            "makes a vector of each sample"
        )
    if asked == "auto" and shape[3:] in ((), (1,)):
        height, width = shape[1:3]
        print(f"note: {what}: taken for grey images of {height}×{width}; see --kind")
    return "images"


def _check_series(shape, asked, what):
    """Say how axes are read, where that may not be what is meant."""
    if shape[3:] not in ((), (1,)):
        raise UserError(
            f"{what} must be series (n, length, channels) or (n, length). Received: "
            f"shape {shape}"
        )
    length, channels = (*shape[1:], 1)[:2]
    if length < channels:
        print(
            f"note: {what}: series of {length} values in {channels} channels. If "
            "channels come first in it, save x.transpose(0, 2, 1)"
        )
    elif asked == "auto":
        print(f"note: {what}: taken for series of {length} values; see --kind")


def _looks_like_images(shape, dtype):
    if len(shape) == 4 and shape[3] == 3:
        return True
    low, high = sorted(shape[1:3])
    return low == high or (dtype == "uint8" and high <= _LONGEST * low)


def _check_channels(shape, what):
    if len(shape) == 3 or (len(shape) == 4 and shape[3] in (1, 3)):
        return
    advice = "--kind=vectors makes a vector of each sample"
    if len(shape) == 4 and shape[1] in (1, 3):
        advice = "If channels come first, save x.transpose(0, 2, 3, 1)"
    elif len(shape) == 4 and shape[3] == 4:
        advice = (
            "If the fourth channel is transparency, save x[..., :3], or blend with "
            "white: a = x[..., 3:] / 255, x[..., :3] * a + 255 * (1 - a)"
        )
    elif len(shape) == 4:
        advice = f"Of several bands choose three, x[..., [i, j, k]], or one. {advice}"
    raise UserError(
        f"{what} must be vectors (n, d) or images (n, h, w), (n, h, w, 1) or (n, h, w, "
        f"3). Received: shape {shape}. {advice}"
    )


def read_samples(x: np.ndarray, kind: str, what: str) -> np.ndarray:
    """Samples as a network takes them, except that uint8 images keep their scale.

    Args:
        x: As it was saved.
        kind: As `find_kind` returns.
        what: What it is, for messages.

    Returns:
        float32 `(n, d)` or `(n, length, channels)`; or uint8, or float32 in [0, 1],
        `(n, h, w, channels)`.

    Raises:
        UserError: If values are no numbers, not finite, or out of range.
    """
    if kind in ("vectors", "series"):
        if x.dtype.kind not in "biuf":
            raise UserError(f"{what} must be real numbers. Received: dtype {x.dtype}")
        if kind == "series":
            return _finite(x.reshape(*x.shape[:2], -1), what)
        return _finite(x.reshape(len(x), -1), what)
    x = x[..., None] if x.ndim == 3 else x
    if x.dtype == "uint8":
        return x
    if x.dtype.kind != "f":
        raise UserError(
            f"{what} must be uint8 or floats in [0, 1]. Received: dtype {x.dtype}. "
            "Divide by the largest value that a pixel can have, such as 255 or 4095 or "
            "65535"
        )
    x = _finite(x, what)
    low, high = x.min(), x.max()
    if not 0 <= low <= high <= 1:
        raise UserError(
            f"{what} must be in [0, 1], or uint8. Received: floats from {low} to "
            f"{high}. Divide pixels by 255"
        )
    return x


def _finite(x, what):
    """float32 of what fits it."""
    with np.errstate(over="ignore"):  # What overflows is refused below.
        x = x.astype("float32", copy=False)
    wrong = ~np.isfinite(x).all(axis=tuple(range(1, x.ndim)))
    if wrong.any():
        raise UserError(
            f"{what} holds NaN or infinity in {wrong.sum()} of {len(x)} samples, the "
            f"first of them number {1 + wrong.argmax()}. Remove or replace them"
        )
    if max(-x.min(), x.max()) > _LARGEST:
        raise UserError(f"{what} holds values beyond ±{_LARGEST:g}. Scale them")
    return x
