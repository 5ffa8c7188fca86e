"""Whether methods differ over many tables: ranks and tests without a distribution."""

import itertools
from typing import NamedTuple

import numpy as np
import scipy.stats

from tasks.tables.statistics import holm

_DIGITS = 12  # Scores are fractions of some samples: smaller differences are rounding.


class Friedman(NamedTuple):
    """Friedman's test, and Iman and Davenport's, that all methods are equal.

    Attributes:
        chi_square: Friedman's statistic, corrected for ties.
        p: Of it, by the chi-squared distribution.
        f: Iman and Davenport's statistic, which is less conservative.
        f_p: Of it, by the F distribution.
    """

    chi_square: float
    p: float
    f: float
    f_p: float


def ranks(scores) -> np.ndarray:
    """Ranks of methods on each table, 1 for the best; equal ones share their mean.

    Args:
        scores: Array `(num_tables, num_methods)`, the higher the better.

    Returns:
        float64 array of the same shape.
    """
    return scipy.stats.rankdata(-np.round(scores, _DIGITS), axis=1)


def friedman(scores) -> Friedman:
    """Test that all methods have the same mean rank.

    Args:
        scores: Array `(num_tables, num_methods)` of three methods or more.

    Source: Demšar, Statistical comparisons of classifiers over multiple data sets (JMLR
    7, 2006), section 3.2.2, with SciPy's correction for ties.
    """
    num_tables, num_methods = np.shape(scores)
    chi_square, p = scipy.stats.friedmanchisquare(*np.round(scores, _DIGITS).T)
    f = iman_davenport(chi_square, num_tables, num_methods)
    freedom = num_methods - 1, (num_methods - 1) * (num_tables - 1)
    f_p = scipy.stats.f.sf(f, *freedom)
    return Friedman(float(chi_square), float(p), f, float(f_p))


def iman_davenport(chi_square: float, num_tables: int, num_methods: int) -> float:
    """F of Friedman's statistic: that of an analysis of variance of the ranks."""
    left = num_tables * (num_methods - 1) - chi_square
    return float((num_tables - 1) * chi_square / left) if left > 0 else np.inf


def wilcoxon(first, second) -> float:
    """p of Wilcoxon's two-sided signed-rank test; tables of no difference count half.

    Args:
        first: Scores of a method, one a table.
        second: Scores of another on the same tables.
    """
    difference = np.round(np.subtract(first, second), _DIGITS)
    if not difference.any():
        return 1.0
    return float(scipy.stats.wilcoxon(difference, zero_method="zsplit").pvalue)


def wilcoxon_holm(scores) -> np.ndarray:
    """p of each pair of methods, corrected by Holm for the number of pairs.

    Args:
        scores: Array `(num_tables, num_methods)`.

    Returns:
        Symmetric float64 array `(num_methods, num_methods)`, 1 on the diagonal.

    Source: Benavoli, Corani and Mangili, Should we really use post-hoc tests based on
    mean-ranks? (JMLR 17, 2016).
    """
    columns = np.transpose(scores)
    pairs = list(itertools.combinations(range(len(columns)), 2))
    found = np.eye(len(columns))
    corrected = holm([wilcoxon(columns[i], columns[j]) for i, j in pairs])
    for (i, j), p in zip(pairs, corrected, strict=True):
        found[i, j] = found[j, i] = p
    return found


def wins(first, second, margin: float = 0.0) -> tuple[int, int, int]:
    """On how many tables the first is better, equal, and worse, by over `margin`."""
    difference = np.round(np.subtract(first, second), _DIGITS)
    better, worse = (difference > margin).sum(), (difference < -margin).sum()
    return int(better), len(difference) - int(better + worse), int(worse)
