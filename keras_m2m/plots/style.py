"""Colours, empty figures, heat-maps, class names and their ticks: what plots share."""

from collections.abc import Iterable
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any

import matplotlib.figure
import matplotlib.ticker
import numpy as np
from matplotlib.axes import Axes
from matplotlib.image import AxesImage

from keras_m2m.checks import as_array

# Okabe and Ito: told apart under every common colour blindness. Black and yellow
# are left out, since one is the text's and the other is faint on white.
COLORS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00")
_LONGEST_NAME = 24  # Characters; longer names would leave a plot no room.
LINES = ("-", "--", "-.", ":")
_COLUMNS = 3
_MOST_NUMBERED = 12  # Classes; cells of more are too small for a number.


def new_figure(width: float, height: float) -> tuple[matplotlib.figure.Figure, Axes]:
    """An empty `(figure, axes)`, sizes in inches, whose parts do not overlap."""
    figure = matplotlib.figure.Figure(figsize=(width, height), layout="constrained")
    return figure, figure.subplots()


def panel_grid(
    number: int, width: float, height: float, beside: float = 0.0
) -> tuple[matplotlib.figure.Figure, list[Axes]]:
    """A figure of panels in up to three columns, row by row.

    Args:
        number: Number of panels.
        width: Width of a panel in inches.
        height: Height of a panel in inches.
        beside: Inches kept free beside the panels.

    Returns:
        `(figure, panels)`, the second a list of `number` axes.
    """
    columns = min(number, _COLUMNS)
    rows = -(-number // columns)
    size = (width * columns + beside, height * rows)
    figure = matplotlib.figure.Figure(size, layout="constrained")
    grid = figure.subplots(rows, columns, squeeze=False)
    for spare in grid.flat[number:]:
        spare.remove()
    return figure, list(grid.flat[:number])


def heat_map(
    axes: Axes, shares: np.ndarray, numbers: np.ndarray, form: str, **style: Any
) -> AxesImage:
    """Draw shares in `[0, 1]` as colours; up to 12 classes, a number in each cell.

    Args:
        axes: Where to draw.
        shares: Array `(num_classes, num_classes)`; NaN leaves a cell blank.
        numbers: Array of the same shape; NaN is not written.
        form: How numbers are written, such as `".2f"`.
        **style: How numbers look, as for `axes.text`.

    Returns:
        The image, for a colour bar.
    """
    image = axes.imshow(
        shares, cmap="Blues", vmin=0.0, vmax=1.0, interpolation="nearest"
    )
    if len(shares) > _MOST_NUMBERED:
        return image
    for row, column in np.argwhere(~np.isnan(numbers)):
        # NaN compares false: dark text on a blank cell.
        color = "white" if shares[row, column] > 0.5 else "black"
        text = format(numbers[row, column], form)
        axes.text(column, row, text, ha="center", va="center", color=color, **style)
    return image


def check_class_names(class_names: Sequence[str] | None, size: int) -> list[str]:
    """The `size` names as short plain text; from `None`, the classes' numbers."""
    if class_names is None:
        return [str(index) for index in range(size)]
    names = list(class_names) if isinstance(class_names, Iterable) else []
    if len(names) != size:
        raise ValueError(
            f"`class_names` must have {size} entries. "
            f"Received: class_names={class_names}"
        )
    return [plain(short(str(name))) for name in names]


def check_curve(name: str, curve: Any, *parts: str) -> list[np.ndarray]:
    """Parts of `curves[name]`, arrays of one length, the first two of them shares.

    Args:
        name: Of the curve.
        curve: What was given.
        *parts: What its parts are called.

    Raises:
        ValueError: If there are other parts, or a share is outside [0, 1].

    Example:

    >>> check_curve("a", ([0.5], [1.0]), "precision", "recall")
    [array([0.5]), array([1.])]
    """
    given = curve if np.iterable(curve) else [curve]
    found = [check_numbers(f"curves[{name!r}]", part) for part in given]
    shapes = {part.shape for part in found}
    if len(found) != len(parts) or len(shapes) != 1 or found[0].ndim != 1:
        raise ValueError(
            f"A curve must be ({', '.join(parts)}), arrays of one length. "
            f"Received: curves[{name!r}] of shapes {[part.shape for part in found]}"
        )
    if not all(((part >= 0) & (part <= 1)).all() for part in found[:2]):
        raise ValueError(
            f"{parts[0].capitalize()} and {parts[1]} must lie in [0, 1]. "
            f"Received: curves[{name!r}]={curve}"
        )
    return found


def check_named(**argument: Mapping[str, Any]) -> dict[str, Any]:
    """The one keyword argument, a mapping from names to what a plot shows of them."""
    ((name, value),) = argument.items()
    if not isinstance(value, Mapping) or not value:
        raise ValueError(
            f"`{name}` must map at least one name to its values. "
            f"Received: {name}={value!r}"
        )
    return {str(key): own for key, own in value.items()}


def check_numbers(name: str, values: Any) -> np.ndarray:
    """Values as a float64 array, if they are numbers; NaN is one here."""
    array = as_array(**{name: values})
    if array.dtype.kind not in "biuf":
        raise ValueError(
            f"`{name}` must hold numbers. Received: {name}.dtype={array.dtype}"
        )
    return array.astype("float64")


def short(name: str) -> str:
    """A name without its middle if it is long, since endings often differ."""
    if len(name) <= _LONGEST_NAME:
        return name
    end = _LONGEST_NAME // 2
    return f"{name[: _LONGEST_NAME - 1 - end]}…{name[-end:]}"


def plain(text: str) -> str:
    """Text that Matplotlib does not take for mathematics."""
    return text.replace("$", r"\$")


def name_ticks(axes: Axes, names: Sequence[str], numbered: bool) -> None:
    """One tick per class on both axes; for many unnamed classes, round numbers only."""
    if numbered and len(names) > 20:
        for axis in (axes.xaxis, axes.yaxis):
            axis.set_major_locator(matplotlib.ticker.MaxNLocator(11, integer=True))
        return
    size = 9 if len(names) <= 40 else 6
    longest = max(map(len, names))
    rotation = 0 if longest <= 2 else 90
    axes.set_xticks(range(len(names)), names, rotation=rotation, fontsize=size)
    axes.set_yticks(range(len(names)), names, fontsize=size)
