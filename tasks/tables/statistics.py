"""Means over seeds, and whether two methods differ by more than noise."""

from collections.abc import Mapping
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import scipy.stats

CONFIDENCE = 0.95
FEWEST_SEEDS = 3
# Scores are fractions of some thousand samples: smaller differences are rounding.
_ROUNDING = 1e-12


class Spread(NamedTuple):
    """Mean and sample standard deviation (None of one value) of `n` values."""

    mean: float
    sd: float | None
    n: int


class Comparison(NamedTuple):
    """A paired comparison over the seeds that two methods have in common.

    Attributes:
        n: Number of common seeds.
        difference: Mean difference, None without common seeds.
        sd: Sample standard deviation of the differences; this and what follows is
            None of fewer than two seeds.
        low: Lower end of the 95 % confidence interval of the mean difference.
        high: Upper end.
        p: Of the two-sided paired t-test.
    """

    n: int
    difference: float | None = None
    sd: float | None = None
    low: float | None = None
    high: float | None = None
    p: float | None = None

    @property
    def verdict(self) -> str:
        """`"more than noise"`, `"within noise"` or `"too few seeds to tell"`."""
        return verdict(self.n, self.p)


def verdict(n: int, p: float | None) -> str:
    """What a p says, in plain words.

    Args:
        n: Number of common seeds.
        p: p-value of the paired t-test, corrected or not. Below 0.05 is where the 95 %
            interval excludes 0.

    Returns:
        `"more than noise"`, `"within noise"` or `"too few seeds to tell"`.
    """
    if n < FEWEST_SEEDS:
        return "too few seeds to tell"
    return "more than noise" if p < 1 - CONFIDENCE else "within noise"


def spread(values: Sequence[float]) -> Spread | None:
    """Mean and sample standard deviation, None of no values."""
    if not len(values):
        return None
    sd = float(np.std(values, ddof=1)) if len(values) > 1 else None
    return Spread(float(np.mean(values)), sd, len(values))


def paired(first: Mapping[int, float], second: Mapping[int, float]) -> Comparison:
    """Compare two methods seed by seed: `first` minus `second`.

    Args:
        first: A score by seed.
        second: The same of the other method. Seeds of one alone are left out.

    Returns:
        `Comparison`.
    """
    seeds = sorted(first.keys() & second.keys())
    a, b = (np.array([scores[seed] for seed in seeds]) for scores in (first, second))
    of_difference = spread(a - b)
    if of_difference is None:
        return Comparison(0)
    mean, sd, n = of_difference
    if n == 1:
        return Comparison(n, mean)
    if np.ptp(a - b) <= _ROUNDING:  # Where t is a division by 0.
        p = 1.0 if abs(mean) <= _ROUNDING else 0.0
        return Comparison(n, mean, 0.0, mean, mean, p)
    test = scipy.stats.ttest_rel(a, b)
    low, high = test.confidence_interval(CONFIDENCE)
    return Comparison(n, mean, sd, float(low), float(high), float(test.pvalue))


def holm(p_values: Sequence[float]) -> list[float]:
    """p-values corrected for their number.

    Args:
        p_values: One of each test, in any order.

    Returns:
        As many, in the same order, in `[0, 1]`. Those below 0.05 hold together: the
        chance that one or more of them are false is below 0.05.

    Source: Holm, A simple sequentially rejective multiple test procedure (1979).
    """
    p = np.asarray(p_values, "float64")
    order = np.argsort(p)
    scaled = np.minimum(p[order] * np.arange(len(p), 0, -1), 1.0)
    corrected = np.empty_like(p)
    corrected[order] = np.maximum.accumulate(scaled)
    return corrected.tolist()
