"""Methods judged: chosen for on validation samples, measured on those of the test."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from keras_m2m.decisions import Rule
from keras_m2m.decisions.lead import Lead
from keras_m2m.decisions.lead import lead
from keras_m2m.decisions.objective import Objective
from keras_m2m.report import interval
from keras_m2m.report.held import Gathered
from keras_m2m.report.held import Method
from keras_m2m.report.rule import LIKELIEST
from keras_m2m.report.rule import Chosen
from keras_m2m.report.rule import choose_rule


class Judged(NamedTuple):
    """A method, with the rule that was chosen for it.

    Attributes:
        method: `Method`.
        chosen: Its rule, and what that did to validation samples; without those, the
            likeliest class.
        validation: Score of `chosen.compared` on validation samples, NaN without those.
        decisions: On test samples, `(trainings, m)`.
        test: Score of these, the mean over trainings.
        interval: The 95 % interval of `test`, over samples.
        spread: Standard deviation of `test` over trainings, or None of one.
        plain: Score of the likeliest class on test samples.
    """

    method: Method
    chosen: Chosen
    validation: float
    decisions: np.ndarray
    test: float
    interval: interval.Interval
    spread: float | None
    plain: float

    @property
    def name(self) -> str:
        """Of the method."""
        return self.method.name

    @property
    def rule(self) -> Rule:
        """What is done with its probabilities."""
        return self.chosen.rule


class Question(NamedTuple):
    """What methods are judged for.

    Attributes:
        objective: What decisions are judged by.
        prior: Of the data, shares `(num_classes,)`.
        test_prior: That decisions are for, or None for the same.
    """

    objective: Objective
    prior: np.ndarray
    test_prior: np.ndarray | None

    def on(self, y: np.ndarray) -> Objective:
        """The objective for samples of these classes."""
        return self.objective.for_prior(self.test_prior, y)


def judge(data: Gathered, question: Question) -> list[Judged]:
    """All methods, in their order.

    Args:
        data: Predictions.
        question: What methods are judged for.
    """
    return [_judged(method, data, question) for method in data.methods]


def _judged(method, data, question):
    chosen, validation = LIKELIEST, np.nan
    if method.p_val is not None:
        objective = question.on(data.y_val)
        chosen = choose_rule(
            data.y_val, method.p_val, objective, question.prior, question.test_prior
        )
        validation = objective.of(data.y_val, chosen.compared)
    objective = question.on(data.y_test)
    decisions = np.stack([chosen.rule.decide(p) for p in method.p_test])
    scores = [objective.of(data.y_test, own) for own in decisions]
    return Judged(
        method,
        chosen,
        validation,
        decisions,
        float(np.mean(scores)),
        interval.of_score(data.y_test, decisions, objective),
        float(np.std(scores, ddof=1)) if len(scores) > 1 else None,
        objective.of(data.y_test, method.p_test.argmax(axis=2)),
    )


class Choice(NamedTuple):
    """Which method to use.

    Attributes:
        used: That with the highest score on validation samples, the simplest of equals.
        enough: The simplest that is not worse than it by more than noise.
        simplest: The simplest of all.
        over_enough: Lead of `used` over `enough`, None where it is that.
        over_simplest: The same over the simplest.
    """

    used: Judged
    enough: Judged
    simplest: Judged
    over_enough: Lead | None
    over_simplest: Lead | None


def choose_method(
    judged: Sequence[Judged], y_val: np.ndarray, question: Question
) -> Choice:
    """The best method on validation samples, and a simpler one that may be enough.

    The best is what to expect most of, however small its lead: of the tables in
    docs/results/regret.md, to take a simpler one wherever the lead is within noise
    loses 6.6 points to the best, this 4.1.

    Args:
        judged: Methods with scores on validation samples, from the simplest.
        y_val: Classes of these samples.
        question: What they are judged for.
    """
    objective = question.on(y_val)
    tests = max(len(judged) - 1, 1)
    used = max(judged, key=lambda own: round(own.validation, 12))

    def lead_over(other):
        if used is other:
            return None
        decisions = used.chosen.compared, other.chosen.compared
        return lead(y_val, *decisions, objective, tests)

    for enough in judged:
        over = lead_over(enough)
        if over is None or not over.is_real:
            break
    return Choice(used, enough, judged[0], over, lead_over(judged[0]))


def better_on_test(
    used: Judged, judged: Sequence[Judged], y_test: np.ndarray, question: Question
) -> tuple[Judged, Lead] | None:
    """The method that is best on test samples, and its lead; None for `used` itself.

    Args:
        used: The method that was chosen.
        judged: All.
        y_test: Classes of the test samples.
        question: What they are judged for.
    """
    best = max(judged, key=lambda own: own.test)
    if best is used:
        return None
    found = lead(
        y_test,
        best.decisions,
        used.decisions,
        question.on(y_test),
        max(len(judged) - 1, 1),
    )
    return best, found


def best_constant(
    y_val: np.ndarray, y_test: np.ndarray, question: Question
) -> tuple[int, tuple[float, float]]:
    """The class that is best on validation samples if it is decided for each time.

    Args:
        y_val: Classes of the validation samples.
        y_test: Of the test samples.
        question: What decisions are judged by.

    Returns:
        The class, and its scores on validation and on test samples.
    """
    scores = [
        [
            question.on(y).of(y, np.full(len(y), k))
            for k in range(question.objective.num_classes)
        ]
        for y in (y_val, y_test)
    ]
    best = int(np.argmax(scores[0]))
    return best, (scores[0][best], scores[1][best])
