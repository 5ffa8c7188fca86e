"""What `M2mModel` makes of the lengths that it is given."""

from keras_m2m import checks

_MOVE = 0.1  # The paper's eta, as a share of the width of `bounds`, or of 1.


def check_lengths(
    bounds: tuple[float, float] | None, step_size: float | None, noise: float | None
) -> tuple[float, float]:
    """Return the two lengths, a tenth of the width of `bounds` for None.

    Args:
        bounds: `(low, high)` that samples stay in; None counts as a width of 1.
        step_size: L2 length of a step, positive, or None.
        noise: L2 norm of the random start, at least 0, or None.

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
    step_size, noise = (move if v is None else v for v in (step_size, noise))
    return checks.check_positive(step_size=step_size), checks.check_real(0, noise=noise)
