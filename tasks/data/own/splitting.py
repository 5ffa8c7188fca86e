"""The splits of data of a user's own: those that are brought, and those drawn."""

from collections.abc import Mapping
from collections.abc import Sequence

import numpy as np

from tasks.data.own.class_names import listed
from tasks.data.own.groups import check_apart
from tasks.data.own.groups import draw_splits
from tasks.data.splits import Part
from tasks.data.splits import fill_splits
from tasks.experiment.settings import Settings


def complete(
    parts: Mapping[str, Part],
    class_names: Sequence[str],
    settings: Settings,
    groups: Mapping[str, np.ndarray] | None = None,
) -> dict[str, Part]:
    """Draw the splits that are missing, and name classes that are not tested.

    Args:
        parts: `(x, y)` of `"train"` and of the splits that there are.
        class_names: One per class.
        settings: How large those to draw are, and the protocol, which may keep no
            validation samples.
        groups: What the samples of each part belong to; those of one group are then
            drawn for one split.

    Raises:
        UserError: As `fill_splits`, or if two splits cannot but share a group.
    """
    fractions = {"test": settings.test_fraction}
    if settings.protocol == "m2m":
        fractions["validation"] = settings.validation_fraction
    if groups is not None:
        parts, fractions = _drawn_by_groups(parts, class_names, fractions, groups), {}
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


def _drawn_by_groups(parts, class_names, fractions, groups):
    check_apart(groups)
    missing = {name: own for name, own in fractions.items() if name not in parts}
    x, y = parts["train"]
    drawn = draw_splits(y, groups["train"], class_names, missing)
    return {**parts, **{name: (x[rows], y[rows]) for name, rows in drawn.items()}}
