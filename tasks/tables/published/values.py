"""The numbers of the paper's tables."""

import csv
from functools import cache
from pathlib import Path
from typing import NamedTuple


class Published(NamedTuple):
    """What the paper prints, in percent; None where a table has no such column."""

    bacc: float
    bacc_std: float
    gm: float
    gm_std: float
    major: float | None = None
    major_std: float | None = None
    minor: float | None = None
    minor_std: float | None = None


def result(table: int, dataset: str, loss: str, method: str) -> Published | None:
    """A value of Table 1, 2 or 6.

    Args:
        table: Number of the table.
        dataset: As `results.csv` has it, such as `"cifar_lt_10 rho=100"`.
        loss: `"ce"`, `"focal"` or `"ldam"`.
        method: A key of `recipes.METHODS`.

    Returns:
        `Published`, or None where the paper has no such value.
    """
    return _results().get((table, dataset, loss, method))


def ablation(table: int, loss: str, method: str) -> Published | None:
    """A value of Table 3, 4 or 5.

    Args:
        table: Number of the table.
        loss: `"ce"`; the paper has no others there.
        method: A key of `recipes.METHODS` or `recipes.ABLATIONS`.

    Returns:
        `Published`, or None where the paper has no such value.
    """
    return _ablations().get((table, loss, method))


def rows(table: int) -> list[tuple[str, str]]:
    """`(loss, method)` of each row of a table, in its order."""
    keys = [*_results(), *_ablations()]
    return list(dict.fromkeys(key[-2:] for key in keys if key[0] == table))


@cache
def _results():
    return {
        (int(row["table"]), row["dataset"], row["loss"], row["method"]): _value(row)
        for row in _read("results.csv")
    }


@cache
def _ablations():
    return {
        (int(row["table"]), row["loss"], row["method"]): _value(row)
        for row in _read("ablations.csv")
    }


def _read(name):
    with open(Path(__file__).with_name(name), newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def _value(row):
    return Published(
        *(float(row[field]) if row.get(field) else None for field in Published._fields)
    )
