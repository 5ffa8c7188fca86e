"""The splits of data of a user's own: those that are brought, and those drawn."""

from collections.abc import Mapping
from collections.abc import Sequence

import numpy as np

from tasks.data.own.class_names import listed
from tasks.data.splits import Part
from tasks.data.splits import fill_splits
from tasks.experiment.settings import Settings


def complete(
    parts: Mapping[str, Part], class_names: Sequence[str], settings: Settings
) -> dict[str, Part]:
    """Draw the splits that are missing, and name classes that are not tested.

    Args:
        parts: `(x, y)` of `"train"` and of the splits that there are.
        class_names: One per class.
        settings: How large those to draw are, and the protocol, which may keep no
            validation samples.

    Raises:
        UserError: As `fill_splits`.
    """
    fractions = {"test": settings.test_fraction}
    if settings.protocol == "m2m":
        fractions["validation"] = settings.validation_fraction
    parts = fill_splits(parts, class_names, fractions)
    for split in parts.keys() - {"train"}:
        counts = np.bincount(parts[split][1], minlength=len(class_names))
        absent = [class_names[k] for k in np.flatnonzero(counts == 0)]
        if absent:
            print(
                f"note: no {split} samples of {listed(absent)}, whose recall counts "
                "nowhere"
            )
    return parts
