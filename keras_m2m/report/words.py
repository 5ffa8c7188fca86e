"""Scores, leads and advice in words."""

from collections.abc import Iterator
from collections.abc import Sequence

import numpy as np

from keras_m2m.decisions.lead import Lead
from keras_m2m.report.held import Gathered
from keras_m2m.report.judged import Choice
from keras_m2m.report.judged import Judged
from keras_m2m.report.judged import Question

NAMES = {
    "balanced_accuracy": "balanced accuracy",
    "macro_f1": "macro F1",
    "min_recall": "recall of the worst class",
    "accuracy": "accuracy",
    "cost": "cost of 1,000 samples",
}
FEW = 10  # Samples of a class, below which little can be said.


def shown(score: float, maximise: str) -> str:
    """A score as tables have it: percent, or costs of 1,000 samples.

    Example:

    >>> shown(0.8125, "accuracy"), shown(-0.5, "cost")
    ('81.2', '500')
    """
    if np.isnan(score):
        return "–"
    # Of a score of 0 no cost of -0.
    return f"{0 - 1000 * score:,.4g}" if maximise == "cost" else f"{100 * score:.1f}"


def ranged(interval: tuple[float, float], maximise: str) -> str:
    """An interval as tables have it, from the smaller number.

    Example:

    >>> ranged((0.5, 0.75), "accuracy")
    '50.0 to 75.0'
    """
    ends = [shown(end, maximise) for end in interval]
    return " to ".join(reversed(ends) if maximise == "cost" else ends)


def said(score: float, maximise: str) -> str:
    """A score as sentences have it.

    Example:

    >>> said(0.8125, "accuracy")
    '81.2 %'
    """
    return shown(score, maximise) + ("" if maximise == "cost" else " %")


def by(difference: float, noise: float, maximise: str) -> str:
    """A lead and its noise, as sentences have it.

    Example:

    >>> by(0.0312, 0.0123, "accuracy")
    '3.1 ± 1.2 points'
    """
    if maximise == "cost":
        return f"{1000 * difference:,.4g} ± {1000 * noise:,.4g} for 1,000 samples"
    return f"{100 * difference:.1f} ± {100 * noise:.1f} points"


def _verb(maximise, degree=""):
    """`"scores higher"`, say; of costs `"costs less"`, for `"higher"`."""
    words = {"": "scores", "higher": "scores higher", "highest": "scores highest"}
    if maximise == "cost":
        words = {"": "costs", "higher": "costs less", "highest": "costs least"}
    return words[degree]


def on_method(choice: Choice, number: int, maximise: str) -> Iterator[str]:
    """Which method to use, and why."""
    used, enough, simplest = choice.used, choice.enough, choice.simplest
    score = f"{NAMES[maximise]} {said(used.validation, maximise)} on validation"
    if number == 1:
        yield f"{used.name} is the only method ({score}): there is nothing to compare."
        return
    if used is simplest:
        yield (
            f"{used.name} is enough ({score}): it is the simplest method, and no other "
            f"{_verb(maximise, 'higher')}."
        )
        return
    yield f"Use {used.name}, which {_verb(maximise, 'highest')} ({score})."
    if enough is not simplest:
        yield (
            f"Its lead over {simplest.name}, the simplest method, is more than noise: "
            f"{_lead(choice.over_simplest, maximise)}."
        )
    if enough is not used:
        yield (
            f"Its lead over {enough.name}, which is simpler, is within noise: "
            f"{_lead(choice.over_enough, maximise)}. Where simple or fast counts, "
            f"{enough.name} may be enough."
        )


def on_rule(
    used: Judged, names: Sequence[str], maximise: str, is_shifted: bool
) -> Iterator[str]:
    """How to decide, and what that gains."""
    difference, noise = used.chosen.gain
    gain = by(difference, noise, maximise)
    choice = used.chosen.choice
    shifted = " of the shifted probabilities" if is_shifted else ""
    if choice is None:
        yield _on_costs(used, gain, is_shifted)
        return
    if choice.kind == "none":
        best = f" (the best of them {gain})" if difference else ""
        yield (
            f"Decide for the likeliest class{shifted}: no offsets of classes gain more "
            f"than noise on validation{best}."
        )
        return
    kind = "an offset for each class"
    if choice.kind == "tau":
        kind = f"the offset -τ log(prior) of a class, τ = {choice.tau:g}"
    yield (
        f"Before you take the likeliest class{shifted}, add to log-probabilities "
        f"{kind}: on validation this gains {gain}."
    )
    if len(names) == 2:
        threshold = 1 / (1 + np.exp(choice.offsets[1] - choice.offsets[0]))
        yield (
            f"That is to decide for {names[1]} from a probability of {threshold:.3g}."
        )


def _on_costs(used, gain, is_shifted):
    """Whether to decide by costs."""
    if used.rule.costs is not None:
        return (
            "Decide for the class of the least expected cost: on validation this "
            f"saves {gain} over the likeliest class."
        )
    likeliest = "likeliest class"
    if is_shifted:
        likeliest = "class that is likeliest before probabilities are shifted"
    return (
        f"Decide for the {likeliest}: by the costs, decisions on validation samples "
        f"were dearer ({gain})."
    )


def on_probabilities(used: Judged) -> Iterator[str]:
    """What to do before probabilities are trusted."""
    calibration = used.rule.calibration
    if not calibration.changes:
        yield (
            "Take probabilities as they are: neither a temperature nor the class "
            "frequencies make them better by more than noise on validation."
        )
        return
    sure = "less" if calibration.temperature > 1 else "more"
    yield (
        f"Where the probability itself matters, divide log-probabilities by "
        f"{calibration.temperature:.3g}, which makes them {sure} sure"
        + (
            "."
            if calibration.prior is None
            else ", then add the logarithm of each class's frequency in training: they "
            "were of balanced batches."
        )
    )


def on_prior(test_prior: np.ndarray | None) -> Iterator[str]:
    """What another prior means for all of this."""
    if test_prior is not None:
        yield (
            "Scores are for the class frequencies that were asked for, and "
            "probabilities are shifted to them: each is corrected, multiplied by the "
            "new frequency of its class over the old one, and divided by their sum."
        )


def on_test(used: Judged, maximise: str) -> Iterator[str]:
    """The score on the test, and whether validation promised it."""
    yield (
        f"On the test set it {_verb(maximise)} {said(used.test, maximise)} (95 % "
        f"interval {ranged(used.interval, maximise)}), which played no part in the "
        "choice."
    )


def on_confirmation(
    choice: Choice,
    question: Question,
    better: tuple[Judged, Lead] | None,
    over: Lead | None,
) -> Iterator[str]:
    """Whether the test agrees with what was chosen."""
    maximise = question.objective.maximise
    if better is not None and better[1].is_real:
        yield (
            f"The test set contradicts this choice: {better[0].name} is better there "
            f"by {_lead(better[1], maximise)}. Do not choose by the test set: get "
            "more validation samples, or other ones, and choose again."
        )
    elif over is not None and over.is_real:
        yield (
            f"The test set confirms its lead over {choice.simplest.name}: "
            f"{_lead(over, maximise)}."
        )
    elif over is not None:
        yield (
            f"The test set does not confirm its lead over {choice.simplest.name}: "
            f"{_lead(over, maximise)}, which is within noise."
        )
    elif better is not None:
        yield (
            f"{better[0].name} {_verb(maximise, 'higher')} on the test set, by "
            f"{_lead(better[1], maximise)}: that is within noise."
        )
    else:
        yield f"No method {_verb(maximise, 'higher')} on the test set."


def on_constant(
    constant: str, scores: tuple[float, float], used: Judged, maximise: str
) -> Iterator[str]:
    """What to decide the same each time would score, where that is no worse."""
    if scores[0] >= used.validation or scores[1] >= used.test:
        of_validation, of_test = (said(score, maximise) for score in scores)
        yield (
            f"Beware: always to decide for {constant}, without a look at the sample, "
            f"{_verb(maximise)} {of_validation} on validation and {of_test} on the "
            "test set. There are too few samples to learn from, or they say too little "
            "of the classes."
        )


def on_samples(
    data: Gathered, names: Sequence[str], trainings: int, is_network: bool
) -> Iterator[str]:
    """What weakens all of this."""
    for labels, part in ((data.y_val, "validation"), (data.y_test, "test")):
        if labels is None:
            continue
        counts = np.bincount(labels, minlength=len(names))
        few = np.flatnonzero(counts < FEW)
        if len(few):
            rarest = few[np.argmin(counts[few])]
            yield (
                f"Few {part} samples: {counts[rarest]} of {names[rarest]}; classes "
                f"with fewer than {FEW}: {len(few)}. What is said of them is hardly "
                "more than a guess."
            )
    if is_network and trainings == 1:
        yield (
            "Networks were trained once: what another seed would change is not in the "
            "noise. Three seeds or more would show it."
        )


def _lead(found, maximise):
    return by(found.difference, found.noise, maximise)
