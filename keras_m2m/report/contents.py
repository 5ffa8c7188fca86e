"""All that a page is made of, and what several of its parts need."""

from collections.abc import Callable
from collections.abc import Sequence
from typing import Any
from typing import NamedTuple

import numpy as np

from keras_m2m.report.advice import Advice
from keras_m2m.report.held import Gathered
from keras_m2m.report.judged import Judged
from keras_m2m.report.judged import Question


class Contents(NamedTuple):
    """All that a page is made of.

    Attributes:
        title: Of the page.
        advice: `Advice`.
        used: The method that is recommended; without advice the simplest.
        judged: All methods, from the simplest.
        data: Predictions.
        question: What methods are judged for.
        names: Of the classes.
        counts: Training samples per class.
        samples: Function from the row of a test sample to what it shows, or None.
    """

    title: str
    advice: Advice
    used: Judged
    judged: Sequence[Judged]
    data: Gathered
    question: Question
    names: Sequence[str]
    counts: np.ndarray
    samples: Callable[[int], Any] | None

    @property
    def y(self) -> np.ndarray:
        """Classes of the test samples."""
        return self.data.y_test

    @property
    def p(self) -> np.ndarray:
        """Probabilities of the method as they came, `(trainings, m, num_classes)`."""
        return self.used.method.p_test

    @property
    def order(self) -> np.ndarray:
        """Classes from the most frequent in training, as all tables have them."""
        return np.argsort(-self.counts, kind="stable")

    @property
    def weights(self) -> np.ndarray:
        """Of each class on the test set: as frequent as was asked for, `(K,)`."""
        return self.question.on(self.y).weights

    @property
    def tested(self) -> np.ndarray:
        """Test samples per class."""
        return np.bincount(self.y, minlength=len(self.names))

    def confusion(self, decisions: np.ndarray) -> np.ndarray:
        """Counts `[true, predicted]` of decisions `(trainings, m)`, their mean."""
        size = len(self.names)
        cells = (self.y * size + decisions).ravel()
        counts = np.bincount(cells, minlength=size**2).reshape(size, size)
        return counts / len(decisions)

    @property
    def of_trainings(self) -> str:
        """What captions say where numbers are means."""
        number = self.used.method.trainings
        return "" if number == 1 else f", means over {number} trainings"


def number(value: float) -> str:
    """A count, or the mean of some.

    Example:

    >>> number(12.0), number(1234.5)
    ('12', '1,234.5')
    """
    return f"{value:,.0f}" if value == round(value) else f"{value:,.1f}"


def percent(value: float) -> str:
    """A share, NaN as a dash.

    Example:

    >>> percent(0.5), percent(float("nan"))
    ('50.0', '–')
    """
    return "–" if np.isnan(value) else f"{100 * value:.1f}"
