"""Mean ranks of methods over data sets, and which of them are told apart."""

from collections.abc import Mapping

import matplotlib.figure
import numpy as np
from matplotlib.axes import Axes
from numpy.typing import ArrayLike

from keras_m2m.checks import check_real
from keras_m2m.plots.style import COLORS
from keras_m2m.plots.style import check_named
from keras_m2m.plots.style import check_numbers
from keras_m2m.plots.style import new_figure
from keras_m2m.plots.style import plain
from keras_m2m.plots.style import short

# Heights are in lines of text.
_LINE = 0.22  # Inches.
_BAR = 0.45
_BEYOND = 0.006  # Of the line: how far a bar goes beyond its first and last method.


def critical_difference(
    mean_ranks: Mapping[str, float], p_values: ArrayLike, alpha: float = 0.05
) -> matplotlib.figure.Figure:
    """Mean ranks on a line, and bars over methods that are not told apart.

    The best methods are on the right. A bar joins methods with neighbouring ranks of
    which no two differ, at `alpha`; only the longest such bars are drawn. Where one
    between two methods differs from either, these two have no bar in common, even if
    their own p-value is large: show the p-values beside the diagram.

    Args:
        mean_ranks: By name of a method, its mean rank over data sets, in
            `[1, num_methods]`, 1 for a method that is best on all of them.
        p_values: p-value of each pair of methods, in `[0, 1]`, corrected for the
            number of pairs; of shape `(num_methods, num_methods)`, symmetric, in the
            order of `mean_ranks`. The diagonal is not read.
        alpha: Two methods differ where their p-value is below it, a float in `[0, 1]`.

    Returns:
        `matplotlib.figure.Figure`.

    Raises:
        ValueError: If there are fewer than two methods, a rank is outside
            `[1, num_methods]`, p-values have another shape, are outside `[0, 1]` or
            not symmetric, or `alpha` is out of its range.

    Example:

    >>> p_values = [[1, 0.6, 0.01], [0.6, 1, 0.04], [0.01, 0.04, 1]]
    >>> figure = critical_difference({"a": 1.5, "b": 1.7, "c": 2.8}, p_values)
    >>> len(figure.axes[0].collections[0].get_segments())  # One bar, over a and b.
    1

    Source: Demšar, Statistical comparisons of classifiers over multiple data sets (JMLR
    7, 2006), section 3.2.2; bars by pairwise tests in the place of Nemenyi's: Benavoli
    et al., Should we really use post-hoc tests based on mean-ranks? (JMLR 17, 2016).
    """
    names, ranks = _checked_ranks(mean_ranks)
    p_values = _checked_p_values(p_values, len(names))
    alpha = check_real(0, 1, alpha=alpha)
    order = np.argsort(ranks, kind="stable")
    ranks, names = ranks[order], [names[i] for i in order]
    bars = _bars(p_values[np.ix_(order, order)] < alpha)
    beyond = _BEYOND * (len(names) - 1)
    levels = _levels(bars, ranks, 4 * beyond)
    below_bars = _BAR * (max(levels, default=-1) + 1) + 1.0
    depth = below_bars + -(-len(names) // 2)
    figure, axes = new_figure(width=8.0, height=0.7 + _LINE * depth)
    _draw_line(axes, len(names), depth)
    _draw_names(axes, names, ranks, below_bars)
    _draw_bars(axes, bars, levels, ranks, beyond)
    return figure


def _checked_ranks(mean_ranks):
    mean_ranks = check_named(mean_ranks=mean_ranks)
    ranks = check_numbers("mean_ranks", list(mean_ranks.values()))
    size = len(mean_ranks)
    # NaN compares false.
    if size < 2 or ranks.ndim > 1 or not ((ranks >= 1) & (ranks <= size)).all():
        raise ValueError(
            "`mean_ranks` must hold two methods or more, each with a number from 1 to "
            f"their number. Received: mean_ranks={mean_ranks}"
        )
    return [plain(short(name)) for name in mean_ranks], ranks


def _checked_p_values(p_values, size):
    p_values = check_numbers("p_values", p_values)
    if p_values.shape != (size, size):
        raise ValueError(
            f"`p_values` must have shape {(size, size)}. "
            f"Received: p_values.shape={p_values.shape}"
        )
    p_values = np.where(np.eye(size), 1.0, p_values)
    inside = ((p_values >= 0) & (p_values <= 1)).all()  # NaN compares false.
    if not inside or (p_values != p_values.T).any():
        raise ValueError(
            "`p_values` must be symmetric and lie in [0, 1]. "
            f"Received: p_values={p_values}"
        )
    return p_values


def _bars(differ: np.ndarray) -> list[tuple[int, int]]:
    """First and last of each longest run of methods of which no two differ."""
    bars: list[tuple[int, int]] = []
    for first in range(len(differ)):
        last = first
        while last + 1 < len(differ) and not differ[first : last + 1, last + 1].any():
            last += 1
        if last > first and (not bars or last > bars[-1][1]):
            bars.append((first, last))
    return bars


def _levels(bars, ranks, gap):
    """Levels of bars below the line: the highest on which one touches no other."""
    ends: list[float] = []  # Where the last bar of each level ends.
    levels = []
    for first, last in bars:
        start = ranks[first] - gap
        free = (level for level, end in enumerate(ends) if end < start)
        level = next(free, len(ends))
        ends[level : level + 1] = [ranks[last]]
        levels.append(level)
    return levels


def _draw_line(axes: Axes, size: int, depth: float) -> None:
    axes.set(xlim=(size, 1), ylim=(-depth, 0), yticks=[], xticks=range(1, size + 1))
    axes.xaxis.tick_top()
    axes.xaxis.set_label_position("top")
    axes.set_xlabel("mean rank, the best on the right", labelpad=6)
    for side in ("left", "right", "bottom"):
        axes.spines[side].set_visible(False)


def _draw_names(axes, names, ranks, below_bars):
    """Names on both sides, the best half on the right, each joined to its rank."""
    half = -(-len(names) // 2)
    sides = [
        (range(half), 1, 1.01, "left"),
        (range(len(names) - 1, half - 1, -1), len(names), -0.01, "right"),
    ]
    beside = axes.get_yaxis_transform()  # x as a share of the axes, y in lines of text.
    for methods, edge, place, alignment in sides:
        for row, i in enumerate(methods):
            y = -below_bars - row
            style = {"color": "black", "linewidth": 0.8, "clip_on": False}
            axes.plot([ranks[i], ranks[i], edge], [0, y, y], **style)
            words = f"{names[i]} ({ranks[i]:.2f})"
            style = {"ha": alignment, "va": "center", "fontsize": 10}
            axes.text(place, y, words, transform=beside, **style)


def _draw_bars(axes, bars, levels, ranks, beyond):
    heights = [-_BAR * (1 + level) for level in levels]
    ends = [(ranks[i] - beyond, ranks[j] + beyond) for i, j in bars]
    style = {"color": COLORS[0], "linewidth": 3.5, "clip_on": False}
    axes.hlines(heights, *np.reshape(ends, (-1, 2)).T, **style)
