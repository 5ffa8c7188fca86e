"""Whether one set of decisions is better than another by more than noise."""

from typing import NamedTuple

import numpy as np

from keras_m2m.decisions.objective import Objective
from keras_m2m.decisions.objective import Tallies

CONFIDENCE = 0.95
_SWAPS = 2000
_AT_A_TIME = 100  # Swaps, so that 100,000 samples need no gigabytes.


class Lead(NamedTuple):
    """How far one method is ahead of another, and the noise of that.

    Attributes:
        difference: Of the mean scores.
        noise: Half the width of the 95 % interval of the difference.
        p: How often as large a difference comes of noise alone.
        is_real: Whether it is positive and more than noise.
    """

    difference: float
    noise: float
    p: float
    is_real: bool


def lead(
    y: np.ndarray,
    first: np.ndarray,
    second: np.ndarray,
    objective: Objective,
    tests: int = 1,
    of_seeds: bool = True,
) -> Lead:
    """How far the first decisions are ahead of the second, on the same samples.

    Two sources of noise are added up. **Samples:** if both were equally good, it would
    be chance which of two different decisions on a sample is whose; the decisions are
    swapped sample by sample, many times, and the differences that this makes are noise.
    A class of one sample, whose bootstrap has no variance, has its share here.
    **Seeds:** the standard error of the mean over trainings, where there are several.

    Args:
        y: Classes `(n,)`.
        first: Decisions `(m, n)`, a row for each training; of repeats of them
            `(repeats, m, n)`.
        second: The same of the other method.
        objective: What they are judged by.
        tests: Number of such comparisons of which the largest is looked at: the level
            is divided by it (Bonferroni).
        of_seeds: Whether other seeds count as noise; they do not where both decisions
            are of the same trainings.

    Example:

    >>> from keras_m2m.decisions.objective import check_objective
    >>> y, zeros = np.repeat([0, 1], 50), np.zeros((1, 100), "int64")
    >>> lead(y, y[None], zeros, check_objective("accuracy", None, 2)).is_real
    True

    Source: Good, Permutation, parametric and bootstrap tests of hypotheses (2005),
    section 3, for the swaps; Satterthwaite (1946) for the degrees of freedom.
    """
    import scipy.stats  # Late: without it, the functions of one network work.

    by_seed = [_scores_by_seed(y, own, objective) for own in (first, second)]
    difference = float(by_seed[0].mean() - by_seed[1].mean())
    swapped = _swapped_differences(y, first, second, objective)
    of_rows = float((swapped**2).mean())
    among = [scores.var(ddof=1) / len(scores) for scores in by_seed if len(scores) > 1]
    degrees = [len(scores) - 1 for scores in by_seed if len(scores) > 1]
    if not of_seeds:
        among, degrees = [], []
    variance = of_rows + sum(among)
    if variance <= 0:
        return Lead(difference, 0.0, 1.0, False)
    below = sum(v**2 / k for v, k in zip(among, degrees))
    freedom = variance**2 / below if below > 0 else 1e9
    error = np.sqrt(variance)
    of_t = 2 * scipy.stats.t.sf(abs(difference) / error, freedom)
    # Of few samples the swaps are right and t is too sure.
    as_large = np.count_nonzero(np.abs(swapped) >= abs(difference) - 1e-12)
    p = float(max(of_t, (1 + as_large) / (1 + len(swapped))))
    level = (1 - CONFIDENCE) / tests
    noise = float(error * scipy.stats.t.isf(level / 2, freedom))
    return Lead(difference, noise, p, bool(difference > 0 and p < level))


def _scores_by_seed(y, decisions, objective):
    """Means over repeats, `(m,)`."""
    rows = decisions.reshape(-1, len(y))
    scores = np.array([objective.score(objective.tally(y, row)) for row in rows])
    return scores.reshape(-1, decisions.shape[-2]).mean(axis=0)


def _swapped_differences(y, first, second, objective):
    """Differences of scores after random swaps, `(_SWAPS,)`."""
    rng = np.random.default_rng(0)
    one, other = (_Pooled(y, rows, objective) for rows in (first, second))
    found = []
    for _ in range(_SWAPS // _AT_A_TIME):
        swaps = rng.integers(0, 2, size=(_AT_A_TIME, len(y))).astype("float32")
        change = swaps @ (other.rows - one.rows)
        scores = [
            objective.score(pooled.tallies(sign * change))
            for pooled, sign in ((one, 1), (other, -1))
        ]
        found.append(scores[0] - scores[1])
    return np.concatenate(found)


class _Pooled:
    """Decisions of several trainings as shares, sample by sample.

    `rows` is `(n, 2 K + 1)`: whether right, in the column of the class; the class that
    was predicted; the cost.
    """

    def __init__(self, y, predicted, objective):
        size, n, weights = objective.num_classes, len(y), objective.weights[y]
        self.samples = np.bincount(y, weights, size)
        self.rows = np.zeros((n, 2 * size + 1), "float32")
        every = np.arange(n)
        rows = predicted.reshape(-1, n)
        for row in rows:
            self.rows[every, y] += weights * (row == y)
            self.rows[every, size + row] += weights
            self.rows[:, -1] += weights * objective.costs[y, row]
        self.rows /= len(rows)
        self.total = self.rows.sum(axis=0, dtype="float64")

    def tallies(self, change):
        total, size = self.total + change, len(self.samples)
        hits, predicted = total[..., :size], total[..., size : 2 * size]
        return Tallies(self.samples, hits, predicted, total[..., -1])
