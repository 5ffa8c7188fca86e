"""Translated images beside their seeds."""

import textwrap
from collections.abc import Sequence
from collections.abc import Sized

import matplotlib.figure
import numpy as np
from numpy.typing import ArrayLike

from keras_m2m.checks import as_array
from keras_m2m.checks import check_positive
from keras_m2m.checks import check_samples
from keras_m2m.plots.style import check_numbers
from keras_m2m.plots.style import plain
from keras_m2m.plots.style import short


def translation_panel(
    seeds: ArrayLike,
    translations: ArrayLike,
    seed_names: Sequence[str],
    target_names: Sequence[str],
    confidences: ArrayLike | None = None,
    amplify: float = 10,
) -> matplotlib.figure.Figure:
    """Translations beside their seeds, one per column.

    From top to bottom: the seed, the amplified difference around mid-grey, and
    the translation.

    Args:
        seeds: Images in `[0, 1]`, of shape `(n, height, width, channels)` with 1
            or 3 channels, or `(n, height, width)`.
        translations: Images in `[0, 1]`, of the shape of `seeds`.
        seed_names: Names of the seeds' classes, `n` strings.
        target_names: Names of the classes translated to, `n` strings.
        confidences: `g`'s probability of the target for each translation, in
            `[0, 1]`, of shape `(n,)`. `None` leaves it out.
        amplify: Factor of the difference, positive.

    Returns:
        `matplotlib.figure.Figure`.

    Raises:
        ValueError: If the images are not such arrays, the lengths differ, or
            `amplify` is not positive.

    Example:

    >>> seeds = np.full((1, 4, 4, 1), 0.5)
    >>> figure = translation_panel(seeds, seeds + 0.01, ["truck"], ["car"], [0.97])
    >>> len(figure.axes)
    3

    Source: Kim et al., M2m (CVPR 2020), Figure 6.
    """
    seeds = _images("seeds", seeds)
    translations = _images("translations", translations)
    above, below = pair_captions(
        seeds, translations, seed_names, target_names, confidences
    )
    amplify = check_positive(amplify=amplify)
    differences = np.clip(0.5 + amplify * (translations - seeds), 0.0, 1.0)
    rows = {
        "seed": (seeds, above),
        f"difference × {amplify:g}": (differences, None),
        "translation": (translations, below),
    }
    return _image_grid(rows)


def pair_captions(
    seeds: np.ndarray,
    translations: np.ndarray,
    seed_names: Sequence[str],
    target_names: Sequence[str],
    confidences: ArrayLike | None,
) -> tuple[list[str], list[str]]:
    """What stands at seeds and at translations, once all are equally many.

    Raises:
        ValueError: If they are not, or confidences are no probabilities.
    """
    columns = {
        "translations": translations,
        "seed_names": seed_names,
        "target_names": target_names,
        "confidences": seed_names if confidences is None else confidences,
    }
    for name, values in columns.items():
        if not isinstance(values, Sized) or len(values) != len(seeds):
            raise ValueError(
                f"`{name}` must have one entry per seed, {len(seeds)}. "
                f"Received: {name}={values!r}"
            )
    if seeds.shape != translations.shape:
        raise ValueError(
            "`translations` must have the shape of `seeds`. Received: "
            f"seeds.shape={seeds.shape}, translations.shape={translations.shape}"
        )
    above = [_caption(f"from {short(str(name))}") for name in seed_names]
    below = [_caption(f"to {short(str(name))}") for name in target_names]
    if confidences is not None:
        confidences = _probabilities(confidences, len(seeds))
        below = [f"{name}\n$p_g$ = {p:.2f}" for name, p in zip(below, confidences)]
    return above, below


def _image_grid(rows):
    """Draws `{row label: (images, captions or None)}`, captions below."""
    number = len(next(iter(rows.values()))[0])
    figure = matplotlib.figure.Figure(
        figsize=(1.0 + 1.4 * number, 5.2), layout="constrained"
    )
    grid = figure.subplots(len(rows), number, squeeze=False)
    for axes_row, (label, (images, captions)) in zip(grid, rows.items()):
        axes_row[0].set_ylabel(label)
        for column, (axes, image) in enumerate(zip(axes_row, images)):
            axes.imshow(image, cmap="gray", vmin=0.0, vmax=1.0)
            axes.set(xticks=[], yticks=[])
            if captions is not None:
                axes.set_xlabel(captions[column], fontsize=9)
    return figure


def _caption(text):
    return plain(textwrap.fill(text, 16))


def _probabilities(confidences, number):
    confidences = check_numbers("confidences", confidences)
    inside = (confidences >= 0) & (confidences <= 1)
    if confidences.shape != (number,) or not inside.all():
        raise ValueError(
            f"`confidences` must be {number} probabilities. "
            f"Received: confidences={confidences}"
        )
    return confidences


def _images(name, images):
    """Images in the shape that `imshow` draws, which knows no grey channel."""
    images = as_array(**{name: images})
    if images.ndim == 4 and images.shape[-1] == 1:
        images = images[..., 0]
    drawable = images.ndim == 3 or (images.ndim == 4 and images.shape[-1] == 3)
    if not drawable:
        raise ValueError(
            f"`{name}` must have shape (n, height, width) or (n, height, width, 1 or "
            f"3). Received: {name}.shape={images.shape}"
        )
    return check_samples(images, bounds=(0.0, 1.0))
