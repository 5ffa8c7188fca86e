"""What is done with the probabilities of a method, chosen on validation samples."""

from typing import NamedTuple

import numpy as np

from keras_m2m.decisions import Calibration
from keras_m2m.decisions import OffsetChoice
from keras_m2m.decisions import Rule
from keras_m2m.decisions.calibrated import calibration_of_trainings
from keras_m2m.decisions.folds import stratified_folds
from keras_m2m.decisions.lead import lead
from keras_m2m.decisions.objective import Objective
from keras_m2m.decisions.offsets import offsets_of_trainings
from keras_m2m.decisions.probabilities import log_probabilities

AS_THEY_ARE = Calibration(1.0, None)


class Chosen(NamedTuple):
    """A rule, and what it did to validation samples that it was not chosen with.

    Attributes:
        rule: `Rule`.
        choice: Of the offsets, or None of costs.
        compared: Decisions that methods are compared by: the likeliest class, as long
            as the question is of a metric and the prior of the data. Costs and other
            priors ask for a rule, whether it was taken or not; then they are its own,
            cross-fitted. `(trainings, n)` or `(repeats, trainings, n)`.
        gain: Over the likeliest class, and its noise.
    """

    rule: Rule
    choice: OffsetChoice | None
    compared: np.ndarray
    gain: tuple[float, float]


# Of a method without validation samples.
LIKELIEST = Chosen(
    Rule(AS_THEY_ARE, None, None, None), None, np.empty((0, 0), "int64"), (0.0, 0.0)
)


def choose_rule(
    y: np.ndarray,
    p: np.ndarray,
    objective: Objective,
    prior: np.ndarray,
    test_prior: np.ndarray | None,
) -> Chosen:
    """The rule of a method.

    Args:
        y: Classes of the validation samples `(n,)`.
        p: Probabilities `(trainings, n, num_classes)`.
        objective: What decisions are judged by, for the prior that is asked for.
        prior: Of the validation samples, shares `(num_classes,)`.
        test_prior: That which is asked for, or None for the same.

    Example:

    >>> from keras_m2m.decisions.objective import check_objective
    >>> y, p = np.array([0, 1]), np.array([[[0.9, 0.1], [0.2, 0.8]]])
    >>> objective = check_objective("accuracy", None, 2)
    >>> choose_rule(y, p, objective, np.array([0.5, 0.5]), None).rule.offsets is None
    True
    """
    calibration = calibration_of_trainings(y, log_probabilities(p), prior)
    shift = None if test_prior is None else (prior, test_prior)
    rule = Rule(calibration, None, None, shift)
    plain = p.argmax(axis=2)
    if objective.maximise == "cost":
        decisions = _cross_fitted(y, p, objective.costs, prior, shift)
        gained = lead(y, decisions, plain, objective, of_seeds=False)
        gain = (gained.difference, gained.noise)
        if gained.difference < 0:
            return Chosen(rule, None, decisions, gain)
        return Chosen(rule._replace(costs=objective.costs), None, decisions, gain)
    ready = p if shift is None else np.stack([rule.probabilities(own) for own in p])
    log_prior = np.log(prior if test_prior is None else test_prior)
    logits = log_probabilities(ready)
    choice, by_offsets = offsets_of_trainings(y, logits, objective, log_prior)
    # Offsets that are chosen by few samples add more noise than they say of a method.
    compared = plain if shift is None else by_offsets
    if choice.kind != "none" or shift is not None:
        rule = rule._replace(offsets=choice.offsets)
    return Chosen(rule, choice, compared, (choice.gain, choice.noise))


def _cross_fitted(y, p, costs, prior, shift):
    """Bayes' decisions by a calibration that was chosen without the sample."""
    decisions = p.argmax(axis=2)
    (fold,) = stratified_folds(y, repeats=1)
    for held_out in np.unique(fold):
        away = fold == held_out
        found = AS_THEY_ARE
        if not away.all():
            logits = log_probabilities(p[:, ~away])
            found = calibration_of_trainings(y[~away], logits, prior)
        rule = Rule(found, None, costs, shift)
        decisions[:, away] = [rule.decide(own) for own in p[:, away]]
    return decisions
