"""Pictures of a dataset's classes for the page, drawn from the records."""

import io
from collections.abc import Sequence
from typing import NamedTuple

import matplotlib
import numpy as np

from keras_m2m import plots
from tasks.tables import winner
from tasks.tables.model import Cell
from tasks.training.evaluation import balanced


class Figure(NamedTuple):
    """A picture: what stands above it, what it shows in words, SVG."""

    title: str
    alt: str
    image: str


def of_column(name: str, cells: Sequence[Cell]) -> list[Figure]:
    """Recall by class of the best method, and false positives of all.

    Means over seeds; false positives as if the test set were balanced.

    Args:
        name: Of the dataset.
        cells: Those of a column.

    Returns:
        `Figure`s; none without a finished run, or of runs on different classes.
    """
    best, _ = winner.leads(cells)
    known = [cell for cell in cells if cell.finished]
    classes = {
        (*run["class_names"], *run["class_counts"])
        for cell in known
        for run in cell.finished
    }
    if len(classes) != 1:
        return []
    found = [_recall(name, best)]
    matrices = {cell.row.label: _mean(cell, "confusion_matrix") for cell in known}
    matrices = {label: balanced(matrix) for label, matrix in matrices.items()}
    return [*found, _false_positives(name, matrices, best)]


def _recall(name, best):
    record = best.finished[0]
    counts, names = record["class_counts"], record["class_names"]
    figure = plots.recall_by_count(_mean(best, "per_class_recall"), counts, names)
    return Figure(
        f"{name}: recall by class, {best.row.label}",
        f"Recall of each class of {name} under {best.row.label}, the best method, "
        f"against its number of training samples, {max(counts)} to {min(counts)}.",
        _svg(figure),
    )


def _false_positives(name, matrices, best):
    counts = best.finished[0]["class_counts"]
    figure = plots.cumulative_false_positives(matrices, counts)
    ends = ", ".join(
        f"{label} {matrix.sum() - matrix.trace():.0f}"
        for label, matrix in matrices.items()
    )
    return Figure(
        f"{name}: cumulative false positives",
        f"False positives on {name} summed from the most frequent class to the least. "
        f"In all: {ends}.",
        _svg(figure),
    )


def _mean(cell, key):
    """Mean over seeds of a list of numbers, NaN where there is none."""
    return np.mean([np.array(run[key], float) for run in cell.finished], axis=0)


def _svg(figure):
    file = io.StringIO()
    with matplotlib.rc_context({"svg.hashsalt": "m2m"}):  # The same ids every time.
        figure.savefig(file, format="svg", metadata={"Date": None})
    return file.getvalue()
