"""What a table says of a dataset, as sections of the page of a report."""

from collections.abc import Sequence
from typing import Any

from keras_m2m.recipes.best_epoch import LEAST
from tasks.tables import layout
from tasks.tables.advised import Advised
from tasks.tables.model import Table
from tasks.tables.winner import CAUTION

_BEST_EPOCH = (
    f"Where {LEAST} samples of each class or more validate, a network is tested at the "
    "epoch that is best on validation, else at the last. A best epoch's score there is "
    "higher than what it reaches on new samples, all the more where validation is "
    "small; rows that are no networks choose nothing there."
)


def first_sections(advised: Advised, notes: Sequence[str], advice: Any) -> list[Any]:
    """How to carry advice out, and what to know of the data before.

    Args:
        advised: The classifier.
        notes: On the data.
        advice: `keras_m2m.report.Advice`.

    Returns:
        `keras_m2m.report.Part`s.
    """
    from keras_m2m.report import Part

    found = []
    if advice.method is not None:
        command, said = advised.command(advice), [advised.sentence(advice)]
        commands = [command] if command else []
        found.append(Part("use", "New samples", said, commands=commands))
    if notes:
        said = [f"Note: {note}." for note in notes]
        found.append(Part("data", "Before you trust the scores", said))
    return found


def sections(table: Table) -> list[Any]:
    """The scores, their tests, notes, and what was run.

    Which method has the best mean is left to the report: these scores are of the test
    set, by which it chooses nothing.

    Args:
        table: Of one dataset.

    Returns:
        `keras_m2m.report.Part`s.
    """
    from keras_m2m.report import Grid
    from keras_m2m.report import Part

    block = layout.block(table, table.columns[0])
    scores = Grid(
        f"{block.title}: the likeliest class on the test set, in percent",
        _texts(block.header),
        [_texts(row) for row in block.rows],
        next((row[0].text for row in block.rows if any(x.is_best for x in row)), None),
    )
    grids = [scores]
    if block.tests:
        header, rows = _texts(block.tests_header), [_texts(row) for row in block.tests]
        grids.append(Grid("Differences over seeds", header, rows))
    notes = [*block.notes, *([block.about_tests, CAUTION] if block.tests else [])]
    if _chooses_epochs(table):
        notes.insert(0, _BEST_EPOCH)
    return [
        Part("table", "All rows, as trained", grids=grids, notes=notes),
        Part("run", "What was run", notes=[f"{n}: {t}" for n, t in block.provenance]),
    ]


def _chooses_epochs(table):
    runs = (run for runs in table.columns[0].records.values() for run in runs)
    return any(run["protocol"] == "m2m" and run.get("tested_epoch") for run in runs)


def _texts(cells):
    return [cell.text for cell in cells]
