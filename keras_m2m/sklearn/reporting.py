"""A report of fitted classifiers, on samples that they were not fitted on."""

import io
from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Mapping
from typing import TYPE_CHECKING
from typing import Any

import numpy as np
from numpy.typing import ArrayLike
from sklearn.utils.validation import check_is_fitted

from keras_m2m.checks import check_real
from keras_m2m.checks import check_same_length
from keras_m2m.checks import is_sparse
from keras_m2m.sklearn import targets

if TYPE_CHECKING:
    from keras_m2m.report import Report

_MOST_VALUES = 12  # Of a sample, that a page shows.
_MOST_TEXT = 200  # Characters of one.


def numbers_of(classes: np.ndarray, y: Any) -> np.ndarray:
    """The number of each label's class, in the order of `classes`.

    Raises:
        ValueError: If a label is of no class.

    Example:

    >>> numbers_of(np.array(["cat", "dog"]), ["dog", "cat"])
    array([1, 0])
    """
    labels = targets.checked_labels(y)
    unknown = sorted(set(labels.tolist()) - set(classes.tolist()))
    if unknown:
        raise ValueError(
            "Labels must be of the classes that were fitted, "
            f"{classes[:20].tolist()}. Received: y with {unknown[:20]}"
        )
    return np.searchsorted(classes, labels)


def rows_to_choose(numbers: np.ndarray, share: float) -> np.ndarray:
    """Which samples are for choices, as a mask: that share of each class.

    Example:

    >>> int(rows_to_choose(np.array([0, 0, 0, 0, 1, 1]), 0.5).sum())
    3
    """
    share = check_real(0.05, 0.95, choose=share)
    order = np.random.default_rng(0).permutation(len(numbers))
    order = order[np.argsort(numbers[order], kind="stable")]
    steps = np.floor(np.arange(len(numbers) + 1) * share + 0.5)
    chosen = np.zeros(len(numbers), bool)
    chosen[order] = np.diff(steps) > 0
    return chosen


def probabilities_of(name: str, classifier: Any, X: Any, classes: np.ndarray) -> Any:
    """Probabilities of a fitted classifier, in the order of `classes`.

    Raises:
        ValueError: If it has no probabilities, or classes that are none of `classes`.
    """
    if not hasattr(classifier, "predict_proba"):
        raise ValueError(
            "A report needs probabilities: wrap the classifier in "
            "sklearn.calibration.CalibratedClassifierCV, which gives it "
            f"`predict_proba`. Received: {name!r}, {type(classifier).__name__}"
        )
    p = np.asarray(classifier.predict_proba(X), "float64")
    own = np.asarray(classifier.classes_)
    if not set(own.tolist()) <= set(classes.tolist()):
        raise ValueError(
            f"Classifiers must be of the same classes, {classes[:20].tolist()}. "
            f"Received: {name!r} of {own[:20].tolist()}"
        )
    found = np.zeros((len(p), len(classes)))
    found[:, np.searchsorted(classes, own)] = p
    return found


def compared(compare: Mapping[str, Any] | None, own: str) -> dict[str, Any]:
    """Classifiers by name, if they have names of their own.

    Raises:
        ValueError: If it is no dictionary, or a name is that of this classifier.

    Example:

    >>> compared(None, "m2m")
    {}
    """
    if not isinstance(compare, Mapping | None):
        raise ValueError(
            "`compare` must be a dictionary from names to fitted classifiers. "
            f"Received: compare={compare!r}"
        )
    found = {str(name): other for name, other in (compare or {}).items()}
    if own in found:
        raise ValueError(
            f"{own!r} is the name of this classifier: give the other one another. "
            f"Received: compare with {sorted(found)}"
        )
    return found


def sample_shown(X: Any, rows: np.ndarray) -> Callable[[int], Any]:
    """A function from the number among `rows` to what a page shows of the sample.

    Args:
        X: Samples: a frame, an array of vectors or images, a sparse matrix, a list.
        rows: Which of them are of the test.

    Example:

    >>> sample_shown(np.array([[1.0, 2.0]]), np.array([0]))(0)
    {'x0': '1', 'x1': '2'}
    """

    def shown(index: int) -> Any:
        row = int(rows[index])
        if hasattr(X, "columns"):
            one = X.iloc[row].tolist() if hasattr(X, "iloc") else X.row(row)
            return dict(_few(zip(map(str, X.columns), one)))
        if is_sparse(X):
            one = X.tocsr()[[row]].tocoo()
            return dict(_few((f"x{k}", v) for k, v in zip(one.col, one.data)))
        one = np.asarray(X[row])
        if one.ndim == 3 and one.shape[2] in (1, 3, 4):
            return _png(one)
        return dict(_few((f"x{k}", v) for k, v in enumerate(one.ravel())))

    return shown


def _few(values) -> Iterator[tuple[str, str]]:
    for index, (name, value) in enumerate(values):
        if index == _MOST_VALUES:
            yield "…", "more values"
            return
        is_float = isinstance(value, float | np.floating)
        yield name, f"{value:.4g}" if is_float else str(value)[:_MOST_TEXT]


def _png(image):
    import matplotlib.image

    image = image.astype("float64")
    low, high = min(image.min(), 0.0), image.max()
    high = 255.0 if 1 < high <= 255 else max(high, 1.0)
    scaled = np.round(255 * (image - low) / (high - low)).astype("uint8")
    if scaled.shape[2] == 1:
        scaled = np.repeat(scaled, 3, axis=2)
    file = io.BytesIO()
    matplotlib.image.imsave(file, scaled, format="png")
    return file.getvalue()


class Reporting:
    """`report` of a classifier that has `method`, `classes_` and `class_counts_`."""

    def report(
        self,
        X: Any,
        y: ArrayLike,
        *,
        compare: Mapping[str, Any] | None = None,
        choose: float = 0.5,
        maximise: str = "balanced_accuracy",
        costs: ArrayLike | None = None,
        test_prior: ArrayLike | None = None,
        title: str = "Report",
    ) -> "Report":
        """Whether to use this, how to decide by it, and how far to trust it.

        `keras_m2m.report` says what it needs, its `report` what is in it.

        Args:
            X: Held-out samples, which `fit` has not seen.
            y: Their labels.
            compare: Other fitted classifiers by name, from the simplest to the least
                simple, such as `{"logistic": LogisticRegression().fit(X, y)}`; or None.
            choose: Share of each class's samples that choices are made by: method,
                temperature, offsets. The others confirm them.
            maximise: `"balanced_accuracy"`, `"macro_f1"`, `"min_recall"` or
                `"accuracy"`.
            costs: What each mistake costs, `(num_classes, num_classes)` indexed
                `[true, predicted]` in the order of `classes_`, in its place; or None.
            test_prior: Where classes will be more or less frequent than in training:
                shares in the order of `classes_`, or by class; or None.
            title: Of the page.

        Returns:
            `keras_m2m.report.Report`: `advice`, `html`, `save(path)`, `scores`.
        """
        check_is_fitted(self, "model_")
        from keras_m2m.report import report

        own: Any = self
        classes = own.classes_
        numbers = numbers_of(classes, y)
        chosen = rows_to_choose(numbers, choose)
        held = []
        for name, one in {**compared(compare, own.method), own.method: own}.items():
            p = probabilities_of(name, one, X, classes)
            check_same_length(p, numbers)
            held.append(_held(name, one, numbers, p, chosen))
        return report(
            held,
            [str(label) for label in classes],
            own.class_counts_,
            maximise=maximise,
            costs=costs,
            test_prior=test_prior,
            samples=sample_shown(X, np.flatnonzero(~chosen)),
            title=title,
        )


def _held(name, classifier, numbers, p, chosen):
    from keras_m2m.report import Held

    kind = "network" if isinstance(classifier, Reporting) else "reference"
    test = ~chosen
    parts = (numbers[chosen], p[chosen], numbers[test], p[test])
    return Held(name, *parts, kind=kind)
