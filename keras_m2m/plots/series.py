"""Translated series over their seeds."""

from collections.abc import Sequence

import matplotlib.figure
import numpy as np
from numpy.typing import ArrayLike

from keras_m2m.checks import as_array
from keras_m2m.checks import check_samples
from keras_m2m.plots.style import COLORS
from keras_m2m.plots.translations import pair_captions

_MOST_CHANNELS = 2
_GREY = "0.75"  # Of seeds, which are behind.


def series_translation_panel(
    seeds: ArrayLike,
    translations: ArrayLike,
    seed_names: Sequence[str],
    target_names: Sequence[str],
    confidences: ArrayLike | None = None,
) -> matplotlib.figure.Figure:
    """Translations of series as lines over their seeds, one pair per column.

    Below each channel is the difference, on a scale of its own. Of several channels
    the two are drawn that move most, in units of their spread.

    Args:
        seeds: Finite numbers of shape `(n, length, channels)`.
        translations: Numbers of the shape of `seeds`.
        seed_names: Names of the seeds' classes, `n` strings.
        target_names: Names of the classes translated to, `n` strings.
        confidences: `g`'s probability of the target for each translation, in
            `[0, 1]`, of shape `(n,)`. `None` leaves it out.

    Returns:
        `matplotlib.figure.Figure`.

    Raises:
        ValueError: If the series are not such arrays, or the lengths differ.

    Example:

    >>> seeds = np.sin(np.arange(50.0)).reshape(1, 50, 1)
    >>> figure = series_translation_panel(seeds, 1.1 * seeds, ["a"], ["b"], [0.97])
    >>> len(figure.axes)
    2
    """
    seeds, translations = _series(seeds=seeds), _series(translations=translations)
    above, below = pair_captions(
        seeds, translations, seed_names, target_names, confidences
    )
    shown = _most_moved(seeds, translations)
    figure = matplotlib.figure.Figure(
        figsize=(1.0 + 2.2 * len(seeds), 1.0 + 2.4 * len(shown)), layout="constrained"
    )
    grid = figure.subplots(
        2 * len(shown),
        len(seeds),
        squeeze=False,
        sharex=True,
        sharey="row",
        height_ratios=[2, 1] * len(shown),
    )
    for number, channel in enumerate(shown):
        lines, differences = grid[2 * number : 2 * number + 2]
        lines[0].set_ylabel("value" if seeds.shape[2] == 1 else f"channel {channel}")
        differences[0].set_ylabel("difference")
        for column, (seed, moved) in enumerate(
            zip(seeds[..., channel], translations[..., channel], strict=True)
        ):
            lines[column].plot(seed, color=_GREY, linewidth=3, label="seed")
            lines[column].plot(moved, color=COLORS[0], linewidth=1, label="translation")
            differences[column].plot(moved - seed, color=COLORS[5], linewidth=1)
    for axes, text in zip(grid[0], above, strict=True):
        axes.set_title(text, fontsize=9)
    for axes, text in zip(grid[-1], below, strict=True):
        axes.set_xlabel(text, fontsize=9)
    grid[0, 0].legend(fontsize=8)
    return figure


def _most_moved(seeds, translations):
    """Numbers of the channels to draw, in order."""
    moved = np.sqrt(np.square(translations - seeds).mean(axis=(0, 1)))
    spread = seeds.std(axis=(0, 1))
    moved /= np.where(spread > 0, spread, 1.0)
    return sorted(np.argsort(-moved, kind="stable")[:_MOST_CHANNELS].tolist())


def _series(**argument):
    (name,) = argument
    series = as_array(**argument)
    if series.ndim != 3:
        raise ValueError(
            f"`{name}` must have shape (n, length, channels). "
            f"Received: {name}.shape={series.shape}"
        )
    return check_samples(series, integers=True).astype("float64")
