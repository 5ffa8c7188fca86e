"""Recall of the classes by their size."""

from collections.abc import Sequence

import matplotlib.figure
import matplotlib.ticker
import numpy as np
from numpy.typing import ArrayLike

from keras_m2m.imbalance import ClassCounts
from keras_m2m.imbalance import check_class_counts
from keras_m2m.plots.style import COLORS
from keras_m2m.plots.style import check_class_names
from keras_m2m.plots.style import check_numbers
from keras_m2m.plots.style import new_figure


def recall_by_count(
    recall: ArrayLike,
    class_counts: ClassCounts,
    class_names: Sequence[str] | None = None,
) -> matplotlib.figure.Figure:
    """Recall of each class against its number of training samples.

    Reads from the most frequent class, on the left, to the least. The dashed line
    is the mean, balanced accuracy.

    Args:
        recall: Recall per class in `[0, 1]`, of shape `(num_classes,)`. NaN for a
            class without test samples, which is left out.
        class_counts: Training samples per class, positive integers of shape
            `(num_classes,)`, in any order.
        class_names: `num_classes` strings, written above the plot. A name that
            would run into its neighbour's is left out.

    Returns:
        `matplotlib.figure.Figure`.

    Raises:
        ValueError: If the lengths differ, a recall is outside `[0, 1]`, all are
            NaN, or `class_counts` are not positive integers.

    Example:

    >>> figure = recall_by_count([0.9, 0.4], class_counts=[500, 5])
    >>> figure.axes[0].get_xscale()
    'log'
    """
    counts = check_class_counts(class_counts)
    recall = check_numbers("recall", recall)
    known = ~np.isnan(recall)
    if recall.shape != counts.shape:
        raise ValueError(
            "`recall` must have one value per class of `class_counts`. Received: "
            f"recall.shape={recall.shape}, class_counts.shape={counts.shape}"
        )
    if not known.any() or (recall[known] < 0).any() or (recall[known] > 1).any():
        raise ValueError(f"`recall` must lie in [0, 1]. Received: recall={recall}")
    order = np.argsort(-counts, kind="stable")
    figure, axes = new_figure(width=8.0, height=4.5)
    axes.plot(
        counts[order],
        recall[order],
        marker="o",
        linewidth=0.8,
        color=COLORS[0],
        label="one class",
    )
    mean = recall[known].mean()
    label = f"balanced accuracy {mean:.3f}"
    axes.axhline(mean, color=COLORS[5], linestyle="--", label=label)
    axes.set(xscale="log", ylim=(-0.04, 1.04), ylabel="recall")
    axes.set_xlabel("training samples of the class (log scale)")
    axes.set_xlim(counts.max() * 1.3, counts.min() / 1.3)
    _plain_log_ticks(axes)
    axes.grid(alpha=0.3)
    figure.legend(loc="outside lower center", ncols=2, frameon=False)
    if class_names is not None:
        names = check_class_names(class_names, len(counts))
        _names_above(axes, counts[order], [names[index] for index in order])
    return figure


def _plain_log_ticks(axes):
    """Ticks at 1, 2, 5, 10, ..., written out."""
    axes.xaxis.set_major_locator(matplotlib.ticker.LogLocator(subs=(1.0, 2.0, 5.0)))
    axes.xaxis.set_major_formatter(matplotlib.ticker.FormatStrFormatter("%d"))
    axes.xaxis.set_minor_locator(matplotlib.ticker.NullLocator())


def _names_above(axes, counts, names):
    """Names at their counts, `counts` falling; at least 1/45 of the axis apart."""
    left, right = np.log(axes.get_xlim())
    positions, labels = [], []
    previous = -np.inf
    for count, name in zip(counts, names):
        place = (np.log(count) - left) / (right - left)
        if place - previous >= 1 / 45:
            positions.append(count)
            labels.append(name)
            previous = place
    above = axes.secondary_xaxis("top")
    above.xaxis.set_major_locator(matplotlib.ticker.FixedLocator(positions))
    above.xaxis.set_major_formatter(matplotlib.ticker.FixedFormatter(labels))
    above.xaxis.set_minor_locator(matplotlib.ticker.NullLocator())
    above.tick_params(rotation=90, labelsize=8)
