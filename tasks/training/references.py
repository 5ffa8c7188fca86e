"""What is no network: class-balanced classifiers of scikit-learn on the same samples.

`logistic` is logistic regression, C = 1, on samples standardised by the training set as
the first layer of a network does it; of images, on their pixels, which are poor
features. `boosted` is `HistGradientBoostingClassifier`, which needs no scale. `probe`
is `logistic` on the features of the network of ERM. All else is scikit-learn's default:
nothing is chosen on validation.
"""

import warnings
from pathlib import Path
from typing import NamedTuple

import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression

import keras_m2m
from tasks.data import whole_files
from tasks.experiment.task import Data
from tasks.training import trees
from tasks.training.trees import Trees

MOST_SECONDS = 300  # Of a fit, by estimate; a longer one is made where it is asked for.
FILE = "reference.skops"
_STEPS = 1000  # Of logistic regression, at most.
_TREES, _LEAVES = 100, 31  # For each class, of each tree.
# Nanoseconds on a core, by `seconds`: for each tree a value of a sample and a bin; for
# each step of logistic regression, of which so many are usual, a product.
_OF_VALUE, _OF_BIN, _OF_PRODUCT, _USUAL_STEPS = 3, 10, 0.5, 200
# What a file holds beside what skops trusts anyway; `trees.check_nodes` looks into it.
_TRUSTED = ["sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor"]


class Logistic(NamedTuple):
    """Fitted logistic regression, a function from samples to probabilities.

    Attributes:
        fitted: scikit-learn's.
        mean: What samples are standardised by, `(entries,)`.
        deviation: Likewise.
        shape: Of a sample.
    """

    fitted: LogisticRegression
    mean: np.ndarray
    deviation: np.ndarray
    shape: tuple[int, ...]

    def __call__(self, samples: np.ndarray) -> np.ndarray:
        """Probabilities, float32 `(n, num_classes)`."""
        x = _standardised(samples, self.mean, self.deviation)
        return self.fitted.predict_proba(x).astype("float32")


def fit(name: str, x: np.ndarray, y: np.ndarray, seed: int) -> Logistic | Trees:
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
    if name == "boosted":
        return trees.fit(x, y, seed)
    mean, variance = keras_m2m.moments(x.reshape(len(x), -1))
    deviation = np.sqrt(variance)
    logistic = LogisticRegression(class_weight="balanced", max_iter=_STEPS)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", ConvergenceWarning)
        logistic.fit(_standardised(x, mean, deviation), y)
    if caught:
        warnings.warn(
            f"logistic regression has not converged in {_STEPS} steps; its scores are "
            "those of the last one",
            stacklevel=2,
        )
    return Logistic(logistic, mean, deviation, x.shape[1:])


def _standardised(samples, mean, deviation):
    return (samples.reshape(len(samples), -1) - mean) / deviation


def save(reference: Logistic | Trees, folder: Path) -> None:
    """Write what `fit` gave to a folder, as a file of skops, which is no pickle."""
    import skops.io  # Takes as long to import as all the rest.

    with whole_files.aside(folder / FILE) as part:
        skops.io.dump(reference._asdict(), part)


def load(folder: Path) -> Logistic | Trees | None:
    """What `save` wrote; None where nothing is.

    Raises:
        ValueError: If the file is damaged, or holds something else.
    """
    if not (folder / FILE).is_file():
        return None
    import skops.io

    try:
        found = skops.io.load(folder / FILE, trusted=_TRUSTED)
        kinds = {LogisticRegression: Logistic, HistGradientBoostingClassifier: Trees}
        reference = kinds[type(found["fitted"])](**found)
        if isinstance(reference, Trees):
            trees.check_nodes(reference.fitted)
    except Exception as error:  # Of many kinds, for a file that is damaged or strange.
        raise ValueError(
            f"{folder / FILE} holds no such classifier, or is damaged: "
            f"{type(error).__name__}: {error}"
        ) from error
    return reference


def seconds(name: str, data: Data) -> float:
    """How long a fit takes, by a coarse estimate.

    Args:
        name: A key of `REFERENCES`.
        data: What it would be fitted to.
    """
    k, entries = len(data.class_names), int(np.prod(data.sample_shape))
    size = len(data.train[1]) * entries
    if name == "boosted":
        number = _TREES * (1 if k == 2 else k)
        bins = _LEAVES * trees.BINS * entries
        return 1e-9 * number * (_OF_VALUE * size + _OF_BIN * bins)
    products = _USUAL_STEPS * k * size if name == "logistic" else 0
    return 1e-9 * _OF_PRODUCT * products
