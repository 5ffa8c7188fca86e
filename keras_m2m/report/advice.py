"""What to do, as numbers and as plain sentences."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from keras_m2m.decisions import Calibration
from keras_m2m.decisions import Rule
from keras_m2m.decisions.lead import Lead
from keras_m2m.decisions.lead import lead
from keras_m2m.decisions.probabilities import check_probabilities
from keras_m2m.report import words
from keras_m2m.report.held import Gathered
from keras_m2m.report.judged import Choice
from keras_m2m.report.judged import Judged
from keras_m2m.report.judged import Question
from keras_m2m.report.judged import best_constant
from keras_m2m.report.judged import better_on_test
from keras_m2m.report.judged import choose_method
from keras_m2m.report.rule import LIKELIEST


@dataclass(frozen=True)
class Advice:
    """What a report recommends.

    Attributes:
        method: The method to use; None without validation samples, by which alone one
            may choose.
        enough: The simplest method that is not worse on validation samples by more
            than noise: for who prefers that. None without validation samples.
        simplest: The simplest of the methods.
        is_lead_real: Whether `method` is ahead of `simplest` by more than noise. False
            where it is that.
        lead: That lead on validation samples, with its noise; None where there is none.
        rule: What is done with the probabilities of the method.
        is_contradicted: Whether another method is better on test samples by more than
            noise.
        sentences: All of it in plain words.
    """

    method: str | None
    enough: str | None
    simplest: str
    is_lead_real: bool
    lead: Lead | None
    rule: Rule
    is_contradicted: bool
    sentences: tuple[str, ...]

    @property
    def calibration(self) -> Calibration:
        """What makes probabilities right, as a function of them."""
        return self.rule.calibration

    @property
    def temperature(self) -> float:
        """What log-probabilities are divided by; 1 for none."""
        return self.rule.calibration.temperature

    @property
    def offsets(self) -> np.ndarray | None:
        """Offsets of log-probabilities `(num_classes,)`, or None for none."""
        return self.rule.offsets

    def probabilities(self, p: ArrayLike) -> np.ndarray:
        """Probabilities of the method, calibrated, for the prior that was asked for.

        Args:
            p: Probabilities `(n, num_classes)` as the method gives them.
        """
        return self.rule.probabilities(check_probabilities(p=p))

    def decide(self, p: ArrayLike) -> np.ndarray:
        """Classes `(n,)`, by the costs or the offsets that were chosen.

        Args:
            p: Probabilities `(n, num_classes)` as the method gives them.
        """
        return self.rule.decide(check_probabilities(p=p))


def advise(
    judged: Sequence[Judged], data: Gathered, question: Question, names: Sequence[str]
) -> tuple[Advice, Judged]:
    """Advice, and the method that the page shows.

    Args:
        judged: All methods, from the simplest.
        data: Predictions.
        question: What methods are judged for.
        names: Of the classes.
    """
    known = [own for own in judged if own.method.p_val is not None]
    if data.y_val is None:
        return _without_choice(judged, question), judged[0]
    choice = choose_method(known, data.y_val, question)
    used = choice.used
    better = better_on_test(used, judged, data.y_test, question)
    sentences = _sentences(choice, known, data, question, names, better)
    over = choice.over_simplest
    advice = Advice(
        used.name,
        choice.enough.name,
        choice.simplest.name,
        over is not None and over.is_real,
        over,
        used.rule,
        better is not None and better[1].is_real,
        tuple(sentences),
    )
    return advice, used


def _sentences(choice: Choice, known, data, question, names, better):
    maximise, used = question.objective.maximise, choice.used
    on_test = None
    if used is not choice.simplest:
        objective = question.on(data.y_test)
        simplest = choice.simplest.decisions
        on_test = lead(data.y_test, used.decisions, simplest, objective)
    constant, of_constant = best_constant(data.y_val, data.y_test, question)
    networks = [own.method.trainings for own in known if own.method.kind == "network"]
    return [
        *words.on_method(choice, len(known), maximise),
        *words.on_rule(used, names, maximise, question.test_prior is not None),
        *words.on_probabilities(used),
        *words.on_prior(question.test_prior),
        *words.on_test(used, maximise),
        *words.on_confirmation(choice, question, better, on_test),
        *words.on_constant(names[constant], of_constant, used, maximise),
        *words.on_samples(data, names, min(networks, default=1), bool(networks)),
    ]


def _without_choice(judged, question):
    name = words.NAMES[question.objective.maximise]
    return Advice(
        None,
        None,
        judged[0].name,
        False,
        None,
        LIKELIEST.rule,
        False,
        (
            "No method is recommended: there are no validation samples, and nothing "
            "may be chosen on the test set.",
            f"The tables show the {name} of the likeliest class on the test set.",
        ),
    )
