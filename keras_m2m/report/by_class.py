"""Parts of the page: what becomes of each class."""

import numbers
from collections.abc import Mapping
from typing import Any

import numpy as np
from sklearn.metrics import average_precision_score
from sklearn.metrics import precision_recall_curve
from sklearn.metrics import roc_auc_score

from keras_m2m import plots
from keras_m2m.checks import as_array
from keras_m2m.report import interval
from keras_m2m.report.contents import Contents
from keras_m2m.report.contents import number
from keras_m2m.report.contents import percent
from keras_m2m.report.parts import Grid
from keras_m2m.report.parts import Part
from keras_m2m.report.parts import drawn
from keras_m2m.report.words import FEW

_FEW_FOR_AREAS = 100  # Test samples of a class, below which areas have intervals.
_MOST_CURVES = 4
_HEADER = (
    "class",
    "trained on",
    "tested on",
    "recall",
    "precision",
    "F1",
    "PR-AUC",
    "ROC-AUC",
)


def of_classes(contents: Contents) -> Part:
    """The table of classes, and precision against recall of the rarest."""
    confusion = contents.confusion(contents.used.decisions)
    # As frequent as was asked for, which changes what is right of a prediction.
    weighted = contents.weights[:, None] * confusion
    p = np.stack([contents.used.rule.probabilities(own) for own in contents.p])
    order = contents.order
    rows = [_row(contents, confusion, weighted, p, k) for k in order]
    caption = (
        f"{contents.used.name} on the test set, in percent with 95 % intervals, from "
        f"the most frequent class{contents.of_trainings}"
    )
    shown = [k for k in order[::-1] if contents.tested[k] >= FEW]
    notes = [
        "Recall: the share of the class that is found. Precision: the share that is "
        "right of what is taken for the class. F1: their harmonic mean. PR-AUC: the "
        "mean precision over all recalls that a threshold can have; a guess reaches "
        "the share of the class. ROC-AUC: how often a sample of the class has a higher "
        "probability of it than another; a guess reaches 50."
    ]
    if (contents.tested < FEW).any():
        notes.append(f"Too few to say: a class with fewer than {FEW} test samples.")
    return Part(
        "classes",
        "Class by class",
        grids=[Grid(caption, _HEADER, rows)],
        figures=[_curves(contents, p[0], shown[:_MOST_CURVES])] if shown else [],
        notes=notes,
    )


def _row(contents, confusion, weighted, p, k):
    tested, hits = contents.tested[k], confusion[k, k]
    predicted = confusion[:, k].sum()
    name = [
        contents.names[k],
        number(contents.counts[k]),
        number(tested),
    ]
    if tested < FEW:
        found = f"{number(hits)} of {tested}" if tested else "–"
        return [*name, found, "too few to say", "–", "–", "–"]
    recall = hits / tested
    of_class, taken = weighted[k].sum(), weighted[:, k].sum()
    precision = weighted[k, k] / taken if predicted else np.nan
    f1 = 2 * weighted[k, k] / (of_class + taken)
    shares = [_with_interval(recall, interval.of_share(recall, tested))]
    if predicted:
        of_precision = interval.of_share(precision, predicted)
        shares.append(_with_interval(precision, of_precision))
    else:
        shares.append("– (never predicted)")
    return [*name, *shares, percent(f1), *_areas(contents, p, k)]


def _areas(contents, p, k):
    members = contents.y == k
    positives, negatives = int(members.sum()), int((~members).sum())
    if not negatives:
        return ["–", "–"]
    weights = contents.weights[contents.y]
    precise = float(
        np.mean(
            [
                average_precision_score(members, own[:, k], sample_weight=weights)
                for own in p
            ]
        )
    )
    roc = float(np.mean([roc_auc_score(members, own[:, k]) for own in p]))
    if positives >= _FEW_FOR_AREAS:
        return [percent(precise), percent(roc)]
    return [
        _with_interval(precise, interval.of_average_precision(precise, positives)),
        _with_interval(roc, interval.of_roc_area(roc, positives, negatives)),
    ]


def _with_interval(value, ends):
    low, high = ends
    return f"{percent(value)} ({100 * low:.0f}–{100 * high:.0f})"


def _curves(contents, p, classes):
    curves, said = {}, []
    for k in classes:
        members = contents.y == k
        weighted = {"sample_weight": contents.weights[contents.y]}
        precision, recall, _ = precision_recall_curve(members, p[:, k], **weighted)
        name = contents.names[k]
        curves[f"{name} ({contents.counts[k]:,})"] = (precision, recall)
        area = average_precision_score(members, p[:, k], **weighted)
        said.append(f"{name} {percent(area)}")
    first = " of the first training" if contents.used.method.trainings > 1 else ""
    return drawn(
        "Precision against recall of the rarest classes that can be judged, by their "
        f"training samples{first}",
        "Precision against recall on the test set, a line for each class. Areas below "
        f"the lines in percent: {', '.join(said)}.",
        plots.precision_recall(curves),
    )


def of_learning(contents: Contents, learning_curve: Mapping[float, Any]) -> Part:
    """Recall by class with fewer training samples.

    Raises:
        ValueError: If a share is not in (0, 1], or a list of recalls of another length.
    """
    curve = _checked_curve(learning_curve, len(contents.names))
    header = ["class", "trained on", *(f"with {percent(share)} %" for share in curve)]
    rows = [
        [
            contents.names[k],
            number(contents.counts[k]),
            *(percent(recall[k]) for recall in curve.values()),
        ]
        for k in contents.order
    ]
    sentences = []
    if len(curve) > 1:
        *_, before, last = curve.values()
        gain = last - before
        if not np.isnan(gain).all():
            k = int(np.nanargmax(gain))
            noise = interval.noise_of_gain(before[k], last[k], contents.tested[k])
            sentences.append(
                f"The last step gained most for {contents.names[k]}: "
                f"{100 * gain[k]:.1f} ± {100 * noise:.1f} points of recall."
            )
            sentences.append(
                "More samples of a class help where recall still rises; another step "
                "like this one seldom gains more."
                if gain[k] > noise
                else "That is within noise: more samples are not sure to help."
            )
    caption = "Recall in percent, by the share of the training samples"
    return Part(
        "learning",
        "Would more samples help?",
        sentences,
        grids=[Grid(caption, header, rows)],
    )


def _checked_curve(curve, size):
    is_curve = isinstance(curve, Mapping) and curve
    if not is_curve or not all(isinstance(share, numbers.Real) for share in curve):
        raise ValueError(
            "`learning_curve` must map shares of the training samples to recalls. "
            f"Received: learning_curve={curve!r}"
        )
    found = {}
    for share, recall in sorted(curve.items()):
        recall = as_array(learning_curve=recall)
        if not 0 < share <= 1 or recall.shape != (size,):
            raise ValueError(
                "`learning_curve` must map shares in (0, 1] to a recall for each of "
                f"{size} classes. Received: {share!r} with shape {recall.shape}"
            )
        found[share] = recall.astype("float64")
    return found
