"""What a decision is judged by: a metric of its labels, or what its mistakes cost."""

from typing import Any
from typing import NamedTuple

import numpy as np

from keras_m2m.decisions.probabilities import check_costs

MAXIMISED = ("balanced_accuracy", "macro_f1", "min_recall", "accuracy")


class Tallies(NamedTuple):
    """All that an objective needs to know of decisions.

    Attributes:
        samples: Samples of each class, `(num_classes,)`.
        hits: Those that were classified right, `(..., num_classes)`.
        predicted: How often each class was predicted, `(..., num_classes)`.
        cost: What all decisions cost together, `(...)`.
    """

    samples: np.ndarray
    hits: np.ndarray
    predicted: np.ndarray
    cost: np.ndarray


class Objective(NamedTuple):
    """A metric to maximise, or costs to keep low. Make it by `check_objective`.

    Attributes:
        maximise: A name of `MAXIMISED`, or `"cost"`.
        num_classes: Number of classes K.
        costs: `(K, K)`, indexed `[true, predicted]`; zeros where there are none.
        weights: What a sample of each class counts, `(K,)`: ones, or what makes these
            samples as frequent as those that decisions are for.
    """

    maximise: str
    num_classes: int
    costs: np.ndarray
    weights: np.ndarray

    def tally(self, y: np.ndarray, predicted: np.ndarray) -> Tallies:
        """Tallies of labels `(n,)` and decisions `(n,)`."""
        size, weights = self.num_classes, self.weights[y]
        return Tallies(
            np.bincount(y, weights, size),
            np.bincount(y, weights * (predicted == y), size),
            np.bincount(predicted, weights, size),
            (weights * self.costs[y, predicted]).sum(),
        )

    def score(self, tallies: Tallies) -> Any:
        """The higher the better, `(...)`; of costs, minus the mean of a sample.

        Classes without samples are left out of means over classes.
        """
        if self.maximise == "cost":
            return -tallies.cost / tallies.samples.sum()
        known = tallies.samples > 0
        samples, hits = tallies.samples[known], tallies.hits[..., known]
        if self.maximise == "accuracy":
            return hits.sum(axis=-1) / samples.sum()
        if self.maximise == "macro_f1":
            return (2 * hits / (samples + tallies.predicted[..., known])).mean(axis=-1)
        recall = hits / samples
        is_mean = self.maximise == "balanced_accuracy"
        return recall.mean(axis=-1) if is_mean else recall.min(axis=-1)

    def for_prior(self, prior: np.ndarray | None, y: np.ndarray) -> "Objective":
        """The same under a prior `(K,)`, for samples of classes `y`; None: theirs."""
        if prior is None:
            return self
        counts = np.bincount(y, minlength=self.num_classes)
        return self._replace(weights=len(y) * prior / np.maximum(counts, 1))

    def of(self, y: np.ndarray, predicted: np.ndarray) -> float:
        """The mean score over the rows of `predicted`, `(m, n)` or `(n,)`."""
        rows = predicted.reshape(-1, len(y))
        return float(np.mean([self.score(self.tally(y, row)) for row in rows]))


def check_objective(maximise: str, costs: Any, num_classes: int) -> Objective:
    """An objective of a name, or of costs, which go first.

    Args:
        maximise: A name of `MAXIMISED`.
        costs: What each mistake costs, `(num_classes, num_classes)` indexed
            `[true, predicted]`, or None.
        num_classes: Number of classes K.

    Raises:
        ValueError: If there is no such name, or costs are no such matrix.

    Example:

    >>> objective = check_objective("min_recall", None, 2)
    >>> objective.of(np.array([0, 0, 1]), np.array([0, 1, 1]))
    0.5
    """
    if not isinstance(maximise, str) or maximise not in MAXIMISED:
        raise ValueError(
            f"`maximise` must be one of {', '.join(MAXIMISED)}. "
            f"Received: maximise={maximise!r}"
        )
    ones, size = np.ones(num_classes), (num_classes, num_classes)
    if costs is None:
        return Objective(maximise, num_classes, np.zeros(size), ones)
    return Objective("cost", num_classes, check_costs(costs, num_classes), ones)
