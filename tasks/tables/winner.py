"""Which method wins, and whether its lead is more than noise."""

from collections.abc import Sequence
from typing import NamedTuple

from tasks.tables.model import Cell
from tasks.tables.statistics import FEWEST_SEEDS
from tasks.tables.statistics import Comparison
from tasks.tables.statistics import Spread
from tasks.tables.statistics import holm
from tasks.tables.statistics import paired
from tasks.tables.statistics import verdict

SCORE = "balanced_accuracy"
CAUTION = (
    "These are scores on the test set, so to go by them is to choose on the test set: "
    "the winner's score tends to be higher than what it reaches on new data. Measure "
    "that on data that played no part in the choice."
)
EQUAL = 1e-12  # Means of the same fractions, summed in another order.


class Lead(NamedTuple):
    """The winner's lead over another method.

    Attributes:
        cell: The other method's.
        comparison: The winner's score minus the other's.
        p: Corrected for the number of tests; None of too few seeds.
        tests: The number of tests.
    """

    cell: Cell
    comparison: Comparison
    p: float | None
    tests: int

    @property
    def verdict(self) -> str:
        return verdict(self.comparison.n, self.p)

    @property
    def is_none(self) -> bool:
        """Whether the other is better on the seeds that both have; means are of all."""
        return self.comparison.n > 0 and self.comparison.difference < -EQUAL


def leads(cells: Sequence[Cell]) -> tuple[Cell | None, list[Lead]]:
    """The method with the best mean balanced accuracy, and its lead over each other.

    Args:
        cells: Those of a column; methods without a finished run are left out.

    Returns:
        The winner's cell, None without finished runs, and the leads from the best
        other method to the worst. Of several with the same mean the first wins.
    """
    known = [cell for cell in cells if cell.spread(SCORE)]
    ranked = sorted(known, key=lambda cell: -cell.spread(SCORE).mean)
    if not ranked:
        return None, []
    best, *others = ranked
    found = [paired(best.by_seed(SCORE), cell.by_seed(SCORE)) for cell in others]
    tested = [k for k, comparison in enumerate(found) if comparison.n >= FEWEST_SEEDS]
    corrected = dict(zip(tested, holm([found[k].p for k in tested])))
    return best, [
        Lead(cell, found[k], corrected.get(k), len(tested))
        for k, cell in enumerate(others)
    ]


def sentences(cells: Sequence[Cell]) -> list[str]:
    """What can be said of a column, in plain words; the last is a caution.

    Args:
        cells: Those of a column.
    """
    best, found = leads(cells)
    if best is None:
        return ["No run finished, so no method wins."]
    said = [_headline(best, found), *_diverged(best)]
    if found:
        # The headline has the first lead, or says that there is none.
        rest = found if _tied(best, found) else found[1:]
        said += [_over(best, lead) for lead in rest]
        said.append(CAUTION)
    return said


def score(spread: Spread) -> str:
    """`"71.2 ± 0.8"`, in percent; for one seed `"71.2"`."""
    sd = "" if spread.sd is None else f" ± {100 * spread.sd:.1f}"
    return f"{100 * spread.mean:.1f}{sd}"


def _tied(best, found):
    top = best.spread(SCORE).mean
    return [x.cell for x in found if top - x.cell.spread(SCORE).mean <= EQUAL]


def _headline(best, found):
    name, shown = best.row.label, score(best.spread(SCORE))
    if not found:
        seeds = _seeds(best.spread(SCORE).n)
        return (
            f"{name} alone has results ({shown}, {seeds}), so there is nothing to "
            "compare it with."
        )
    tied = _tied(best, found)
    if tied:
        names = " and ".join([name, *(cell.row.label for cell in tied)])
        return f"{names} have the same mean ({100 * best.spread(SCORE).mean:.1f})."
    lead = found[0]
    if lead.is_none:
        return (
            f"{name} has the best mean ({shown}), but no lead over "
            f"{lead.cell.row.label} on the seeds that both finished "
            f"({_numbers(lead)})."
        )
    if lead.verdict == "more than noise":
        return (
            f"{name} wins ({shown}), and its lead over {lead.cell.row.label} is more "
            f"than noise ({_numbers(lead)})."
        )
    if lead.verdict == "within noise":
        return (
            f"{name} wins ({shown}), but its lead over {lead.cell.row.label} is within "
            f"noise ({_numbers(lead)})."
        )
    return (
        f"{name} has the best mean ({shown}), but there are too few seeds to tell its "
        f"lead over {lead.cell.row.label} from noise "
        f"({_numbers(lead)}): run at least 3 of the same seeds of both."
    )


def _over(best, lead):
    names = f"{best.row.label} over {lead.cell.row.label}"
    if lead.is_none:
        return f"{names}: no lead on the seeds that both finished ({_numbers(lead)})."
    if lead.verdict == "too few seeds to tell":
        return f"{names}: too few seeds to tell ({_numbers(lead)})."
    return f"The lead of {names} is {lead.verdict} ({_numbers(lead)})."


def _numbers(lead):
    """`"0.4, 95 % interval -0.5 to 1.3, 5 seeds"`."""
    n, difference, _, low, high, _ = lead.comparison
    if n == 0:
        return "no common seeds"
    parts = [f"{100 * difference:.1f}"]
    if low is not None:
        parts.append(f"95 % interval {100 * low:.1f} to {100 * high:.1f}")
    # One comparison needs no correction, and the interval says it all.
    if lead.p is not None and lead.tests > 1:
        parts.append(f"{p_text(lead.p)} by Holm for {lead.tests} comparisons")
    return ", ".join([*parts, _seeds(n)])


def p_text(p: float) -> str:
    """`"p = 0.043"`, or `"p < 0.001"`."""
    return f"p = {p:.3f}" if p >= 0.001 else "p < 0.001"


def _seeds(n):
    return "1 seed" if n == 1 else f"{n} seeds"


def _diverged(best):
    if best.failed:
        yield (
            f"{best.row.label} diverged in {len(best.failed)} of {best.runs} runs, "
            "which its mean leaves out."
        )
