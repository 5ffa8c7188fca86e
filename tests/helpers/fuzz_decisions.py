"""Decisions and reports: what they take, and what must be true of the result."""

import numpy as np
from hypothesis import strategies as st

from helpers import fuzz_values as values
from helpers.fuzz_values import Call
from helpers.fuzz_values import K
from helpers.fuzz_values import N
from keras_m2m import decisions
from keras_m2m import report

METRICS = values.texts("balanced_accuracy", "macro_f1", "min_recall", "accuracy")


def _shares(drawn):
    return drawn / drawn.sum(axis=1, keepdims=True)


def _check_probabilities(result, p, **_):
    assert result.shape == (len(np.asarray(p)), K)
    assert (result >= 0).all()
    np.testing.assert_allclose(result.sum(axis=1), 1)


def _check_classes(result, p, **_):
    assert result.shape == (len(np.asarray(p)),)
    assert set(result.tolist()) <= {*range(K)}


def _check_prior(result, **_):
    assert (result > 0).all()
    assert abs(result.sum() - 1) < 1e-6


def _between(low, high):
    def check(result, **_):
        assert low <= result <= high

    return check


def _check_offsets(result, **_):
    assert result.offsets.shape == (K,)
    assert np.isfinite(result.offsets).all()
    assert result.kind in ("none", "tau", "per class")


def _check_calibration(result, **_):
    assert 0 < result.temperature < np.inf


def _check_curve(result, p, **_):
    assert result.samples.sum() == len(np.asarray(p))
    assert all(((part >= 0) & (part <= 1)).all() for part in result[:2])


P = values.rows(0.01, 1, N, K).map(_shares)
COSTS = values.arrays(values.rows(0, 9, K, K))
LABELLED = {"y": values.labels(), "p": values.arrays(P)}
VALIDATION = {"y_val": values.labels(), "p_val": values.arrays(P)}
PRIOR = values.class_counts()
BINS = {**LABELLED, "bins": values.whole(1, 20)}
DECISIONS = {
    "best_temperature": (LABELLED, _between(0, np.inf)),
    "brier_score": (LABELLED, _between(0, 2)),
    "choose_calibration": (
        {**VALIDATION, "prior": st.none() | PRIOR},
        _check_calibration,
    ),
    "class_offsets": (
        {
            **VALIDATION,
            "maximise": METRICS,
            "costs": st.none() | COSTS,
            "prior": st.none() | PRIOR,
        },
        _check_offsets,
    ),
    "classwise_calibration_error": (BINS, _between(0, 1)),
    "decide": (
        {
            "p": values.arrays(P),
            "offsets": st.none() | values.arrays(values.rows(-2, 2, K)),
            "costs": st.none() | COSTS,
        },
        _check_classes,
    ),
    "expected_calibration_error": (BINS, _between(0, 1)),
    "negative_log_likelihood": (LABELLED, _between(0, 40)),
    "prior_of_unlabelled": ({"p": values.arrays(P), "prior": PRIOR}, _check_prior),
    "prior_replaced": (
        {"p": values.arrays(P), "prior": PRIOR, "test_prior": PRIOR},
        _check_probabilities,
    ),
    "reliability": (BINS, _check_curve),
    "with_temperature": (
        {"p": values.arrays(P), "temperature": values.real(0.1, 10)},
        _check_probabilities,
    ),
}


def _rule(p, **config):
    rule = decisions.Rule.from_config(config, K)
    return rule.probabilities(p), rule.decide(p), rule.margins(p)


def _check_rule(result, p, **_):
    probabilities, classes, margins = result
    _check_probabilities(probabilities, p)
    _check_classes(classes, p)
    assert (margins >= 0).all()


LISTS = st.lists(st.floats(0.01, 1), min_size=K, max_size=K)
RULE = {
    "p": values.arrays(P),
    "temperature": values.real(0.1, 10),
    "times_prior": st.none() | LISTS,
    "prior": st.none() | LISTS,
    "test_prior": st.none() | LISTS,
    "offsets": st.none() | LISTS,
    "costs": st.none() | COSTS.map(lambda costs: np.asarray(costs).tolist()),
}


@st.composite
def _held(draw):
    """Trainings of the same samples; now and then one that is none."""
    y, p = draw(values.labels()), draw(values.arrays(P))
    seconds = draw(st.none() | values.real(0, 9) | values.NONSENSE)
    kind = draw(values.texts("network", "network", "reference", "tree", None))
    names = draw(st.sampled_from([["erm"], ["erm", "m2m"], ["<b>", "é"], [3]]))
    return [report.Held(name, y, p, y, p, 0, kind, seconds) for name in names]


def _check_report(result, held, **_):
    names = {own.name for own in held}
    assert {*result.scores} == names
    assert result.advice.method in names
    assert "<h1>" in result.html


REPORT = {
    "held": _held(),
    "class_names": st.sampled_from([["a", "b", "c"], [0, 1, 2], ["$", "<i>", "é"]]),
    "class_counts": PRIOR,
    "maximise": METRICS,
    "costs": st.none() | COSTS,
    "test_prior": st.none() | PRIOR,
    "learning_curve": st.none() | st.just({0.5: [0.1, 0.2, 0.3], 1.0: [0.2, 0.2, 0.4]}),
    "parts": st.just([]),
    "title": values.texts("Report", "<b>"),
}
CALLS = {
    **{
        f"decisions.{name}": Call(getattr(decisions, name), arguments, check)
        for name, (arguments, check) in DECISIONS.items()
    },
    "decisions.Rule": Call(_rule, RULE, _check_rule),
    "report.report": Call(report.report, REPORT, _check_report),
}
