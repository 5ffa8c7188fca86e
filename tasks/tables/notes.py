"""What stands below a table, so that nothing is hidden by it."""

from collections.abc import Sequence
from dataclasses import replace

from keras_m2m.callbacks.watch_acceptance import ALL
from keras_m2m.callbacks.watch_acceptance import FEW
from tasks.experiment.recipes import method_of
from tasks.experiment.recipes import mixed_name
from tasks.experiment.recipes import split_mix
from tasks.tables import provenance
from tasks.tables import published
from tasks.tables.model import Cell
from tasks.tables.model import Column
from tasks.tables.model import Table

HOW = (
    "In percent: mean ± sample standard deviation over seeds; bold: the best mean "
    "bACC. A class that is never recognised makes GM 0; in GM* its recall counts 0.001."
)
OF_THE_PAPER = (
    "(paper): as published, mean ± standard deviation of three trials; the paper does "
    "not say how its GM counts a recall of zero."
)
_GAP = "Δ: relative gap to the whole method, of the means, as the paper has it."
_ACCEPTED = "accepted: of the translations in the last epoch."
_ABLATIONS, _OF_ABLATIONS = (3, 4, 5), "cifar_lt_10 rho=100"
_TWO_SPREADS = (
    "The paper prints two spreads of ERM-DRS' GM on CIFAR-LT-10, ρ = 100: 0.17 in "
    "Table 1 and 0.32 in Table 5."
)


def of_column(table: Table, column: Column, cells: Sequence[Cell]) -> list[str]:
    """What is missing, failed, tested early, hardly M2m or not alike; how to read it.

    Args:
        table: The table.
        column: Its column.
        cells: The cells of it.
    """
    return [
        *_missing(column, cells),
        *(_failed(cell) for cell in cells if cell.failed),
        *_tested_early(cells),
        *_odd_acceptance(cells),
        *_not_alike(cells),
        *_published(table, column),
        HOW,
        *_reading(table, cells),
    ]


def _missing(column, cells):
    rows = [cell.row for cell in cells if not cell.runs]
    unexplained = [row.label for row in rows if row.key not in column.left_out]
    if unexplained:
        yield f"—: no run of {', '.join(unexplained)}."
    for row in rows:
        if row.key in column.left_out:
            yield f"—: {row.label} is left out: {column.left_out[row.key]}."


def _failed(cell):
    seeds = ", ".join(str(record["seed"]) for record in cell.failed)
    why = "; ".join(dict.fromkeys(str(record["failed"]) for record in cell.failed))
    name, done = "seed" if len(cell.failed) == 1 else "seeds", len(cell.finished)
    rest = f"The scores are of the other {done}." if done else "There are no scores."
    return (
        f"{cell.row.label} diverged {len(cell.failed)} of {cell.runs} times ({name} "
        f"{seeds}): {why.rstrip('.')}. {rest}"
    )


def _tested_early(cells):
    """A deferred method that is tested as plain training, by seeds."""
    for cell in cells:
        seeds = [
            str(run["seed"])
            for run in cell.finished
            if run.get("tested_epoch", 0) < run["flags"].get("defer_epoch", 0)
        ]
        if seeds:
            yield (
                f"{cell.row.label}: the best validation epoch, which is tested, lies "
                f"before the method began (seeds {', '.join(seeds)})."
            )


def _odd_acceptance(cells):
    """M2m whose batches are nearly those of its sampling, and one never refused."""
    for cell in cells:
        rate = cell.spread("acceptance_rate")
        if rate is None:
            continue
        what = (
            f"{cell.row.label}: {100 * rate.mean:.1f} % of translations were accepted"
        )
        mix, method = split_mix(cell.row.method)
        if rate.mean < FEW:
            sampling = "drs" if method_of(method).deferred else "rs"
            other = replace(cell.row, method=mixed_name(sampling, mix), label="").label
            yield (
                f"{what}, so that it hardly differs from {other}; see --step_size in "
                "the --help of the task."
            )
        # Without a threshold all are.
        elif rate.mean > ALL and method_of(method).flags.get("gamma") != 0:
            yield (
                f"{what}: g may be convinced too easily, or steps are longer than "
                "needed; try a shorter --step_size, such as auto."
            )


def _not_alike(cells):
    found = provenance.not_alike(cells)
    if found:
        yield f"These runs differ in more than the method: {', '.join(found)}."


def _published(table, column):
    """How far the paper's values can be compared with ours."""
    if table.number is None:
        return
    if column.paper_dataset is None:
        yield "The paper has no values on this dataset."
        return
    if table.number in _ABLATIONS and column.paper_dataset != _OF_ABLATIONS:
        yield (
            "(paper) is on CIFAR-LT-10, ρ = 100, where its ablations are: compare the "
            "order, not the values."
        )
    elif column.departures:
        yield (
            "(paper) is of another protocol: compare the order, not the values. Ours: "
            f"{'; '.join(column.departures)}."
        )


def _reading(table, cells):
    if any(cell.published for cell in cells):
        yield OF_THE_PAPER
    if table.number in (3, 5):
        yield _GAP
    if any(cell.spread("acceptance_rate") for cell in cells):
        yield _ACCEPTED
    if any(cell.published in _drs_on_cifar10() for cell in cells):
        yield _TWO_SPREADS


def _drs_on_cifar10():
    return [
        published.result(1, _OF_ABLATIONS, "ce", "drs"),
        published.ablation(5, "ce", "drs"),
    ]
