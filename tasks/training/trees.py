"""Boosted trees of scikit-learn, on few values of each entry."""

from typing import Any
from typing import NamedTuple

import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier
from threadpoolctl import threadpool_limits

BINS = 255  # Of each entry.
_SMALL = 1_000_000  # Values, for which one thread is enough.
_ROWS = 200_000  # That bins are found of, as scikit-learn has it.


class Trees(NamedTuple):
    """Fitted trees, a function from samples to probabilities.

    Attributes:
        fitted: scikit-learn's.
        edges: Of the bins of each entry, None for one of few values.
        shape: Of a sample.
    """

    fitted: HistGradientBoostingClassifier
    edges: list[np.ndarray | None]
    shape: tuple[int, ...]

    def __call__(self, samples: np.ndarray) -> np.ndarray:
        """Probabilities, float32 `(n, num_classes)`."""
        found = self.fitted.predict_proba(_binned(samples, self.edges))
        return found.astype("float32")


def fit(x: np.ndarray, y: np.ndarray, seed: int) -> Trees:
    """Fit class-balanced trees.

    They look at no more values than `BINS` anyway. With weights scikit-learn 1.9 sorts
    a column for each of its bins, which takes far longer than the trees; of few values
    it does not.

    Args:
        x: Training samples `(n, ...)`, float32.
        y: Their classes, integers `(n,)`, every class at least once.
        seed: For what is random.
    """
    rows = x.reshape(len(x), -1)
    rng = np.random.default_rng(0)
    few = len(x) <= _ROWS
    part = rows if few else rows[rng.choice(len(x), _ROWS, replace=False)]
    edges = [_edges(column) for column in part.T]
    trees = HistGradientBoostingClassifier(class_weight="balanced", random_state=seed)
    # Threads wait for each other at each of thousands of small steps: with another
    # process beside them, a fit of half a second took ten.
    with threadpool_limits(None if x.size > _SMALL else 1, "openmp"):
        return Trees(trees.fit(_binned(x, edges), y), edges, x.shape[1:])


def _edges(column):
    """Quantiles of a column; None if it has few values."""
    if len(np.unique(column)) <= BINS:
        return None
    return np.unique(np.quantile(column, np.linspace(0, 1, BINS + 1)[1:-1]))


def _binned(samples, edges):
    """Samples of few values, in the same order."""
    rows = samples.reshape(len(samples), -1)
    found = np.empty(rows.shape, "float32")
    for k, of_column in enumerate(edges):
        column = rows[:, k]
        few = of_column is None
        found[:, k] = column if few else np.searchsorted(of_column, column)
    return found


def check_nodes(fitted: Any) -> None:
    """Raise unless trees of a file are such that a sample goes down to a leaf.

    scikit-learn looks at no bounds when it does, and a file may be a stranger's.

    Raises:
        ValueError: If they are not.
    """
    for tree in (tree for own in fitted._predictors for tree in own):
        nodes = tree.nodes
        inner = np.flatnonzero(nodes["is_leaf"] == 0)
        entries = nodes["feature_idx"][inner]
        children = np.stack([nodes[side][inner] for side in ("left", "right")])
        is_sound = (
            len(nodes)
            and (children > inner).all()  # So that none is met twice.
            and (children < len(nodes)).all()
            and ((entries >= 0) & (entries < fitted.n_features_in_)).all()
            and not nodes["is_categorical"].any()
        )
        if not is_sound:
            raise ValueError("its trees are damaged")
