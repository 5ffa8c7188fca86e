"""The report of a user's own data, from what the cells of a table predict."""

import functools
from pathlib import Path
from typing import NamedTuple

import numpy as np
from absl import flags

from tasks.data.own.costs import read_costs
from tasks.data.own.costs import read_shares
from tasks.experiment.errors import UserError
from tasks.experiment.escaping import escape
from tasks.experiment.recipes import REFERENCES
from tasks.experiment.recipes import needs_network
from tasks.runs.sweep import Sweep
from tasks.tables.advised import Advised
from tasks.tables.flags import METRICS
from tasks.tables.learning_curve import learning_curve
from tasks.tables.model import Table
from tasks.tables.sections import first_sections
from tasks.tables.sections import sections
from tasks.tables.shown_samples import shown

_WISHES = "cost", "test_prior", "maximise", "learning_curve"
_ERM, _SENTENCES = "ce-erm", 3
_HEADING = "## What to do, chosen on validation"


class Wishes(NamedTuple):
    """What a user wants decisions to be good for, as `keras_m2m.report` takes it."""

    maximise: str
    costs: np.ndarray | None
    test_prior: np.ndarray | None


def check_flags(chosen: flags.FlagValues) -> None:
    """Raise if flags of the report are given without one.

    Raises:
        UserError: If they are.
    """
    given = [f"--{name}" for name in _WISHES if not chosen[name].using_default_value]
    if given and not chosen.task:
        raise UserError(f"{', '.join(given)}: the report is of --task")
    if chosen.learning_curve and chosen.found:
        raise UserError("--learning_curve trains, and --found does not: give one")
    if chosen.cost and not chosen["maximise"].using_default_value:
        raise UserError("--cost and --maximise: decide by one of them")


def read_wishes(chosen: flags.FlagValues, class_names: list[str]) -> Wishes:
    """The user's wishes, checked against the classes.

    Args:
        chosen: The flags of the command.
        class_names: Those of the data.

    Raises:
        UserError: If a file is not of these classes.
    """
    costs, prior = chosen.cost, chosen.test_prior
    return Wishes(
        chosen.maximise,
        None if costs is None else read_costs(costs, class_names),
        None if prior is None else read_shares(prior, class_names),
    )


def make(
    chosen: flags.FlagValues, sweep: Sweep, table: Table, out: Path
) -> tuple[str | None, str]:
    """The report of what cells predict, as far as that is kept.

    The classifier that it advises is kept beside it, in `OUT_model`.

    Args:
        chosen: The flags of the command.
        sweep: Its one dataset, run or found.
        table: What stands in the report beside it.
        out: Where the page goes, without `.html`.

    Returns:
        The page, None where no predictions are kept; and what stands above the table in
        Markdown: what to do, and what the table is not of.
    """
    (dataset,) = sweep.datasets
    predicted = [*sweep.predicted(dataset, chosen.found)]
    if not predicted:
        return None, _markdown(_on_table(chosen))
    folder = out.with_name(f"{out.name}_model")
    advised = Advised(sweep, predicted, folder, chosen.found)
    made = _report(chosen, sweep, table, predicted, advised)
    advised.keep(made.advice)
    page, said = made.html, made.advice.sentences[:_SENTENCES]
    parts = [_HEADING, *map(escape, said)]
    command = advised.command(made.advice)
    if command:
        parts += [escape(advised.sentence(made.advice)), f"    {command}"]
    return page, _markdown([*parts, *_on_table(chosen)])


def _report(chosen, sweep, table, predicted, advised):
    from keras_m2m.report import report

    about = predicted[0][1]
    is_new = not chosen.found
    notes = sweep.opened[0].data.notes if is_new else about.get("notes", ())
    make_report = functools.partial(
        report,
        [*_held(predicted)],
        about["class_names"],
        about["class_counts"],
        **read_wishes(chosen, about["class_names"])._asdict(),
        samples=shown(sweep.opened[0].data) if is_new else None,
        first=functools.partial(first_sections, advised, notes),
        parts=sections(table),
        title=f"Methods compared on {about['source'].partition(',')[0]}",
    )
    try:
        made = make_report()
    except ValueError as error:  # Of results of different data, which --found may find.
        label = sweep.datasets[0].label
        raise UserError(f"{label}: no report can be made. {error}") from error
    if not (chosen.learning_curve and made.advice.method):
        return made
    curve = learning_curve(sweep, made.advice.method)
    return make_report(learning_curve=curve)


def _held(predicted):
    """What a report takes, of each cell."""
    from keras_m2m.report import Held

    of_erm = {r["seed"]: _seconds(r) for row, r, _ in predicted if row.name == _ERM}
    for row, result, (y, p, y_test, p_test) in predicted:
        seed, seconds = result["seed"], _seconds(result)
        is_network = needs_network(row.method)
        # A probe is as slow as its network.
        if row.method in REFERENCES and is_network:
            seconds += of_erm.get(seed, 0.0)
        kind = "network" if is_network else "reference"
        yield Held(row.label, y, p, y_test, p_test, seed, kind, seconds)


def _seconds(result):
    timing = result["timing"].items()
    return sum(seconds for what, seconds in timing if what != "evaluate")


def _on_table(chosen):
    """What the table is not of."""
    if chosen.cost or chosen.maximise != METRICS[0]:
        asked = "--cost" if chosen.cost else f"--maximise={chosen.maximise}"
        yield (
            "The best mean and the leads of the table are those of balanced accuracy "
            f"on the test set, and not of what {asked} asks for."
        )


def _markdown(paragraphs):
    return "".join(f"{paragraph}\n\n" for paragraph in paragraphs)
