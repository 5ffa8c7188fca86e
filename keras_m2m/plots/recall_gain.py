"""Recall that methods gain or lose over another, class by class."""

from collections.abc import Mapping
from collections.abc import Sequence

import matplotlib.figure
import numpy as np
from numpy.typing import ArrayLike

from keras_m2m.imbalance import ClassCounts
from keras_m2m.imbalance import check_class_counts
from keras_m2m.plots.style import COLORS
from keras_m2m.plots.style import check_class_names
from keras_m2m.plots.style import check_named
from keras_m2m.plots.style import check_numbers
from keras_m2m.plots.style import plain


def recall_gain(
    recalls: Mapping[str, ArrayLike],
    baseline: ArrayLike,
    class_counts: ClassCounts,
    class_names: Sequence[str] | None = None,
    baseline_name: str = "ERM",
) -> matplotlib.figure.Figure:
    """Recall of each class minus that of a baseline, one panel for each method.

    Classes go from the most frequent to the least, with their training samples in
    brackets. A bar is the mean over runs, its line the sample standard deviation of
    the difference between two runs of the same seed. The title shows the mean over
    classes, which is the gain in balanced accuracy.

    Args:
        recalls: By name of a method, its recalls in `[0, 1]`, of shape
            `(num_runs, num_classes)`. NaN for a class without test samples, which
            is left out of all panels.
        baseline: Recalls of the baseline, of the same shape; run `i` has the seed of
            the methods' run `i`.
        class_counts: Training samples per class, positive integers of shape
            `(num_classes,)`, in any order.
        class_names: `num_classes` strings. `None` numbers the classes from 0.
        baseline_name: What the baseline is called.

    Returns:
        `matplotlib.figure.Figure`. Of a single run the bars have no lines.

    Raises:
        ValueError: If there is no method, shapes differ, a recall is outside
            `[0, 1]`, or every class has a NaN.

    Example:

    >>> figure = recall_gain({"M2m": [[0.8, 0.5]]}, [[0.9, 0.2]], [500, 5])
    >>> [round(float(bar.get_height()), 2) for bar in figure.axes[0].patches]
    [-0.1, 0.3]

    Source: the per-class side of Kim et al., M2m (CVPR 2020), Tables 1 and 2.
    """
    counts = check_class_counts(class_counts)
    names = check_class_names(class_names, len(counts))
    recalls = check_named(recalls=recalls)
    runs = max(check_numbers("baseline", baseline).shape[:1], default=0)
    base = _recalls("baseline", baseline, (runs, len(counts)))
    gains = {
        name: _recalls(f"recalls[{name!r}]", own, base.shape) - base
        for name, own in recalls.items()
    }
    known = ~np.any(np.isnan(list(gains.values())), axis=(0, 1))
    if not known.any():
        raise ValueError("`recalls` must hold a class that has a recall in every run")
    order = np.argsort(-counts, kind="stable")
    order = order[known[order]]
    width = float(np.clip(2.0 + 0.28 * len(order), 6.0, 18.0))
    labels = [f"{names[k]} ({counts[k]:,})" for k in order]
    below = 0.08 * max(map(len, labels)) + 0.8  # Inches; names are upright.
    size = (width, 1.8 * len(gains) + below)
    figure = matplotlib.figure.Figure(size, layout="constrained")
    grid = figure.subplots(len(gains), 1, sharex=True, sharey=True, squeeze=False)
    for index, (name, gain) in enumerate(gains.items()):
        _bars(grid[index, 0], name, gain[:, order], COLORS[index % len(COLORS)])
    font = 9 if len(order) <= 50 else 6
    grid[-1, 0].set_xticks(range(len(order)), labels, rotation=90, fontsize=font)
    grid[-1, 0].set_xlim(-0.8, len(order) - 0.2)
    label = f"recall gained over {plain(str(baseline_name))}"
    figure.supylabel(label, fontsize=10)
    classes = "classes by falling training samples"
    figure.supxlabel(f"{classes}\n{_about(len(base))}", fontsize=10)
    return figure


def _bars(axes, name, gain, color):
    places, mean = np.arange(gain.shape[1]), gain.mean(axis=0)
    spread = gain.std(axis=0, ddof=1) if len(gain) > 1 else None
    style = {"elinewidth": 1.0, "capsize": 1.5, "ecolor": "black"}
    axes.bar(places, mean, yerr=spread, color=color, width=0.8, error_kw=style)
    axes.axhline(0.0, color="black", linewidth=0.8)
    axes.set_title(f"{plain(name)}, mean {mean.mean():+.3f}", fontsize=10)
    axes.grid(alpha=0.3, axis="y")


def _about(runs):
    if runs == 1:
        return "one run"
    return f"mean and standard deviation of {runs} runs"


def _recalls(name, recalls, shape):
    recalls = check_numbers(name, recalls)
    if recalls.shape != shape or not len(recalls):
        raise ValueError(
            f"`{name}` must have shape (num_runs, num_classes), here {shape}. "
            f"Received: {name}.shape={recalls.shape}"
        )
    known = recalls[~np.isnan(recalls)]
    if (known < 0).any() or (known > 1).any():
        raise ValueError(f"`{name}` must lie in [0, 1]. Received: {name}={recalls}")
    return recalls
