"""What is no network: class-balanced classifiers of scikit-learn on the same samples.

`logistic` is logistic regression, C = 1, on samples standardised by the training set as
the first layer of a network does it; of images, on their pixels, which are poor
features. `boosted` is `HistGradientBoostingClassifier`, which needs no scale. `probe`
is `logistic` on the features of the network of ERM. All else is scikit-learn's default:
nothing is chosen on validation.
"""

import warnings
from collections.abc import Callable

import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from threadpoolctl import threadpool_limits

import keras_m2m
from tasks.experiment.task import Data

MOST_SECONDS = 300  # Of a fit, by estimate; a longer one is made where it is asked for.
_STEPS = 1000  # Of logistic regression, at most.
_TREES, _LEAVES, _BINS = 100, 31, 255  # For each class, of each tree, of each entry.
_SMALL = 1_000_000  # Values, for which one thread is enough.
_ROWS = 200_000  # That bins are found of, as scikit-learn has it.
# Nanoseconds on a core, by `seconds`: for each tree a value of a sample and a bin; for
# each step of logistic regression, of which so many are usual, a product.
_OF_VALUE, _OF_BIN, _OF_PRODUCT, _USUAL_STEPS = 3, 10, 0.5, 200


def fit(name: str, x: np.ndarray, y: np.ndarray, seed: int) -> Callable:
    """Fit a reference.

    Args:
        name: A key of `REFERENCES`; of a probe `x` is features.
        x: Training samples `(n, ...)`, float32.
        y: Their classes, integers `(n,)`, every class at least once.
        seed: For what is random.

    Returns:
        Function from samples to probabilities, float32 `(n, num_classes)`.

    Warns:
        UserWarning: If logistic regression is stopped before it has converged.
    """
    x = _vectors(x)
    if name == "boosted":
        boosted = HistGradientBoostingClassifier(
            class_weight="balanced", random_state=seed
        )
        binned = _binning(x)
        # Threads wait for each other at each of thousands of small steps: with another
        # process beside them, a fit of half a second took ten.
        limit = None if x.size > _SMALL else 1
        with threadpool_limits(limit, "openmp"):
            return _predictor(boosted.fit(binned(x), y), binned)
    mean, variance = keras_m2m.moments(x)
    deviation = np.sqrt(variance)

    def standardised(samples):
        return (_vectors(samples) - mean) / deviation

    logistic = LogisticRegression(class_weight="balanced", max_iter=_STEPS)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", ConvergenceWarning)
        logistic.fit(standardised(x), y)
    if caught:
        warnings.warn(
            f"logistic regression has not converged in {_STEPS} steps; its scores are "
            "those of the last one",
            stacklevel=2,
        )
    return _predictor(logistic, standardised)


def seconds(name: str, data: Data) -> float:
    """How long a fit takes, by a coarse estimate.

    Args:
        name: A key of `REFERENCES`.
        data: What it would be fitted to.
    """
    k, entries = len(data.class_names), int(np.prod(data.sample_shape))
    size = len(data.train[1]) * entries
    if name == "boosted":
        trees = _TREES * (1 if k == 2 else k)
        bins = _LEAVES * _BINS * entries
        return 1e-9 * trees * (_OF_VALUE * size + _OF_BIN * bins)
    products = _USUAL_STEPS * k * size if name == "logistic" else 0
    return 1e-9 * _OF_PRODUCT * products


def _binning(x):
    """Function from samples to those of few values, in the same order.

    Trees look at no more anyway. With weights scikit-learn 1.9 sorts a column for each
    of its bins, which takes far longer than the trees; of few values it does not.
    """
    rng = np.random.default_rng(0)
    part = x if len(x) <= _ROWS else x[rng.choice(len(x), _ROWS, replace=False)]
    edges = [_edges(column) for column in part.T]

    def binned(samples):
        samples = _vectors(samples)
        found = np.empty(samples.shape, "float32")
        for k, of_column in enumerate(edges):
            column = samples[:, k]
            few = of_column is None
            found[:, k] = column if few else np.searchsorted(of_column, column)
        return found

    return binned


def _edges(column):
    """Quantiles of a column; None if it has few values."""
    if len(np.unique(column)) <= _BINS:
        return None
    return np.unique(np.quantile(column, np.linspace(0, 1, _BINS + 1)[1:-1]))


def _vectors(samples):
    return samples.reshape(len(samples), -1)


def _predictor(fitted, prepared):
    return lambda samples: fitted.predict_proba(prepared(samples)).astype("float32")
