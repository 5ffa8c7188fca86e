"""How many training samples the classes of datasets have."""

import textwrap
from collections.abc import Mapping

import matplotlib.figure
import numpy as np

from keras_m2m.imbalance import ClassCounts
from keras_m2m.imbalance import check_class_counts
from keras_m2m.imbalance import imbalance_ratio
from keras_m2m.plots.style import COLORS
from keras_m2m.plots.style import check_named
from keras_m2m.plots.style import panel_grid
from keras_m2m.plots.style import plain

_LINE = 44  # Characters that fit above a histogram.


def class_sizes(counts: Mapping[str, ClassCounts]) -> matplotlib.figure.Figure:
    """Histograms of training samples per class, one for each dataset.

    Classes go from the most frequent to the least; the scale is logarithmic, since
    on a plain one the rare classes of a long tail cannot be seen.

    Args:
        counts: By name of a dataset, its training samples per class, positive
            integers of shape `(num_classes,)`, in any order.

    Returns:
        `matplotlib.figure.Figure`.

    Raises:
        ValueError: If there is no dataset, or counts are not positive integers.

    Example:

    >>> figure = class_sizes({"CIFAR-LT-10": [5000, 500, 50]})
    >>> print(figure.axes[0].get_title())
    CIFAR-LT-10
    3 classes, 5,550 samples, ρ 100

    Source: Kim et al., M2m (CVPR 2020), Figure 3.
    """
    counts = check_named(counts=counts)
    figure, panels = panel_grid(len(counts), width=3.4, height=2.9)
    for axes, (name, sizes) in zip(panels, counts.items()):
        _histogram(axes, name, np.sort(check_class_counts(sizes))[::-1])
    figure.supxlabel("classes, from the most frequent")
    figure.supylabel("training samples (log scale)")
    return figure


def _histogram(axes, name, counts):
    about = f"{len(counts)} classes, {counts.sum():,} samples"
    ratio = f"ρ {imbalance_ratio(counts):.4g}"
    lines = textwrap.wrap(name, _LINE, max_lines=3)
    title = "\n".join([*map(plain, lines), f"{about}, {ratio}"])
    axes.set_title(title, fontsize=9)
    axes.bar(np.arange(len(counts)), counts, width=1.0, color=COLORS[0])
    axes.set(yscale="log", ylim=(0.8, counts[0] * 1.5), xticks=[])
    axes.grid(alpha=0.3, axis="y")
