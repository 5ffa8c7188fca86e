"""The figures that belong to a table, for each of its datasets."""

import warnings
from collections.abc import Sequence
from itertools import chain
from pathlib import Path

from keras_m2m.recipes import Diverged
from tasks.experiment.errors import UserError
from tasks.experiment.paths import as_name
from tasks.experiment.rows import Row
from tasks.runs import figures
from tasks.runs import pictures
from tasks.runs.sweep import Sweep

# The four of Figure 4, and their like of one logit, as far as they are in the table.
EMBEDDED = [Row("ce", "erm"), Row("ce", "drs"), Row("ldam", "drw"), Row("ce", "m2m")]
EMBEDDED += [Row("bce", method) for method in ("erm", "drs", "m2m")]


def draw_found(sweep: Sweep, records: Sequence[dict], folder: Path) -> list[Path]:
    """What can be drawn from results alone.

    Args:
        sweep: What the table is made of.
        records: What its `run` or `found` gave.
        folder: Where a folder for each dataset goes.

    Returns:
        The PNG files; an SVG lies beside each.

    Warns:
        UserWarning: If the results of a dataset cannot be drawn together.
    """
    drawn = []
    for dataset, by_row in zip(sweep.datasets, records, strict=True):
        finished = [run for run in chain(*by_row.values()) if "failed" not in run]
        if finished:
            place = folder / as_name(dataset.label)
            labels = {
                (row.method, row.loss, *row.key[2:]): row.label for row in sweep.rows
            }
            try:
                drawn += figures.draw_from_results(finished, place, labels).values()
            except (UserError, Diverged) as error:  # The table is made all the same.
                warnings.warn(f"{dataset.label}: no figures. {error}", stacklevel=2)
    return [png for png, _ in drawn]


def draw_trained(sweep: Sweep, folder: Path) -> list[Path]:
    """What needs the data and networks, those of seed 0; see `draw_found`."""
    opened = sweep.opened
    sources = {(own.data.source, *own.data.class_counts): own.data for own in opened}
    drawn = [*figures.draw_class_sizes([*sources.values()], folder).values()]
    for dataset, own in zip(sweep.datasets, opened, strict=True):
        place = folder / as_name(dataset.label)
        cells = {
            row.key: settings
            for row, settings in sweep.settings(dataset)
            if settings.seed == 0 and not own.result(settings).get("failed")
        }
        networks = {
            row.label: own.network(cells[row.key])
            for row in EMBEDDED
            if row.key in cells
        }
        if networks:
            drawn += figures.draw_from_networks(own.data, networks, place).values()
        m2m = cells.get(("ce", "m2m")) or cells.get(("bce", "m2m"))
        if m2m and (own.data.are_images or own.data.are_series):
            figure = pictures.translations(own.model(m2m), own.data)
            if figure is not None:
                drawn.append(figures.save(figure, place, "translations"))
    return [png for png, _ in drawn]
