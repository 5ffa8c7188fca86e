"""Whether one step of M2m suits all entries of samples, and what is said if not."""

import numpy as np

from keras_m2m.units import LEAST
from keras_m2m.units import spreads

_FAR_APART = 100  # The widest over the narrowest, from which no step suits both.


def tell_spreads(x: np.ndarray, far_apart: bool = True) -> None:
    """Print how samples spread, and entries that are out of proportion.

    Args:
        x: Training samples, vectors `(n, d)`, or series `(n, length, channels)`, whose
            channels are meant by entries.
        far_apart: Whether entries that spread by more than others matter: not if steps
            are in their units.
    """
    found = spreads(x)
    entry, entries = ("entry", "entries") if x.ndim == 2 else ("channel", "channels")
    hardly = found.constant | found.hardly
    values = x[0].size / len(hardly)  # Of an entry, in a sample.
    distance = np.sqrt(values * np.square(found.deviation).sum())
    print(f"samples lie {distance:.3g} from their mean (root mean square)", flush=True)
    odd = np.flatnonzero(hardly)
    if len(odd):
        print(
            f"note: {len(odd)} of {len(hardly)} {entries} hardly vary, such as "
            f"{odd[0]}: their spread (standard deviation) is below {LEAST:g} of the "
            f"median {entry}'s. They are shifted, not scaled, and in units of the "
            "spreads no translation moves them. Standardise the samples if they mean "
            "something",
            flush=True,
        )
    if far_apart:
        _tell_far_apart(np.where(hardly, np.nan, found.deviation), entry, entries)


def _tell_far_apart(spread, entry, entries):
    if np.isnan(spread).all():
        return
    narrow, wide = np.nanargmin(spread), np.nanargmax(spread)
    if spread[wide] > _FAR_APART * spread[narrow]:
        print(
            f"note: no one --step_size suits all {entries}: the spread (standard "
            f"deviation) of {entry} {narrow} is {spread[narrow]:.3g}, that of {entry} "
            f"{wide} is {spread[wide]:.3g}, the median {np.nanmedian(spread):.3g}. "
            "What is a long step in the one is nothing in the other. For M2m give "
            "--units=std, or standardise the samples first",
            flush=True,
        )
