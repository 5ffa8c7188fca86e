"""The rows of the paper's tables, their columns, and what is compared with what."""

from collections.abc import Sequence
from typing import NamedTuple

from tasks.experiment.rows import Row
from tasks.tables import published
from tasks.tables.model import Cell

_ABLATIONS = (3, 4, 5)
# Labels that only these tables give a method.
_LABELS = {(3, "m2m"): "Full", (4, "rs"): "ERM-RS", (5, "drs"): "ERM-DRS"}
_WHOLE = "ce", "m2m"  # What ablations are compared with.


class Measure(NamedTuple):
    """A column of numbers.

    Attributes:
        name: Its heading.
        score: The key of a record.
        paper_field: The field of `Published`, or None.
        is_gap: Whether it is the relative gap to the whole method instead.
    """

    name: str
    score: str
    paper_field: str | None
    is_gap: bool = False


BACC = Measure("bACC", "balanced_accuracy", "bacc")
_GM = Measure("GM", "geometric_mean", "gm")
_CORRECTED = Measure("GM*", "geometric_mean_corrected", None)
_MAJOR = Measure("major", "major", "major")
_MINOR = Measure("minor", "minor", "minor")
_GAPS = [m._replace(name=f"Δ {m.name}", is_gap=True) for m in (BACC, _GM)]


def rows(number: int) -> list[Row]:
    """The rows of a table of the paper, in its order.

    Args:
        number: 1 to 6.
    """
    return [
        Row(loss, method, _LABELS.get((number, method), ""))
        for loss, method in published.rows(number)
    ]


def measures(number: int | None) -> list[Measure]:
    """The columns of numbers of a table, the paper's and GM*.

    Args:
        number: 1 to 6, or None for a table of none of them.
    """
    if number == 4:
        return [_MAJOR, _MINOR, BACC, _GM, _CORRECTED]
    if number in _ABLATIONS:
        return [BACC, _GAPS[0], _GM, _GAPS[1], _CORRECTED]
    return [BACC, _GM, _CORRECTED]


def whole(number: int | None, cells: Sequence[Cell]) -> Cell | None:
    """The cell of the whole method in a table of ablations, else None."""
    if number not in _ABLATIONS:
        return None
    return next((cell for cell in cells if cell.row.key == _WHOLE), None)


def pairs(number: int | None, cells: Sequence[Cell]) -> list[tuple[Cell, Cell]]:
    """What is compared with what, where there are finished runs of both.

    Among ablations, the whole method with each other row; else, for each loss, M2m with
    DRS, with DRW and with plain training.

    Args:
        number: 1 to 6.
        cells: Those of a column.
    """
    known = [cell for cell in cells if cell.finished]
    if number in _ABLATIONS:
        full = whole(number, known)
        return [(full, cell) for cell in known if full and cell is not full]
    by_key = {cell.row.key: cell for cell in known}
    return [
        (cell, by_key[cell.row.loss, method])
        for cell in known
        if cell.row.method == "m2m" and not cell.row.after
        for method in ("drs", "drw", "erm")
        if (cell.row.loss, method) in by_key
    ]
