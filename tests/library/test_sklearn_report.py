"""A classifier's report: of samples that fit has not seen, labels in their order."""

import re

import numpy as np
import pandas
import pytest
from sklearn.dummy import DummyClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import balanced_accuracy_score
from sklearn.svm import LinearSVC

from keras_m2m.sklearn import M2mClassifier
from keras_m2m.sklearn import reporting

RNG = np.random.default_rng(0)
# Classes in another order than they come in, and than that of their sizes.
Y = np.repeat(["zebra", "ant", "mole"], [40, 80, 20])
X = RNG.normal(size=(140, 4)) + 2 * np.eye(4)[np.unique(Y, return_inverse=True)[1]]
Y_HELD = np.repeat(["zebra", "ant", "mole"], [60, 120, 30])
X_HELD = (
    RNG.normal(size=(210, 4)) + 2 * np.eye(4)[np.unique(Y_HELD, return_inverse=True)[1]]
)


@pytest.fixture(scope="module")
def classifier():
    return M2mClassifier(method="erm", epochs=20, hidden=8, random_state=0).fit(X, Y)


@pytest.fixture(scope="module")
def logistic():
    return LogisticRegression().fit(X, Y)


def test_the_simpler_classifier_is_recommended(classifier, logistic):
    found = classifier.report(X_HELD, Y_HELD, compare={"logistic": logistic})
    assert found.advice.method == "logistic"
    assert set(found.scores) == {"logistic", "erm"}


def test_a_guess_is_not_recommended(classifier):
    guess = DummyClassifier().fit(X, Y)
    found = classifier.report(X_HELD, Y_HELD, compare={"guess": guess})
    assert found.advice.method == "erm"
    assert found.advice.is_lead_real


def test_choices_and_scores_are_of_different_samples(classifier, logistic):
    """The scores are those of the half that the mask leaves."""
    numbers = reporting.numbers_of(classifier.classes_, Y_HELD)
    test = ~reporting.rows_to_choose(numbers, 0.5)
    np.testing.assert_array_equal(np.bincount(numbers[test]), [60, 15, 30])
    found = classifier.report(X_HELD, Y_HELD, compare={"logistic": logistic})
    decided = found.advice.decide(logistic.predict_proba(X_HELD[test]))
    expected = balanced_accuracy_score(numbers[test], decided)
    assert found.scores["logistic"] == pytest.approx(expected)


def test_labels_stand_from_the_most_frequent_class_in_all_tables(classifier):
    found = classifier.report(X_HELD, Y_HELD, costs=[[0, 1, 1], [9, 0, 9], [1, 1, 0]])
    header = re.findall(r'<th scope="col">(ant|mole|zebra)</th>', found.html)
    assert header == ["ant", "zebra", "mole"] * (len(header) // 3)
    assert header


def test_classes_that_another_classifier_lacks_have_no_probability(classifier):
    two = LogisticRegression().fit(X[Y != "mole"], Y[Y != "mole"])
    p = reporting.probabilities_of("two", two, X_HELD, classifier.classes_)
    assert not p[:, 1].any()
    np.testing.assert_allclose(p[:, [0, 2]], two.predict_proba(X_HELD))


@pytest.mark.parametrize("samples", ["frame", "images"])
def test_mistakes_show_their_samples(samples):
    if samples == "frame":
        held = pandas.DataFrame(X_HELD, columns=["height", "b", "c", "d"])
        shown = reporting.sample_shown(held, np.array([5]))(0)
        assert shown["height"] == f"{X_HELD[5, 0]:.4g}"
    else:
        shown = reporting.sample_shown(np.zeros((3, 4, 4, 1)), np.array([2]))(0)
        assert shown.startswith(b"\x89PNG")


def test_of_wide_samples_a_few_values_are_shown():
    shown = reporting.sample_shown(np.zeros((1, 50)), np.array([0]))(0)
    assert len(shown) == 13
    assert shown["…"] == "more values"


@pytest.mark.parametrize(
    "options, message",
    [
        ({"y": np.repeat("dog", 210)}, "must be of the classes that were fitted"),
        ({"y": Y_HELD[:9]}, "equally many"),
        ({"compare": [1]}, "must be a dictionary from names"),
        ({"compare": {"svc": LinearSVC().fit(X, Y)}}, "A report needs probabilities"),
        ({"compare": {"erm": None}}, "is the name of this classifier"),
        (
            {"compare": {"other": DummyClassifier().fit(X, np.repeat("dog", 140))}},
            "must be of the same classes",
        ),
        ({"choose": 0}, "`choose`"),
        ({"maximise": "auc"}, "`maximise` must be one of"),
        ({"costs": [[0, 1], [1, 0]]}, "`costs` must be numbers of shape"),
    ],
)
def test_what_makes_no_report_is_refused(classifier, options, message):
    given = {"X": X_HELD, "y": Y_HELD}
    with pytest.raises(ValueError, match=message):
        classifier.report(**(given | options))


def test_fit_comes_first():
    with pytest.raises(ValueError, match="not fitted"):
        M2mClassifier().report(X_HELD, Y_HELD)
