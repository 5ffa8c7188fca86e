"""Where a classifier errs: confusion matrix and false positives by class."""

from collections.abc import Mapping
from collections.abc import Sequence

import matplotlib.figure
import matplotlib.ticker
import numpy as np
from numpy.typing import ArrayLike

from keras_m2m.imbalance import ClassCounts
from keras_m2m.imbalance import check_class_counts
from keras_m2m.plots.style import COLORS
from keras_m2m.plots.style import LINES
from keras_m2m.plots.style import check_class_names
from keras_m2m.plots.style import check_named
from keras_m2m.plots.style import check_numbers
from keras_m2m.plots.style import heat_map
from keras_m2m.plots.style import name_ticks
from keras_m2m.plots.style import new_figure
from keras_m2m.plots.style import plain


def confusion_matrix(
    matrix: ArrayLike, class_names: Sequence[str] | None = None
) -> matplotlib.figure.Figure:
    """Confusion matrix, coloured by the share of the true class.

    The diagonal is recall. A class without samples has no share and stays blank.

    Args:
        matrix: Number of samples, non-negative, of shape
            `(num_classes, num_classes)`, indexed `[true, predicted]`.
        class_names: `num_classes` strings. `None` numbers the classes from 0.

    Returns:
        `matplotlib.figure.Figure`. Up to 12 classes, the cells show the counts.

    Raises:
        ValueError: If `matrix` is not square, holds a negative or NaN, or
            `class_names` has another length.

    Example:

    >>> figure = confusion_matrix([[8, 2], [1, 9]], class_names=["cat", "dog"])
    >>> [tick.get_text() for tick in figure.axes[0].get_xticklabels()]
    ['cat', 'dog']
    """
    matrix = _confusion("matrix", matrix)
    size = len(matrix)
    names = check_class_names(class_names, size)
    totals = matrix.sum(axis=1, keepdims=True)
    shares = np.divide(
        matrix, totals, where=totals > 0, out=np.full_like(matrix, np.nan)
    )
    inches = float(np.clip(2.5 + 0.4 * size, 4.5, 14.0))
    figure, axes = new_figure(width=inches + 1.0, height=inches)
    image = heat_map(axes, shares, matrix, ".4g")
    colorbar = figure.colorbar(image, ax=axes, fraction=0.046)
    colorbar.set_label("share of the true class (diagonal: recall)")
    axes.set(xlabel="predicted class", ylabel="true class")
    name_ticks(axes, names, numbered=class_names is None)
    return figure


def cumulative_false_positives(
    matrices: Mapping[str, ArrayLike], class_counts: ClassCounts
) -> matplotlib.figure.Figure:
    """False positives summed from the most frequent class to the least.

    A classifier that favours frequent classes rises early and flattens. Each line
    ends at the number of mistakes of its method; the thin line to the same end
    spreads these mistakes evenly over the classes.

    Args:
        matrices: Dictionary from the method's name to its confusion matrix on a
            *balanced* test set, non-negative counts of shape
            `(num_classes, num_classes)`, indexed `[true, predicted]`.
        class_counts: Training samples per class, positive integers of shape
            `(num_classes,)`, in any order.

    Returns:
        `matplotlib.figure.Figure`.

    Raises:
        ValueError: If there is no matrix, or one is not square, holds a negative
            or NaN, or has another size than `class_counts`.

    Example:

    >>> figure = cumulative_false_positives({"ERM": [[8, 2], [5, 5]]}, [100, 10])
    >>> figure.axes[0].lines[0].get_ydata()
    array([0., 5., 7.])

    Source: Kim et al., M2m (CVPR 2020), Figure 5: the sum of FP over k.
    """
    counts = check_class_counts(class_counts)
    matrices = check_named(matrices=matrices)
    order = np.argsort(-counts, kind="stable")
    steps = np.arange(len(counts) + 1)
    figure, axes = new_figure(width=7.5, height=4.5)
    for index, (name, matrix) in enumerate(matrices.items()):
        matrix = _confusion(f"matrices[{name!r}]", matrix, size=len(counts))
        wrong = (matrix.sum(axis=0) - matrix.diagonal())[order]
        line = np.concatenate([[0.0], wrong.cumsum()])
        color = COLORS[index % len(COLORS)]
        style = LINES[index // len(COLORS) % len(LINES)]
        axes.plot(steps, line, style, color=color, linewidth=2, label=plain(name))
        ends = [0, line[-1]]
        axes.plot([0, len(counts)], ends, color=color, linewidth=0.8, alpha=0.7)
    axes.plot([], [], color="grey", linewidth=0.8, label="spread evenly")
    axes.set_xlabel("classes, from the most frequent to the least")
    axes.set_ylabel("cumulative false positives (test samples)")
    axes.set(xlim=(0, len(counts)), ylim=(0, None))
    axes.xaxis.set_major_locator(matplotlib.ticker.MaxNLocator(10, integer=True))
    axes.grid(alpha=0.3)
    figure.legend(loc="outside right upper", frameon=False)
    return figure


def _confusion(name, matrix, size=None):
    matrix = check_numbers(name, matrix)
    square = matrix.ndim == 2 and matrix.shape[0] == matrix.shape[1] > 0
    if not square or (size or len(matrix)) != len(matrix):
        expected = "square" if size is None else f"of shape {(size, size)}"
        raise ValueError(
            f"`{name}` must be {expected}. Received: {name}.shape={matrix.shape}"
        )
    if not ((matrix >= 0) & (matrix < np.inf)).all():
        raise ValueError(
            f"`{name}` must hold finite non-negative counts. Received: {name}={matrix}"
        )
    return matrix
