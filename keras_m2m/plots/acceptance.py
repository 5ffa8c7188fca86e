"""Which translations are accepted, by their pair of classes."""

from collections.abc import Sequence

import matplotlib.figure
import matplotlib.patches
import numpy as np
from numpy.typing import ArrayLike

from keras_m2m.imbalance import ClassCounts
from keras_m2m.imbalance import check_class_counts
from keras_m2m.plots.style import check_class_names
from keras_m2m.plots.style import check_numbers
from keras_m2m.plots.style import heat_map
from keras_m2m.plots.style import name_ticks
from keras_m2m.plots.style import new_figure

_MOST_NAMES = 120  # More names than that are no longer legible.


def acceptance_by_pair(
    accepted: ArrayLike,
    translated: ArrayLike,
    class_counts: ClassCounts,
    class_names: Sequence[str] | None = None,
) -> matplotlib.figure.Figure:
    """Share of accepted translations for each pair of target and seed class.

    Classes go from the most frequent to the least, on both axes. Pairs of which no
    translation was tried are hatched.

    Args:
        accepted: Number of accepted translations, of shape
            `(num_classes, num_classes)`, indexed `[target, seed]`.
        translated: Number of translations, at least `accepted`, of the same shape.
        class_counts: Training samples per class, positive integers of shape
            `(num_classes,)`, in any order.
        class_names: `num_classes` strings. `None` numbers the classes from 0. Of
            more than 120 classes the axes show ranks instead.

    Returns:
        `matplotlib.figure.Figure`. Up to 12 classes, the cells show the share.

    Raises:
        ValueError: If the shapes differ, `0 <= accepted <= translated` does not hold
            everywhere, or `class_names` has another length.

    Example:

    >>> tried = [[0, 0], [40, 0]]
    >>> figure = acceptance_by_pair([[0, 0], [10, 0]], tried, [100, 10])
    >>> [text.get_text() for text in figure.axes[0].texts]
    ['0.25']

    Source: Kim et al., M2m (CVPR 2020), sections 2.2 and 2.3: a translation is kept
    if g is confident of it, and is not rejected by the sizes of its classes.
    """
    counts = check_class_counts(class_counts)
    names = check_class_names(class_names, len(counts))
    accepted, translated = _checked(accepted, translated, len(counts))
    order = np.argsort(-counts, kind="stable")
    pairs = np.ix_(order, order)
    accepted, translated = accepted[pairs], translated[pairs]
    shares = np.full_like(accepted, np.nan)
    np.divide(accepted, translated, where=translated > 0, out=shares)
    # Inches: cells of up to 12 classes hold a number, those of more only a colour.
    cells = float(np.clip(0.42 * len(counts), 2.5, max(5.0, 0.2 * len(counts))))
    beside = 0.08 * max(map(len, names)) + 1.0
    side = min(cells, 13.0) + beside
    figure, axes = new_figure(width=1.1 * side + 1.7, height=side + 0.4)
    axes.patch.set(facecolor="0.9", edgecolor="0.6", hatch="////")
    image = heat_map(axes, shares, shares, ".2f", fontsize=9)
    figure.colorbar(image, ax=axes, fraction=0.046, label="share that is accepted")
    about = "class, most frequent first"
    if len(counts) <= _MOST_NAMES:
        name_ticks(axes, [names[index] for index in order], numbered=False)
    else:
        name_ticks(axes, names, numbered=True)
        about = "class, rank by training samples"
    axes.set(xlabel=f"seed {about}", ylabel=f"target {about}")
    if np.isnan(shares).any():
        untried = matplotlib.patches.Patch(
            facecolor="0.9", edgecolor="0.6", hatch="////", label="never translated"
        )
        figure.legend(handles=[untried], loc="outside lower right", frameon=False)
    return figure


def _checked(accepted, translated, size):
    accepted = check_numbers("accepted", accepted)
    translated = check_numbers("translated", translated)
    for name, matrix in (("accepted", accepted), ("translated", translated)):
        if matrix.shape != (size, size):
            raise ValueError(
                f"`{name}` must have shape {(size, size)}. "
                f"Received: {name}.shape={matrix.shape}"
            )
    # NaN compares false.
    inside = (accepted >= 0) & (accepted <= translated) & (translated < np.inf)
    if not inside.all():
        raise ValueError(
            "`accepted` must lie between 0 and `translated`. Received: "
            f"accepted={accepted}, translated={translated}"
        )
    return accepted, translated
