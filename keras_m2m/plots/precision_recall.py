"""Precision against recall of classes."""

from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any

import matplotlib.figure

from keras_m2m.plots.style import COLORS
from keras_m2m.plots.style import LINES
from keras_m2m.plots.style import check_curve
from keras_m2m.plots.style import check_named
from keras_m2m.plots.style import new_figure
from keras_m2m.plots.style import plain
from keras_m2m.plots.style import short


def precision_recall(
    curves: Mapping[str, Sequence[Any]],
) -> matplotlib.figure.Figure:
    """Precision against recall, a line for each class.

    Each point is a threshold on the probability of the class: to find more of it costs
    precision, since more that is of other classes is taken for it.

    Args:
        curves: Dictionary from a class to `(precision, recall)`, arrays of one length,
            as `sklearn.metrics.precision_recall_curve` returns first.

    Returns:
        `matplotlib.figure.Figure`.

    Raises:
        ValueError: If there is no curve, lengths differ, or a value is outside [0, 1].

    Example:

    >>> figure = precision_recall({"fraud": ([0.1, 0.5, 1.0], [1.0, 0.8, 0.0])})
    >>> figure.axes[0].lines[0].get_xdata()
    array([1. , 0.8, 0. ])

    Source: Davis and Goadrich, The relationship between precision-recall and ROC curves
    (ICML 2006), section 2.
    """
    figure, axes = new_figure(width=5.5, height=4.2)
    for index, (name, curve) in enumerate(check_named(curves=curves).items()):
        precision, recall = check_curve(name, curve, "precision", "recall")
        color = COLORS[index % len(COLORS)]
        style = LINES[index % len(LINES)]
        label = plain(short(name))
        # Between two thresholds precision is no straight line.
        axes.step(
            recall,
            precision,
            style,
            color=color,
            label=label,
            linewidth=2,
            where="post",
        )
    axes.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02))
    axes.set_xlabel("recall: share of the class that is found")
    axes.set_ylabel("precision: share that is right")
    axes.grid(alpha=0.3)
    figure.legend(loc="outside lower center", ncols=2, frameon=False)
    return figure
