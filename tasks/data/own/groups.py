"""Splits in which what belongs together stays together, such as images of a patient."""

import warnings
from collections.abc import Mapping
from collections.abc import Sequence

import numpy as np
from sklearn.model_selection import StratifiedGroupKFold

from tasks.data.own.class_names import listed
from tasks.data.splits import or_field
from tasks.experiment.errors import UserError

_TRIED = 5  # Draws of so many folds, until each split has samples of each class.


def draw_splits(
    y: np.ndarray,
    groups: np.ndarray,
    class_names: Sequence[str],
    fractions: Mapping[str, float],
) -> dict[str, np.ndarray]:
    """Draw splits of which no two share a group.

    Each is that fold of scikit-learn's `StratifiedGroupKFold` whose size is nearest to
    what is wanted, of those that leave samples of each class in all splits. Drawn by
    seeds from 0.

    Args:
        y: Labels, integers `(n,)` that index `class_names`.
        groups: What each sample belongs to, `(n,)`.
        class_names: One per class.
        fractions: The splits that are wanted, and their shares of all samples.

    Returns:
        The rows of each split and those that are left, `"train"`, in order.

    Raises:
        UserError: If a class is in too few groups.
    """
    _check_counts(y, groups, class_names, [*fractions])
    rows, left = np.arange(len(y)), 1.0
    found = {}
    for k, (split, fraction) in enumerate(fractions.items()):
        needed = len(fractions) - k  # Groups of each class, for what comes after.
        own = _fold(y[rows], groups[rows], fraction / left, needed)
        if own is None:
            raise UserError(
                f"--group: no {split} samples could be drawn so that each class is in "
                "all splits and no group in two. Bring splits of your own, or merge "
                f"rare classes{or_field(fractions)}"
            )
        found[split], rows = rows[own], np.delete(rows, own)
        left -= fraction
    return {**found, "train": rows}


def check_apart(groups: Mapping[str, np.ndarray]) -> None:
    """Refuse splits that share a group.

    Args:
        groups: Those of the samples of each split.

    Raises:
        UserError: If two do.
    """
    seen: dict[str, str] = {}
    for split, own in groups.items():
        shared = [name for name in np.unique(own).tolist() if name in seen]
        if shared:
            raise UserError(
                f"--group: {listed(shared)} ({len(shared)} in all) are both in "
                f"{seen[shared[0]]} and in {split}, which are splits of your own. Mend "
                "them, or leave out --group"
            )
        seen |= dict.fromkeys(np.unique(own).tolist(), split)


def _check_counts(y, groups, class_names, missing):
    needed = 1 + len(missing)
    counts = _groups_of_classes(y, groups, len(class_names))
    small = [f"{class_names[k]} ({counts[k]})" for k in np.flatnonzero(counts < needed)]
    if small:
        raise UserError(
            f"--group: classes in too few groups: {listed(small)}. Each needs "
            f"{needed}: one for training, one to draw for {' and '.join(missing)}"
        )


def _groups_of_classes(y, groups, num_classes):
    """How many groups each class is in."""
    _, group = np.unique(groups, return_inverse=True)
    pairs = np.unique(np.stack([y, group]), axis=1)
    return np.bincount(pairs[0], minlength=num_classes)


def _fold(y, groups, fraction, needed):
    """Rows of the best fold, or None if none will do."""
    most = min(len(np.unique(groups)), np.bincount(y).max())
    folds = int(np.clip(round(1 / fraction), 2, most))
    # Larger folds where smaller ones have not a group of each class.
    for count in range(folds, 1, -1):
        for seed in range(_TRIED):
            fitting = _fitting(y, groups, needed, count, seed)
            if fitting:
                return min(fitting, key=lambda own: abs(len(own) - fraction * len(y)))
    return None


def _fitting(y, groups, needed, folds, seed):
    """The folds of one draw that have each class, and leave enough of it."""
    splitter = StratifiedGroupKFold(folds, shuffle=True, random_state=seed)
    with warnings.catch_warnings():
        # Of classes that are not in each fold, which is looked at here.
        warnings.simplefilter("ignore", UserWarning)
        parts = [*splitter.split(y, y, groups)]
    num_classes, found = y.max() + 1, []
    for rest, own in parts:
        here = np.bincount(y[own], minlength=num_classes)
        after = _groups_of_classes(y[rest], groups[rest], num_classes)
        if here.all() and (after >= needed).all():
            found.append(own)
    return found
