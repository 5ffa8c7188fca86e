"""What a run leaves behind: result.json, history.csv, pictures, a table."""

import csv
import io
import time
from pathlib import Path

import keras
import matplotlib.figure
import numpy as np

from keras_m2m import M2mModel
from keras_m2m import plots
from keras_m2m import sampling
from keras_m2m.classes import class_logits
from tasks.data import whole_files
from tasks.experiment.errors import UserError
from tasks.experiment.recipes import method_of
from tasks.experiment.settings import Settings
from tasks.experiment.settings import flags_of_the_run
from tasks.experiment.task import Data
from tasks.records import records
from tasks.records import run_folder
from tasks.records.versions import versions
from tasks.training import devices
from tasks.training.evaluation import evaluate
from tasks.training.train import Trained

_COLUMNS = {
    "method": "method",
    "balanced_accuracy": "bACC",
    "geometric_mean": "GM",
    "geometric_mean_corrected": "GM*",
    "major": "major",
    "minor": "minor",
    "acceptance_rate": "accepted",
}


def result_of(
    trained: Trained, data: Data, settings: Settings, about_g, timing: dict
) -> dict:
    """Scores of a training on the test set, and all that they follow from.

    Args:
        trained: What was trained.
        data: What it was trained on.
        settings: By what flags.
        about_g: What to tell of g, if the method has one.
        timing: Seconds of what came before, by name.

    Returns:
        The content of `result.json`: what `evaluate` gives, the protocol, classes,
        flags, backend, versions and timing.
    """
    began = time.perf_counter()
    scores = evaluate(trained.f, *data.test, data.class_counts)
    timing = {**timing, **trained.seconds, "evaluate": time.perf_counter() - began}
    return {
        "task": settings.task,
        "source": data.source,
        **scores,
        "acceptance_rate": trained.history[-1].get("acceptance_rate"),
        "protocol": settings.protocol,
        "tested_epoch": trained.tested_epoch,
        "class_names": data.class_names,
        "class_counts": data.class_counts.tolist(),
        "parameters": trained.f.count_params(),
        "flags": flags_of_the_run(settings),
        "seed": settings.seed,
        "g": about_g if method_of(settings.method).translate else None,
        "backend": keras.config.backend(),
        "devices": devices.count(),
        "versions": versions(),
        "timing": timing,
    }


def write_result(folder: Path, result: dict) -> None:
    """Write `result.json`."""
    records.write(folder / "result.json", result)


def read_result(folder: Path) -> dict:
    """What `write_result` wrote.

    Raises:
        UserError: If it is missing or damaged.
    """
    try:
        return run_folder.read(folder / "result.json")
    except UserError as error:
        raise UserError(f"{error}, by --overwrite") from error


def write_history(folder: Path, history: list[dict]) -> None:
    """Write `history.csv`: a row per epoch, empty where a phase logs no such key."""
    keys = list(dict.fromkeys(key for row in history for key in row))
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, keys)
    writer.writeheader()
    writer.writerows(history)
    whole_files.write(folder / "history.csv", text.getvalue())


def save_picture(figure: matplotlib.figure.Figure, path: Path) -> None:
    """Write a figure as PNG."""
    with whole_files.aside(path) as part:
        figure.savefig(part, dpi=120)


def write_pictures(folder: Path, results: dict[str, dict], data: Data) -> None:
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
            matrices, data.class_counts
        ),
    }
    for stem, figure in figures.items():
        save_picture(figure, folder / f"{stem}.png")


def translations(
    model: M2mModel, data: Data, columns: int = 8
) -> matplotlib.figure.Figure | None:
    """Draw accepted translations of one class-balanced batch, rarest targets first.

    Args:
        model: A trained `M2mModel` on images.
        data: The training images.
        columns: At most so many translations.

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
    rows = rows[np.lexsort((data.class_counts[aims], turn))][:columns]
    confidences = keras.ops.softmax(class_logits(model.g(after[rows], training=False)))
    confidences = keras.ops.convert_to_numpy(confidences)
    return plots.translation_panel(
        _channels_last(before[rows]),
        _channels_last(after[rows]),
        [data.class_names[k] for k in classes[rows]],
        [data.class_names[k] for k in targets[rows]],
        confidences[np.arange(len(rows)), targets[rows]],
    )


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
