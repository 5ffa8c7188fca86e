"""What `M2mModel` makes of the lengths that it is given, and of their units."""

from typing import Any

import numpy as np

from keras_m2m import checks

AUTO = "auto"
_MOVE = 0.1  # The paper's eta, as a share of the width of `bounds`, or of 1.


def check_lengths(
    bounds: tuple[float, float] | None,
    step_size: float | str | None,
    noise: float | None,
) -> tuple[float | str, float | None]:
    """Return the lengths of a step and of noise, with defaults for None.

    Args:
        bounds: `(low, high)` that samples stay in; None counts as a width of 1.
        step_size: L2 length of a step, positive, or `"auto"`. None for a tenth of the
            width of `bounds`, and without these for `"auto"`.
        noise: L2 norm of the random start, at least 0. None for a tenth of the width,
            and where the step is `"auto"` for None: it follows that.

    Returns:
        `(step_size, noise)`.

    Raises:
        ValueError: If one is outside its range.

    Example:

    >>> check_lengths((0, 20), step_size=None, noise=0.5)
    (2.0, 0.5)
    """
    low, high = bounds or (0, 1)
    move = _MOVE * (high - low)
    if step_size is None:
        step_size = AUTO if bounds is None else move
    step_size = _check_step_size(step_size)
    if noise is None and step_size != AUTO:
        noise = move
    return step_size, None if noise is None else checks.check_real(0, noise=noise)


def check_units(units: Any, shape: tuple | None) -> np.ndarray | None:
    """Return units as a float32 array, or None for None.

    Args:
        units: Finite numbers of at least 0, not all 0, that broadcast to a sample.
        shape: Of a batch of samples, None where a size may vary; or None.

    Raises:
        ValueError: If they are something else.

    Example:

    >>> check_units([1, 0], (None, 2))
    array([1., 0.], dtype=float32)
    """
    if units is None:
        return None
    array = checks.as_array(units=units)
    numbers = array.dtype.kind in "iuf" and array.size > 0
    # NaN compares false.
    if not numbers or not ((array >= 0) & (array <= checks.LARGEST)).all():
        raise ValueError(
            "`units` must be finite numbers of at least 0, the length of a unit step "
            f"along each entry. Received: units={units!r}"
        )
    array = array.astype("float32")
    if not array.any():
        raise ValueError(
            "`units` must not all be 0, or nothing can be translated. "
            f"Received: units={units!r}"
        )
    if shape is not None and not _broadcasts(array.shape, shape[1:]):
        raise ValueError(
            f"`units` must broadcast to a sample, of shape {shape[1:]}. "
            f"Received: units of shape {array.shape}"
        )
    return array


def _broadcasts(shape, sample):
    pairs = zip(reversed(shape), reversed(sample))
    return len(shape) <= len(sample) and all(
        size == 1 or own is None or size == own for size, own in pairs
    )


def _check_step_size(step_size):
    if isinstance(step_size, str):
        if step_size != AUTO:
            raise ValueError(
                '`step_size` must be a positive number, "auto", or None. '
                f"Received: step_size={step_size!r}"
            )
        return step_size
    return checks.check_positive(step_size=step_size)
