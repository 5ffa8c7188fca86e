"""Whether probabilities are as sure as they are right."""

from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any

import matplotlib.figure
import numpy as np

from keras_m2m.plots.style import COLORS
from keras_m2m.plots.style import LINES
from keras_m2m.plots.style import check_curve
from keras_m2m.plots.style import check_named
from keras_m2m.plots.style import new_figure
from keras_m2m.plots.style import plain


def reliability(curves: Mapping[str, Sequence[Any]]) -> matplotlib.figure.Figure:
    """Reliability diagram: how often predictions are right, by how sure they are.

    Below the diagonal they are surer than right. The area of a point grows with the
    samples of its bin.

    Args:
        curves: Dictionary from a name, such as `"before"`, to `(confidence, accuracy,
            count)`, arrays of one length, as `keras_m2m.decisions.reliability` returns.

    Returns:
        `matplotlib.figure.Figure`.

    Raises:
        ValueError: If there is no curve, lengths differ, a share is outside [0, 1], or
            a count is negative or not finite.

    Example:

    >>> figure = reliability({"before": ([0.7, 0.9], [0.6, 0.7], [10, 30])})
    >>> figure.axes[0].lines[1].get_ydata()
    array([0.6, 0.7])

    Source: Guo et al., On calibration of modern neural networks (ICML 2017), figure 1.
    """
    figure, axes = new_figure(width=4.8, height=4.8)
    axes.plot([0, 1], [0, 1], color="grey", linewidth=0.8, label="as sure as right")
    for index, (name, curve) in enumerate(check_named(curves=curves).items()):
        confidence, accuracy, count = _checked(name, curve)
        color = COLORS[index % len(COLORS)]
        style = LINES[index % len(LINES)]
        label = plain(name)
        axes.plot(confidence, accuracy, style, color=color, linewidth=2, label=label)
        areas = 12 + 120 * count / max(count.sum(), 1)
        axes.scatter(confidence, accuracy, s=areas, color=color, zorder=3)
    axes.set(xlim=(0, 1.02), ylim=(-0.02, 1.02), aspect="equal")
    axes.set_xlabel("probability of the predicted class")
    axes.set_ylabel("share of these predictions that is right")
    axes.grid(alpha=0.3)
    figure.legend(loc="outside lower center", ncols=2, frameon=False)
    return figure


def _checked(name, curve):
    parts = check_curve(name, curve, "confidence", "accuracy", "count")
    if not ((parts[2] >= 0) & np.isfinite(parts[2])).all():
        raise ValueError(
            "Counts must be finite and not negative. "
            f"Received: curves[{name!r}]={curve}"
        )
    return parts
