"""What a run shows: pictures, and a table."""

from pathlib import Path

import keras
import matplotlib.figure
import numpy as np

from keras_m2m import M2mModel
from keras_m2m import plots
from keras_m2m import sampling
from keras_m2m.classes import class_logits
from tasks.data import whole_files
from tasks.experiment.task import Data
from tasks.training.evaluation import balanced

_COLUMNS = {
    "method": "method",
    "balanced_accuracy": "bACC",
    "geometric_mean": "GM",
    "geometric_mean_corrected": "GM*",
    "major": "major",
    "minor": "minor",
    "acceptance_rate": "accepted",
}


def save_picture(figure: matplotlib.figure.Figure, path: Path) -> None:
    """Write a figure as PNG."""
    with whole_files.aside(path) as part:
        figure.savefig(part, dpi=120)


def write(folder: Path, results: dict[str, dict], data: Data) -> None:
    """Draw the pictures of the last of `results`, beside the others where it helps.

    Args:
        folder: Where the PNG files go.
        results: Scores per method, as `evaluation.scores_of` gives them.
        data: Names and counts of the classes.
    """
    matrices = {
        name: np.array(scores["confusion_matrix"]) for name, scores in results.items()
    }
    *_, (name, scores) = results.items()
    recall = np.array(scores["per_class_recall"], dtype=float)
    figures = {
        "confusion_matrix": plots.confusion_matrix(matrices[name], data.class_names),
        "recall_by_count": plots.recall_by_count(
            recall, data.class_counts, data.class_names
        ),
        "cumulative_false_positives": plots.cumulative_false_positives(
            {name: balanced(matrix) for name, matrix in matrices.items()},
            data.class_counts,
        ),
    }
    for stem, figure in figures.items():
        save_picture(figure, folder / f"{stem}.png")


def write_translations(folder: Path, model: M2mModel, data: Data) -> None:
    """Draw `translations`, if there are any."""
    figure = translations(model, data)
    if figure is not None:
        save_picture(figure, folder / "translations.png")


def translations(
    model: M2mModel, data: Data, columns: int | None = None
) -> matplotlib.figure.Figure | None:
    """Draw accepted translations of one class-balanced batch, rarest targets first.

    Args:
        model: A trained `M2mModel` on images or series.
        data: The training images or series.
        columns: At most so many translations; None for as many as fit on a page.

    Returns:
        The figure, or None if none is accepted.
    """
    batches = sampling.ResampledDataset(
        *data.train, batch_size=64, sampling="class", augment=data.augment
    )
    images, labels = (keras.ops.convert_to_tensor(part) for part in batches[0])
    seeds = model.draw_seeds(images, labels)
    moved = model.translate(seeds)
    kept = keras.ops.logical_and(seeds.wanted, model.accept(seeds, moved))
    kept, targets, classes, before, after = (
        keras.ops.convert_to_numpy(tensor)
        for tensor in (kept, seeds.targets, seeds.classes, seeds.samples, moved)
    )
    rows = np.flatnonzero(kept)
    if not len(rows):
        return None
    # One of each target before a second of any, so that the panel is varied.
    aims = targets[rows]
    turn = [np.count_nonzero(aims[:i] == aim) for i, aim in enumerate(aims)]
    columns = columns or (4 if data.are_series else 8)
    rows = rows[np.lexsort((data.class_counts[aims], turn))][:columns]
    confidences = keras.ops.softmax(class_logits(model.g(after[rows], training=False)))
    confidences = keras.ops.convert_to_numpy(confidences)
    named = (
        [data.class_names[k] for k in classes[rows]],
        [data.class_names[k] for k in targets[rows]],
        confidences[np.arange(len(rows)), targets[rows]],
    )
    if data.are_series:
        return plots.series_translation_panel(before[rows], after[rows], *named)
    before, after = (_channels_last(images[rows]) for images in (before, after))
    return plots.translation_panel(before, after, *named)


def _channels_last(images):
    first = keras.config.image_data_format() == "channels_first"
    return np.moveaxis(images, 1, -1) if first else images


def table(results: dict[str, dict]) -> str:
    """The short table that a run ends with, in percent."""
    rows = [[_COLUMNS[key] for key in _COLUMNS]]
    for name, scores in results.items():
        scores = {**scores, "method": name}
        rows.append([_cell(scores.get(key)) for key in _COLUMNS])
    widths = [max(len(row[i]) for row in rows) for i in range(len(_COLUMNS))]
    lines = [
        "  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True))
        for row in rows
    ]
    return "\n".join([lines[0], "-" * len(lines[0]), *lines[1:]])


def _cell(value):
    if value is None:
        return "-"
    return value if isinstance(value, str) else f"{100 * value:.1f}"
