"""`report`: from predictions of methods to advice, and a page that shows why."""

from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from numpy.typing import ArrayLike

from keras_m2m.checks import check_names
from keras_m2m.decisions.objective import check_objective
from keras_m2m.imbalance import ClassCounts
from keras_m2m.imbalance import check_class_counts
from keras_m2m.imbalance import check_prior
from keras_m2m.report import page
from keras_m2m.report.advice import Advice
from keras_m2m.report.advice import advise
from keras_m2m.report.contents import Contents
from keras_m2m.report.held import Held
from keras_m2m.report.held import gathered
from keras_m2m.report.judged import Question
from keras_m2m.report.judged import judge
from keras_m2m.report.parts import Part


@dataclass(frozen=True)
class Report:
    """Advice, and a page that shows why.

    Attributes:
        advice: `Advice`.
        html: The page, one file that needs no other and runs no scripts.
        scores: Score of each method on the test samples, by its name: means over
            trainings, decisions by the rule that was chosen on validation samples. Of
            costs, minus the mean of a sample.
        validation: On validation samples, by which the method is chosen: of the
            likeliest class; for costs or another prior of the best rule, cross-fitted.
            NaN of a method without such samples.
    """

    advice: Advice
    html: str
    scores: dict[str, float]
    validation: dict[str, float]

    def save(self, path: str | Path) -> Path:
        """Write the page.

        Args:
            path: Where to, ending in `.html`.

        Returns:
            The path.
        """
        path = Path(path)
        path.write_text(self.html, encoding="utf-8")
        return path


def report(
    held: Sequence[Held],
    class_names: Sequence[str],
    class_counts: ClassCounts,
    *,
    maximise: str = "balanced_accuracy",
    costs: Any = None,
    test_prior: ArrayLike | None = None,
    samples: Callable[[int], Any] | None = None,
    learning_curve: Mapping[float, ArrayLike] | None = None,
    first: Callable[[Advice], Sequence[Part]] | None = None,
    parts: Sequence[Part] = (),
    title: str = "Report",
) -> Report:
    """Which method to use, how to decide by it, and how far to trust it.

    For each method a rule is chosen on validation samples: a temperature, and offsets
    of classes for the metric, or Bayes' decision for costs. The method to use is the
    best there; a simpler one that is not worse by more than noise is named beside it.
    Test samples play no part in any choice; they confirm it, or contradict it.

    Args:
        held: Predictions of all methods on the same samples.
        class_names: Name of each class, in the order of the probabilities.
        class_counts: Training samples per class, positive integers `(num_classes,)`.
            Their shares are the prior of the data.
        maximise: `"balanced_accuracy"`, `"macro_f1"`, `"min_recall"` or `"accuracy"`.
        costs: What each mistake costs, `(num_classes, num_classes)` indexed
            `[true, predicted]`, to keep low in the place of the metric; or None.
        test_prior: Where the classes will be more or less frequent than in training:
            shares or numbers `(num_classes,)`, or by name of the class. All scores are
            then for these.
        samples: Function from the row of a test sample to what the page shows of it: a
            dictionary from names to values, the bytes of a PNG or JPEG image, or text.
            One of the values may be such an image.
        learning_curve: Recall of each class `(num_classes,)` by the share of training
            samples, from 0 to 1, that it was reached with; or None.
        first: Function from the advice to further sections of the page, right below
            it; or None.
        parts: Further sections at its end.
        title: Of the page.

    Returns:
        `Report`.

    Raises:
        ValueError: If predictions are not of the same samples, or an argument does not
            fit the classes.

    Example:

    >>> import numpy as np
    >>> y = np.repeat([0, 1], [90, 10])
    >>> p = np.where(y[:, None] == [0, 1], 0.9, 0.1)
    >>> held = [Held("logistic", y, p, y, p, kind="reference")]
    >>> report(held, ["legal", "fraud"], [900, 100]).advice.sentences[0][:43]
    'logistic is the only method (balanced accur'
    """
    counts = check_class_counts(class_counts)
    size = len(counts)
    names = check_names(class_names=class_names)
    if names is None or len(names) != size:
        raise ValueError(
            f"`class_names` must have a name for each of {size} class counts. "
            f"Received: class_names={class_names}"
        )
    for name, function in (("samples", samples), ("first", first)):
        if function is not None and not callable(function):
            raise ValueError(
                f"`{name}` must be a function, or None. Received: {name}={function!r}"
            )
    prior = counts / counts.sum()
    sought = None if test_prior is None else _prior(test_prior, names)
    question = Question(check_objective(maximise, costs, size), prior, sought)
    data = gathered(held, size)
    judged = judge(data, question)
    advice, used = advise(judged, data, question, names)
    html = page.rendered(
        Contents(title, advice, used, judged, data, question, names, counts, samples),
        learning_curve,
        _checked(() if first is None else first(advice)),
        _checked(parts),
    )
    return Report(
        advice,
        html,
        {own.name: own.test for own in judged},
        {own.name: own.validation for own in judged},
    )


def _prior(test_prior, names):
    """Shares in the order of the classes; by their names or numbers, if a mapping."""
    if isinstance(test_prior, Mapping):
        by_name = {str(key): share for key, share in test_prior.items()}
        if by_name.keys() == set(names):
            test_prior = [by_name[name] for name in names]
        elif any(isinstance(key, str) for key in test_prior):
            raise ValueError(
                f"`test_prior` must have a share for each of the classes {names}. "
                f"Received: test_prior={test_prior}"
            )
    return check_prior(len(names), test_prior=test_prior)


def _checked(parts):
    found = [*parts] if isinstance(parts, Iterable) else [parts]
    if not all(isinstance(one, Part) for one in found):
        raise ValueError(
            "Further sections must be a sequence of keras_m2m.report.Part. "
            f"Received: {parts!r}"
        )
    return found
