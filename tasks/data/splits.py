"""Which samples are for training, validation and the test, class by class."""

from collections.abc import Collection
from collections.abc import Mapping
from collections.abc import Sequence

import numpy as np

from tasks.data.own.class_names import check_several
from tasks.data.own.class_names import listed
from tasks.experiment.errors import UserError

Part = tuple[np.ndarray, np.ndarray]


def fill_splits(
    parts: Mapping[str, Part],
    class_names: Sequence[str],
    fractions: Mapping[str, float],
) -> dict[str, Part]:
    """Draw the splits that the data lacks from its training samples.

    From each class of n samples, `fraction * n` rounded down go to a split, at least
    one, and at least one is left for training. They are drawn by seed 0.

    Args:
        parts: `(x, y)` of `"train"` and of the splits that there are, `y` integers
            that index `class_names`.
        class_names: One per class.
        fractions: The splits that are wanted, and their fractions in (0, 1).

    Returns:
        `parts` and the splits that were missing, with disjoint samples.

    Raises:
        UserError: If there are fewer than two classes, or one has too few training
            samples.
    """
    missing = [name for name in fractions if name not in parts]
    x, y = parts["train"]
    counts = np.bincount(y, minlength=len(class_names))
    _check_counts(counts, class_names, missing)
    rng = np.random.default_rng(0)
    rows = {name: [] for name in [*missing, "train"]}
    for k, count in enumerate(counts):
        order, reserved = rng.permutation(np.flatnonzero(y == k)), len(missing)
        for name in missing:
            size = max(1, int(fractions[name] * count))
            size = min(size, len(order) - reserved)
            rows[name].append(order[:size])
            order, reserved = order[size:], reserved - 1
        rows["train"].append(order)
    # In the order of the data, so that without a draw nothing moves.
    chosen = {name: np.sort(np.concatenate(own)) for name, own in rows.items()}
    return {**parts, **{name: (x[own], y[own]) for name, own in chosen.items()}}


def or_field(missing: Collection[str]) -> str:
    """The end of an advice for data that is too small to draw from.

    Args:
        missing: The splits that are to be drawn.

    Example:

    >>> or_field(["test"])
    ''
    """
    if "validation" not in missing:
        return ""
    return "; or give --protocol=field, which draws no validation samples"


def _check_counts(counts, class_names, missing):
    check_several(class_names)
    absent = [class_names[k] for k in np.flatnonzero(counts == 0)]
    if absent:
        raise UserError(
            f"No training samples of {listed(absent)}. Add some, or remove the class "
            "everywhere"
        )
    needed = 1 + len(missing)
    small = [f"{class_names[k]} ({counts[k]})" for k in np.flatnonzero(counts < needed)]
    if small:
        raise UserError(
            f"Too few training samples: {listed(small)}. Each class needs {needed}: "
            f"one for training and one to draw for {' and '.join(missing)} each. Add "
            f"samples, remove the class, or bring splits of your own{or_field(missing)}"
        )
