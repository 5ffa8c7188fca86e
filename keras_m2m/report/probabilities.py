"""Parts of the page: how far to trust probabilities, and other class frequencies."""

import numpy as np

from keras_m2m import decisions
from keras_m2m import plots
from keras_m2m.report.contents import Contents
from keras_m2m.report.contents import percent
from keras_m2m.report.parts import Grid
from keras_m2m.report.parts import Part
from keras_m2m.report.parts import drawn
from keras_m2m.report.words import FEW

_BINS = 15
_MOST_CLASSES = 30  # In a table of priors.
_MEASURES = {
    "ECE, in percent": decisions.expected_calibration_error,
    "ECE by class, in percent": decisions.classwise_calibration_error,
    "Brier score": decisions.brier_score,
    "NLL": decisions.negative_log_likelihood,
}


def of_calibration(contents: Contents) -> Part:
    """Measures of probabilities before and after they are corrected."""
    calibration, y = contents.used.rule.calibration, contents.y
    states = {"as they come": contents.p}
    if calibration.changes:
        states["corrected"] = np.stack([calibration(own) for own in contents.p])
    rows = [
        [name, *(_mean(measure, y, p, "ECE" in name) for p in states.values())]
        for name, measure in _MEASURES.items()
    ]
    caption = (
        f"Probabilities of {contents.used.name} on the test set, the lower the better"
        f"{contents.of_trainings}"
    )
    return Part(
        "probabilities",
        "How far to trust the probabilities",
        list(_on_correction(calibration)),
        [Grid(caption, ["measure", *states], rows)],
        [_picture(states, y)],
        notes=[
            *_on_frequencies(contents.question.test_prior),
            f"ECE, the expected calibration error: predictions are put into {_BINS} "
            "bins of equal width by the probability of their likeliest class; in each, "
            "the gap is that between this probability and the share that is right; "
            "ECE is the mean gap, bins weighted by their samples (Guo et al., 2017). "
            "By class: the same of each class's own probability, mean over classes. "
            "With few samples both are above 0 even for perfect probabilities. Brier "
            "score: the squared distance from what came, 0 to 2. NLL: minus the "
            "logarithm of the probability of what came.",
        ],
    )


def _picture(states, y):
    """The reliability diagram of the first training, before and after."""
    curves = {
        name: _filled(decisions.reliability(y, p[0], _BINS))
        for name, p in states.items()
    }
    gaps = ", ".join(
        f"{name} {percent(decisions.expected_calibration_error(y, p[0], _BINS))}"
        for name, p in states.items()
    )
    return drawn(
        "Reliability: below the line, predictions are surer than right",
        "Share of predictions that are right against the probability of the predicted "
        f"class, in bins of {FEW} samples or more. Mean gap to the diagonal in "
        f"percent: {gaps}.",
        plots.reliability(curves),
    )


def _filled(curve):
    """Bins of enough samples to draw; all where none has so many."""
    enough = curve.samples >= min(FEW, curve.samples.max())
    return tuple(part[enough] for part in curve)


def _on_frequencies(test_prior):
    if test_prior is not None:
        yield (
            "For the class frequencies of the test set, before probabilities are "
            "shifted to those that were asked for."
        )


def _on_correction(calibration):
    if not calibration.changes:
        yield "They are taken as they come."
        return
    said = f"Corrected: log-probabilities are divided by {calibration.temperature:.3g}"
    if calibration.prior is not None:
        said += ", and the logarithm of the frequency of each class is added"
    yield f"{said}. Both come from validation samples."


def _mean(measure, y, p, is_share):
    value = float(np.mean([measure(y, own) for own in p]))
    return percent(value) if is_share else f"{value:.3f}"


def of_priors(contents: Contents) -> Part:
    """Frequencies of the classes: trained, validated, tested, estimated, asked for."""
    size = len(contents.names)
    # Probabilities must be those of the prior that EM starts from.
    p = contents.used.rule.calibration(contents.p[0])
    estimated = decisions.prior_of_unlabelled(p, contents.question.prior)
    columns = {
        "in training": contents.question.prior,
        "in the test": contents.tested / contents.tested.sum(),
        "estimated for the test": estimated,
    }
    if contents.question.test_prior is not None:
        columns["asked for"] = contents.question.test_prior
    order = contents.order[-_MOST_CLASSES:]
    rows = [
        [contents.names[k], *(percent(column[k]) for column in columns.values())]
        for k in order
    ]
    rarest = "" if size <= _MOST_CLASSES else f" of the {_MOST_CLASSES} rarest classes"
    return Part(
        "frequencies",
        "If classes become more or less frequent",
        [
            "Probabilities and most decisions hold for the frequencies of training. "
            "Where others are known, ask for them (test_prior), and both are shifted "
            "by Bayes' rule. Where they are not, they can be estimated from samples "
            "without labels; the table shows how well that works here."
        ],
        [Grid(f"Shares in percent{rarest}", ["class", *columns], rows)],
        notes=[
            "Estimated by EM from the probabilities of test samples, without their "
            "labels (Saerens et al., 2002): keras_m2m.decisions.prior_of_unlabelled."
        ],
    )
