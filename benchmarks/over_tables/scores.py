"""Scores of methods on tables, out of the rows of a file of results."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from over_tables.records import MEASURES
from over_tables.records import OF_M2M
from over_tables.records import OF_TABLE
from over_tables.tables import family

MAIN = "balanced_accuracy"


@dataclass(frozen=True)
class Scores:
    """What is known of methods on tables, a mean over folds each.

    Attributes:
        tables: Names, in the order of the rows of arrays.
        methods: Names, in the order of their columns.
        folds: How many folds a mean is of.
        by_measure: For each measure, `seconds`, and what there is of M2m alone, a
            float64 array `(num_tables, num_methods)`, NaN where a method has none.
        about: For `rows`, `positives`, `features` and `words`, a number a table.
    """

    tables: list[str]
    methods: list[str]
    folds: int
    by_measure: dict[str, np.ndarray]
    about: dict[str, np.ndarray]

    def of(self, method: str, measure: str = MAIN) -> np.ndarray:
        """The scores of one method, a number a table."""
        return self.by_measure[measure][:, self.methods.index(method)]

    def among(self, methods: Sequence[str], measure: str = MAIN) -> np.ndarray:
        """The scores of some methods, a column each."""
        return np.column_stack([self.of(method, measure) for method in methods])

    @property
    def ratios(self) -> np.ndarray:
        """Samples of the larger class over those of the smaller, of each table."""
        positives = self.about["positives"]
        negatives = self.about["rows"] - positives
        return np.maximum(positives, negatives) / np.minimum(positives, negatives)

    @property
    def families(self) -> list[str]:
        """The data set that each table was made of."""
        return [family(name) for name in self.tables]


def of_rows(rows: Sequence[dict], methods: Sequence[str]) -> Scores:
    """Means over the folds that every table has of every method.

    Args:
        rows: As `records.read` gives them; later ones of the same table, fold and
            method count.
        methods: The names that are wanted, in their order.

    Raises:
        ValueError: If there is no fold that all tables have of all methods.
    """
    found = {(row["table"], row["fold"], row["method"]): row for row in rows}
    tables = sorted({row["table"] for row in rows})
    folds = [
        fold
        for fold in sorted({row["fold"] for row in rows})
        if all((table, fold, name) in found for table in tables for name in methods)
    ]
    if not folds:
        raise ValueError("There must be a fold that all tables have of all methods")

    def mean(table, name, key):
        values = [found[table, fold, name][key] for fold in folds]
        return np.nan if None in values else np.mean(values)

    keys = [*MEASURES, "seconds", *OF_M2M]
    return Scores(
        tables,
        list(methods),
        len(folds),
        {
            key: np.array([[mean(t, name, key) for name in methods] for t in tables])
            for key in keys
        },
        {
            key: np.array([float(found[t, folds[0], methods[0]][key]) for t in tables])
            for key in OF_TABLE
        },
    )


def by_family(values: np.ndarray, families: Sequence[str]) -> np.ndarray:
    """Means over the tables of each family, in the order of their names.

    Args:
        values: Array `(num_tables, ...)`.
        families: The family of each table.
    """
    names = np.array(families)
    return np.array([values[names == name].mean(axis=0) for name in np.unique(names)])
