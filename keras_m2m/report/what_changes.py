"""Part of the page: what offsets or costs change, against the likeliest class."""

import numpy as np

from keras_m2m.report import words
from keras_m2m.report.contents import Contents
from keras_m2m.report.contents import number
from keras_m2m.report.contents import percent
from keras_m2m.report.parts import Grid
from keras_m2m.report.parts import Part

_MOST_CLASSES = 12  # In a confusion matrix that can be read.


def of_decisions(contents: Contents) -> Part:
    """Confusions and costs before and after the rule."""
    plain = contents.p.argmax(axis=2)
    before, after = map(contents.confusion, (plain, contents.used.decisions))
    changed = float((plain != contents.used.decisions).mean())
    costs = contents.question.objective
    if not changed:
        sentences = ["Decisions are those for the likeliest class: nothing changes."]
        states = {"for the likeliest class": after}
    else:
        sentences = [
            f"The rule changes {percent(changed)} % of the decisions on the test set. "
            f"{_score_change(contents)}"
        ]
        states = {"for the likeliest class": before, "by the rule": after}
    grids = []
    if costs.maximise == "cost":
        grids += [_given_costs(contents), _costs(contents, states)]
    if len(contents.names) <= _MOST_CLASSES:
        grids += [_confusion(contents, *state) for state in states.items()]
    elif changed:
        grids.append(_recalls(contents, before, after))
    if contents.used.rule.offsets is not None and changed:
        grids.append(_offsets(contents))
    return Part("decisions", "What the rule changes", sentences, grids)


def _score_change(contents):
    maximise = contents.question.objective.maximise
    before = words.said(contents.used.plain, maximise)
    after = words.said(contents.used.test, maximise)
    name = words.NAMES[maximise]
    return f"{name[0].upper()}{name[1:]}: {before} before, {after} after."


def _confusion(contents, when, confusion):
    caption = (
        f"Test samples by true class (rows) and decision (columns), {when}"
        f"{contents.of_trainings}"
    )
    return _square(contents, caption, confusion, number)


def _square(contents, caption, matrix, written):
    """A table of true classes and decisions."""
    order = contents.order
    names = [contents.names[k] for k in order]
    cells = zip(names, matrix[np.ix_(order, order)])
    rows = [[name, *map(written, row)] for name, row in cells]
    return Grid(caption, ["true class", *names], rows)


def _given_costs(contents):
    """What decisions were to cost; of many classes the dearest ones."""
    costs = contents.question.objective.costs
    if len(contents.names) <= _MOST_CLASSES:
        caption = "Costs that were given, by true class (rows) and decision (columns)"
        return _square(contents, caption, costs, _cost)
    dearest = np.argsort(-costs, axis=None, kind="stable")[:_MOST_CLASSES]
    rows = [
        [contents.names[true], contents.names[decided], _cost(costs[true, decided])]
        for true, decided in zip(*np.unravel_index(dearest, costs.shape))
    ]
    caption = f"The dearest of the {costs.size:,} costs that were given"
    return Grid(caption, ["true class", "decision", "cost"], rows)


def _cost(value):
    return f"{value:,.6g}"


def _costs(contents, states):
    costs = contents.question.objective.costs
    weights = contents.weights[:, None]
    rows = []
    for when, confusion in states.items():
        total = (weights * costs * confusion).sum()
        per_thousand = 1000 * total / (weights * confusion).sum()
        rows.append([when, f"{per_thousand:,.4g}"])
    return Grid("Cost of 1,000 samples", ["decisions", "cost"], rows)


def _recalls(contents, before, after):
    tested = contents.tested
    rows = []
    for k in _most_changed(contents, before, after):
        recall = [
            percent(confusion[k, k] / tested[k]) if tested[k] else "–"
            for confusion in (before, after)
        ]
        rows.append(
            [contents.names[k], number(contents.counts[k]), number(tested[k]), *recall]
        )
    header = ["class", "trained on", "tested on", "recall before", "recall after"]
    return Grid("The classes that change most, in percent", header, rows)


def _most_changed(contents, before, after):
    change = np.abs(after.diagonal() - before.diagonal())
    most = np.argsort(-change, kind="stable")[:_MOST_CLASSES]
    return [k for k in contents.order if k in most and change[k]]


def _offsets(contents):
    offsets = contents.used.rule.offsets
    largest = np.argsort(-np.abs(offsets), kind="stable")[: 2 * _MOST_CLASSES]
    rows = [
        [contents.names[k], f"{offsets[k]:+.3f}", f"{np.exp(offsets[k]):.3g}"]
        for k in contents.order
        if k in largest
    ]
    header = ["class", "offset", "factor of its probability"]
    return Grid("Offsets of log-probabilities", header, rows)
