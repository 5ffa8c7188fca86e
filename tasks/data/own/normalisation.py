"""How samples are brought to one scale, and whether one step suits all entries."""

import numpy as np

_LEAST = 1e-4  # Share of the median spread; what varies less is rounding, or a unit.
_FAR_APART = 100  # The widest over the narrowest, from which no step suits both.


def statistics(x: np.ndarray, axis: int) -> tuple[np.ndarray, np.ndarray]:
    """Mean and variance to normalise samples by, of each entry or channel.

    An entry that hardly varies is only shifted: divided by its tiny spread, it would
    leave all bounds once a translation moved it. One that never varies must not be
    what a translation moves most either, so it counts as no narrower than the median.

    Args:
        x: Training samples `(n, ...)`, float32.
        axis: Of the entries or channels.

    Returns:
        Two float64 arrays, one number for each index of `axis`.
    """
    mean, variance = _moments(x, axis)
    spread, constant, hardly = _spreads(mean, variance)
    median = _median(spread[~constant])
    divisor = np.select([constant, hardly], [max(1.0, median), 1.0], spread)
    return mean, np.square(divisor)


def tell_spreads(x: np.ndarray) -> None:
    """Print how samples spread, and entries that are out of proportion.

    Args:
        x: Training samples, vectors `(n, d)`.
    """
    mean, variance = _moments(x, 1)
    spread, constant, hardly = _spreads(mean, variance)
    distance = np.sqrt(variance.sum())
    print(f"samples lie {distance:.3g} from their mean (root mean square)", flush=True)
    odd = np.flatnonzero(constant | hardly)
    if len(odd):
        print(
            f"note: {len(odd)} of {x.shape[1]} entries hardly vary, such as {odd[0]}: "
            f"their spread (standard deviation) is below {_LEAST:g} of the median "
            "entry's. They are shifted, not scaled. Standardise the samples if these "
            "entries mean something",
            flush=True,
        )
    _tell_far_apart(np.where(constant | hardly, np.nan, spread))


def _tell_far_apart(spread):
    if np.isnan(spread).all():
        return
    narrow, wide = np.nanargmin(spread), np.nanargmax(spread)
    if spread[wide] > _FAR_APART * spread[narrow]:
        print(
            "note: no one --step_size suits all entries: the spread (standard "
            f"deviation) of entry {narrow} is {spread[narrow]:.3g}, that of entry "
            f"{wide} is {spread[wide]:.3g}, the median {np.nanmedian(spread):.3g}. "
            "What is a long step in the one is nothing in the other. For M2m "
            "standardise the samples first: subtract each entry's mean over the "
            "training samples and divide by its spread",
            flush=True,
        )


def _moments(x, axis):
    """Mean and variance over all axes except one, float64."""
    others = tuple(other for other in range(x.ndim) if other != axis)
    # In pieces: a float64 copy of them all would take twice their memory.
    pieces = [x[start : start + 1000] for start in range(0, len(x), 1000)]
    size = x.size / x.shape[axis]
    mean = sum(piece.sum(axis=others, dtype="float64") for piece in pieces) / size
    centre = np.expand_dims(mean, others)
    off = (np.square(piece - centre).sum(axis=others) for piece in pieces)
    return mean, sum(off) / size


def _spreads(mean, variance):
    """Standard deviations, where there is none, and where there hardly is one."""
    spread = np.sqrt(variance)
    constant = variance <= 1e-14 * mean**2  # Float32 cannot tell its values apart.
    return spread, constant, ~constant & (spread < _LEAST * _median(spread[~constant]))


def _median(spread):
    return np.median(spread) if len(spread) else 1.0
