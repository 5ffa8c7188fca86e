"""Samples as points of the plane, one panel for each method."""

from collections.abc import Mapping
from collections.abc import Sequence
from collections.abc import Sized

import matplotlib.figure
import numpy as np
from numpy.typing import ArrayLike

from keras_m2m.checks import check_labels
from keras_m2m.imbalance import ClassCounts
from keras_m2m.imbalance import check_class_counts
from keras_m2m.plots.style import COLORS
from keras_m2m.plots.style import check_class_names
from keras_m2m.plots.style import check_named
from keras_m2m.plots.style import check_numbers
from keras_m2m.plots.style import panel_grid
from keras_m2m.plots.style import plain

_MOST_CLASSES = 10
_MOST_LABELS = 10**6  # Each has a name.
# Those that share a colour differ most: filled shapes, then thin ones.
_MARKERS = ("o", "s", "^", "D", "v", "*", "x", "|", "_", "+")
_AREAS = (18, 18, 20, 18, 20, 42, 24, 24, 24, 24)  # Areas of markers, in square points.


def feature_embedding(
    points: Mapping[str, ArrayLike],
    labels: ArrayLike,
    class_names: Sequence[str] | None = None,
    class_counts: ClassCounts | None = None,
) -> matplotlib.figure.Figure:
    """Embedded samples by class, one panel for each method.

    A class has a colour and a marker of its own, the same in all panels. The axes
    have no ticks, since the coordinates of such embeddings have no unit.

    Args:
        points: By name of a method, its points, finite, of shape `(n, 2)`.
        labels: Classes of the points, integers from 0, of shape `(n,)`: the same
            samples in all panels. At most 10 different ones: of more classes, give
            the samples of those to show.
        class_names: `num_classes` strings. `None` numbers the classes from 0.
        class_counts: Training samples per class, positive integers of shape
            `(num_classes,)`. The legend then shows them, and goes from the most
            frequent class to the least. `None` leaves it in the order of `labels`.

    Returns:
        `matplotlib.figure.Figure`.

    Raises:
        ValueError: If there are no points or no labels, the shapes differ, a point
            is not finite, more than 10 classes are to be shown, or a label has no
            name or count.

    Example:

    >>> points = np.array([[0.0, 1.0], [2.0, 3.0], [2.5, 3.5]])
    >>> figure = feature_embedding({"ERM": points, "M2m": -points}, [0, 1, 1])
    >>> [axes.get_title() for axes in figure.axes]
    ['ERM', 'M2m']

    Source: Kim et al., M2m (CVPR 2020), Figure 4.
    """
    labels = _labels(labels)
    shown = np.unique(labels)
    counts = None if class_counts is None else check_class_counts(class_counts)
    size = _number_of_classes(labels, class_names, counts)
    names = check_class_names(class_names, size)
    if counts is not None:
        shown = shown[np.argsort(-counts[shown], kind="stable")]
        names = [f"{name} ({count:,})" for name, count in zip(names, counts)]
    points = check_named(points=points)
    figure, panels = panel_grid(len(points), width=3.2, height=3.3, beside=2.0)
    for axes, (method, own) in zip(panels, points.items()):
        _scatter(axes, _points(method, own, len(labels)), labels, shown, names)
        axes.set_title(plain(method))
    handles = panels[0].collections
    figure.legend(handles=handles, loc="outside right upper", frameon=False)
    return figure


def _scatter(axes, points, labels, shown, names):
    for index, k in enumerate(shown):
        color, marker = COLORS[index % len(COLORS)], _MARKERS[index]
        style = {"s": _AREAS[index], "linewidths": 0.3, "edgecolors": "white"}
        if index >= len(COLORS):  # Thin markers have no face.
            style = {"s": _AREAS[index], "linewidths": 1.3}
        members = points[labels == k]
        axes.scatter(*members.T, color=color, marker=marker, label=names[k], **style)
    axes.set(xticks=[], yticks=[])
    axes.set_aspect("equal", adjustable="datalim")


def _labels(labels):
    labels = check_labels(labels, _MOST_LABELS)
    if not len(labels):
        raise ValueError("`labels` must not be empty. Received: labels=[]")
    if len(np.unique(labels)) > _MOST_CLASSES:
        raise ValueError(
            f"`labels` must hold at most {_MOST_CLASSES} classes, so that they "
            "can be told apart: give the samples of those to show. Received: "
            f"{len(np.unique(labels))} classes"
        )
    return labels


def _number_of_classes(labels, class_names, counts):
    given = {"class_names": class_names, "class_counts": counts}
    lengths = {
        name: len(values) for name, values in given.items() if isinstance(values, Sized)
    }
    for name, length in lengths.items():
        if length <= labels.max() or length != next(iter(lengths.values())):
            raise ValueError(
                f"`{name}` must have one entry per class, of which the largest label "
                f"is {labels.max()}. Received: lengths {lengths}"
            )
    return next(iter(lengths.values()), labels.max() + 1)


def _points(method, points, number):
    points = check_numbers(f"points[{method!r}]", points)
    if points.shape != (number, 2) or not np.isfinite(points).all():
        raise ValueError(
            f"`points[{method!r}]` must be finite, of shape {(number, 2)}. Received: "
            f"shape {points.shape}"
        )
    return points
