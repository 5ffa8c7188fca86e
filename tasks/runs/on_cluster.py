"""A sweep on a cluster: what is missing becomes a graph, and that the results."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from tasks.records import predictions
from tasks.records.trainings import Trainings
from tasks.runs import tuning
from tasks.runs.cluster import Cluster
from tasks.runs.graph import Graph


def tune(sweep: Any, cluster: Cluster) -> None:
    """Make all searches of a sweep that were not made, their trials side by side.

    Args:
        sweep: A `Sweep`.
        cluster: Where.

    Raises:
        UserError: If there is no validation set, or a trial does.
    """
    graph, searches = Graph(), []
    for dataset, own in zip(sweep.datasets, sweep.opened, strict=True):
        part = replace(sweep, datasets=[dataset])
        for settings in sweep.searches(dataset).values():
            trials = tuning.trials_left(own, settings)
            names = [graph.add(part, own, one, Trainings.validate) for one in trials]
            if names:
                searches.append((own, settings, names))
    scores = cluster.make(graph, sweep.runs)
    for own, settings, names in searches:
        tuning.keep(own, settings, [scores[name] for name in names])


def made(
    sweep: Any, cluster: Cluster, plan: Sequence[Any], found: Sequence[dict | None]
) -> list[dict]:
    """The results of the cells of a sweep.

    Args:
        sweep: A `Sweep`.
        cluster: Where they are made.
        plan: Each a `Cell`.
        found: The result of each that is there.

    Raises:
        UserError: If one of them does.
    """
    graph, names = Graph(), {}
    parts = [replace(sweep, datasets=[dataset]) for dataset in sweep.datasets]
    for i, (cell, result) in enumerate(zip(plan, found, strict=True)):
        if not _is_whole(sweep, cell, result):
            part = parts[sweep.datasets.index(cell.dataset)]
            names[i] = graph.add(part, cell.own, cell.settings, sweep.make)
    made = cluster.make(graph, sweep.runs)
    return [made[names[i]] if i in names else found[i] for i in range(len(plan))]


def _is_whole(sweep, cell, result):
    if result is None or not sweep.keeps_predictions or "failed" in result:
        return result is not None
    return predictions.read(cell.own.folder_of_result(cell.settings)) is not None
