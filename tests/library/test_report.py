"""What a report advises, on predictions whose truth is known as they are made."""

import re

import numpy as np
import pytest
from sklearn.metrics import balanced_accuracy_score

from helpers import decisions_oracle
from keras_m2m.decisions.objective import check_objective
from keras_m2m.report import Held
from keras_m2m.report import interval
from keras_m2m.report import report

pytestmark = pytest.mark.no_backend
SHARES = [0.6, 0.3, 0.1]
NAMES = ["many", "some", "few"]
COUNTS = [600, 300, 100]


def held(name, strength, seed=0, n=600, kind="network", draws=0, **more):
    """A training of a method that is as good as `strength`."""
    parts = [
        decisions_oracle.made(n, SHARES, strength, seed=100 * draws + 10 * seed + k)
        for k in (0, 1)
    ]
    (y_val, p_val), (y_test, p_test) = parts
    return Held(name, y_val, p_val, y_test, p_test, seed, kind, **more)


def logistic(strength=2.5):
    return held("logistic", strength, kind="reference", draws=1)


def asked(*methods, **options):
    return report(methods, NAMES, COUNTS, **options)


def said(found, part):
    return any(part in sentence for sentence in found.advice.sentences)


def test_the_simplest_is_enough_where_none_scores_higher():
    found = asked(held("m2m", 1.5), logistic())
    assert found.advice.method == "logistic" == found.advice.simplest
    assert found.advice.enough == "logistic"
    assert not found.advice.is_lead_real
    assert said(found, "logistic is enough")


def test_of_equals_the_simplest_is_taken():
    simple = logistic()
    found = asked(simple._replace(name="m2m", kind="network"), simple)
    assert found.advice.method == "logistic"


def test_a_lead_within_noise_is_taken_and_said_to_be_within_noise():
    best = held("m2m", 2.9)
    found = asked(best, logistic())
    lead = found.validation["m2m"] - found.validation["logistic"]
    assert 0 < lead < found.advice.lead.noise
    assert found.advice.method == "m2m"
    assert found.advice.enough == "logistic"
    assert not found.advice.is_lead_real
    assert said(found, "Its lead over logistic, which is simpler, is within noise")
    assert said(found, "logistic may be enough")


def test_a_method_that_is_better_by_far_is_recommended():
    found = asked(held("m2m", 4), logistic())
    assert found.advice.method == "m2m"
    assert found.advice.is_lead_real
    assert found.advice.lead.difference > found.advice.lead.noise
    assert not found.advice.is_contradicted
    assert said(found, "confirms its lead over logistic")


def test_the_simplest_of_those_within_noise_is_named():
    boosted = held("boosted", 4, kind="reference", draws=2)
    found = asked(held("m2m", 4.1), boosted, logistic(2)._replace(seconds=0.1))
    assert found.advice.method == "m2m"
    assert found.advice.enough == "boosted"
    assert found.advice.simplest == "logistic"
    assert said(found, "Its lead over logistic, the simplest method, is more than")
    assert said(found, "Its lead over boosted, which is simpler, is within noise")


def test_methods_are_compared_as_they_are_and_for_another_prior_by_their_rules():
    methods = [held("m2m", 3), logistic()]
    own = methods[0]
    plain = balanced_accuracy_score(own.y_val, own.p_val.argmax(axis=1))
    assert asked(*methods).validation["m2m"] == pytest.approx(plain)
    shifted = asked(*methods, test_prior=[0.2, 0.2, 0.6]).validation["m2m"]
    assert shifted != pytest.approx(plain)


@pytest.mark.parametrize("seconds", [(1.0, 2.0), (1.0, None)])
def test_of_one_kind_the_faster_is_the_simpler(seconds):
    fast, slow = seconds
    methods = [
        held("slow", 2.5, draws=1, seconds=slow),
        held("fast", 2.5, draws=2, seconds=fast),
    ]
    assert asked(*methods).advice.simplest == "fast"


def test_nothing_is_chosen_by_the_test():
    """Labels of the test change scores and words about them, and no choice."""
    methods = [held("m2m", 3), logistic()]
    rng = np.random.default_rng(0)
    other = rng.permutation(methods[0].y_test)
    mixed = [one._replace(y_test=other) for one in methods]
    one, two = asked(*methods).advice, asked(*mixed).advice
    assert one.method == two.method
    assert one.lead == two.lead
    np.testing.assert_array_equal(one.offsets, two.offsets)
    assert one.temperature == two.temperature


def test_a_test_that_speaks_for_another_method_contradicts():
    good, bad = held("m2m", 4), logistic(2)
    # On validation the two are the other way round.
    good = good._replace(p_val=bad.p_val)
    bad = bad._replace(p_val=held("m2m", 4).p_val)
    found = asked(good, bad)
    assert found.advice.method == "logistic"
    assert found.advice.is_contradicted
    assert said(found, "The test set contradicts this choice: m2m")


def test_a_method_that_is_better_on_the_test_within_noise_is_said_to_be():
    best = held("m2m", 2.9)
    found = asked(best._replace(p_val=logistic(2).p_val), logistic())
    assert found.advice.method == "logistic"
    assert found.scores["m2m"] > found.scores["logistic"]
    assert not found.advice.is_contradicted
    assert said(found, "m2m scores higher on the test set, by")
    assert not said(found, "No method scores higher")


def test_it_says_where_to_decide_the_same_each_time_is_no_worse():
    costs = [[0, 1, 1], [1, 0, 1], [500, 500, 0]]  # Not to miss the rare class.
    guess = logistic(0.2)
    found = asked(guess, costs=costs)
    always = np.asarray(costs)[guess.y_test, 2].mean()
    assert -found.scores["logistic"] >= always
    assert said(found, "Beware: always to decide for few")
    assert said(found, f"{1000 * always:,.4g} on the test set")
    assert not said(asked(logistic(4)), "Beware")


def test_for_another_prior_the_likeliest_is_that_of_the_shifted_probabilities():
    asked_for = [0.1, 0.1, 0.8]
    found = asked(logistic(), test_prior=asked_for)
    decided = found.advice.decide(logistic().p_test)
    shifted = found.advice.probabilities(logistic().p_test)
    assert not np.any(found.advice.offsets)
    np.testing.assert_array_equal(decided, shifted.argmax(axis=1))
    assert (decided != logistic().p_test.argmax(axis=1)).any()
    assert said(found, "likeliest class of the shifted probabilities")


def test_a_lead_that_the_test_does_not_show_is_not_confirmed():
    m2m, simple = held("m2m", 4), logistic()
    found = asked(m2m._replace(p_test=simple.p_test), simple)
    assert found.advice.method == "m2m"
    assert said(found, "does not confirm its lead")


def test_scores_of_the_test_are_those_of_the_advice():
    m2m = held("m2m", 4)
    found = asked(m2m, logistic())
    expected = balanced_accuracy_score(m2m.y_test, found.advice.decide(m2m.p_test))
    assert found.scores["m2m"] == pytest.approx(expected)


def test_scores_are_means_over_seeds():
    trainings = [held("m2m", 3 + seed, seed, draws=3) for seed in range(3)]
    trainings = [one._replace(y_test=trainings[0].y_test) for one in trainings]
    found = asked(*trainings, maximise="accuracy")
    scores = [
        (found.advice.decide(one.p_test) == one.y_test).mean() for one in trainings
    ]
    assert found.scores["m2m"] == pytest.approx(np.mean(scores))
    assert not said(found, "trained once")


def test_one_training_of_a_network_is_said_to_be_one():
    assert said(asked(held("m2m", 3), logistic()), "Networks were trained once")
    assert not said(asked(logistic()), "Networks were trained once")


def test_costs_decide_for_the_cheapest():
    y, p = decisions_oracle.calibrated(2000, [0.6, 0.3, 0.1])
    one = Held("logistic", y, p, y, p, kind="reference")
    costs = [[0, 1, 1], [5, 0, 5], [30, 20, 0]]
    found = asked(one, costs=costs)
    decided = found.advice.decide(p)
    np.testing.assert_array_equal(decided, decisions_oracle.cheapest(p, costs))
    expected = np.asarray(costs)[y, decided].mean()
    assert found.scores["logistic"] == pytest.approx(-expected)
    assert said(found, "least expected cost")
    assert said(found, "On the test set it costs")
    assert "Cost of 1,000 samples" in found.html


def test_where_costs_decide_worse_probabilities_are_shifted_all_the_same():
    costs = [[0, 1.5, 1.5], [1, 0, 1], [1, 1, 0]]
    one = held("m2m", 2.5, seed=1, n=200)
    found = asked(one, costs=costs, test_prior=[1, 1, 1])
    p = one.p_test
    assert said(found, "before probabilities are shifted: by the costs")
    np.testing.assert_array_equal(found.advice.decide(p), p.argmax(axis=1))
    rule = found.advice.rule
    weighed = rule.calibration(p) / COUNTS
    weighed /= weighed.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(found.advice.probabilities(p), weighed)


def test_another_prior_shifts_probabilities_and_decisions():
    y, p = decisions_oracle.calibrated(2000, [0.6, 0.3, 0.1])
    counts = np.bincount(y)
    one = Held("logistic", y, p, y, p, kind="reference")
    found = report([one], NAMES, counts, maximise="accuracy", test_prior=[1, 1, 1])
    weighed = p / counts
    weighed /= weighed.sum(1, keepdims=True)
    np.testing.assert_allclose(found.advice.probabilities(p), weighed)
    np.testing.assert_array_equal(found.advice.decide(p), weighed.argmax(1))
    # Accuracy where all classes are equally frequent.
    expected = balanced_accuracy_score(y, weighed.argmax(1))
    assert found.scores["logistic"] == pytest.approx(expected)
    assert said(found, "for the class frequencies that were asked for")
    by_name = report([one], NAMES, counts, test_prior={"few": 1, "some": 2, "many": 7})
    shares = np.array([0.7, 0.2, 0.1]) / counts * p
    shares /= shares.sum(1, keepdims=True)
    np.testing.assert_allclose(by_name.advice.probabilities(p), shares)


@pytest.mark.parametrize(
    ("test_prior", "message"),
    [
        ({"few": 1, "some": 2}, r"each of the classes \['many', .*test_prior=\{'few"),
        ({0: 0.5, 5: 0.5, 1: 0.1}, "keys of `test_prior` must be the classes 0..2"),
    ],
)
def test_a_prior_of_other_classes_is_refused(test_prior, message):
    with pytest.raises(ValueError, match=message):
        asked(logistic(), test_prior=test_prior)


def test_the_best_by_costs_is_said_to_cost_least():
    costs = [[0, 1, 1], [5, 0, 5], [30, 20, 0]]
    found = asked(held("m2m", 4.0), logistic(), costs=costs)
    assert said(found, "Use m2m, which costs least (cost of 1,000 samples")
    assert said(found, "No method costs less on the test set") or said(
        found, "The test set confirms"
    )


def test_without_validation_nothing_is_chosen():
    methods = [
        one._replace(y_val=None, p_val=None) for one in (held("m2m", 4), logistic())
    ]
    found = asked(*methods)
    assert found.advice.method is None
    assert said(found, "nothing may be chosen on the test set")
    expected = balanced_accuracy_score(methods[0].y_test, methods[0].p_test.argmax(1))
    assert found.scores["m2m"] == pytest.approx(expected)


def test_a_method_without_validation_is_shown_and_not_chosen():
    found = asked(held("m2m", 5)._replace(y_val=None, p_val=None), logistic())
    assert found.advice.method == "logistic"
    assert np.isnan(found.validation["m2m"])
    assert found.advice.is_contradicted


def test_few_samples_of_a_class_are_said_to_be_few():
    y, p = decisions_oracle.made(30, [0.6, 0.3, 0.1])
    found = asked(Held("logistic", y, p, y, p, kind="reference"))
    assert said(found, "Few validation samples: 3 of few")
    assert "3 of 3" in found.html or "of 3</td>" in found.html
    assert "too few to say" in found.html


@pytest.mark.parametrize("y", [[0, 0, 0, 0], [0], [0, 1, 2], [2, 0, 2, 0, 1]])
def test_hardly_any_samples_make_a_report_too(y):
    y = np.array(y)
    p = np.full((len(y), 3), [0.5, 0.3, 0.2])
    p[0] = [0, 0, 1]
    methods = [Held(name, y, p, y, p) for name in ("one", "other")]
    assert asked(*methods).advice.method == "one"


@pytest.mark.parametrize("classes", [2, 100])
def test_two_and_a_hundred_classes_make_a_report(classes):
    shares = np.full(classes, 1 / classes)
    y, p = decisions_oracle.made(4 * classes, shares, 4)
    names = [f"class {k}" for k in range(classes)]
    found = report([Held("m2m", y, p, y, p)], names, np.full(classes, 10))
    assert "class 1</th>" in found.html


@pytest.mark.parametrize(
    "change, message",
    [
        ({"y_test": [0, 1]}, "m2m, seed 0, test: .*equally many"),
        ({"p_val": np.full((600, 3), np.nan)}, "m2m, seed 0, validation: .*finite"),
        ({"p_test": np.full((600, 2), 0.5)}, "m2m, seed 0, test: Labels must lie in"),
        ({"y_val": None}, "Give both `y_val` and `p_val`"),
        ({"name": " "}, "A method must have a name"),
        ({"kind": "tree"}, "`kind` must be one of reference, network"),
        ({"seconds": -1}, "`seconds` must be a number of at least 0"),
        ({"seconds": "a minute"}, "`seconds` must be a number of at least 0"),
        ({"y_val": np.zeros(600, int)}, "`y_val` must be the same for all"),
        ({"name": "logistic"}, "must have different seeds, one kind"),
    ],
)
def test_predictions_that_do_not_fit_are_refused(change, message):
    with pytest.raises(ValueError, match=message):
        asked(logistic(), held("m2m", 3)._replace(**change))


@pytest.mark.parametrize(
    "options, message",
    [
        ({"class_names": ["one"]}, "a name for each of 3 class counts"),
        ({"class_counts": [1, 2, 0]}, "positive integers"),
        ({"class_counts": [5, 5]}, "`class_names` must have a name for each of 2"),
        ({"held": []}, "one training or more"),
        ({"maximise": "auc"}, "`maximise` must be one of"),
        ({"costs": [[0, 1]]}, "`costs` must be numbers of shape"),
        ({"test_prior": [0, 1, 1]}, "`test_prior` must be positive"),
        ({"samples": lambda row: 3}, "`samples` must return a dictionary"),
        ({"samples": 3}, "`samples` must be a function, or None"),
        ({"first": "use"}, "`first` must be a function, or None"),
        ({"first": lambda advice: 3}, "sections must be a sequence of"),
        ({"parts": ["more"]}, "sections must be a sequence of"),
        ({"held": 3}, "`held` must be a sequence of Held"),
        ({"held": ["m2m"]}, "`held` must be a sequence of Held"),
        ({"class_names": None}, "a name for each of 3 class counts"),
        ({"learning_curve": {"half": [1, 1, 1]}}, "`learning_curve` must map shares"),
        ({"learning_curve": {2: [1, 1, 1]}}, "`learning_curve` must map shares in"),
        ({"learning_curve": {}}, "`learning_curve` must map shares of"),
    ],
)
def test_what_does_not_fit_the_classes_is_refused(options, message):
    given = {"held": [logistic()], "class_names": NAMES, "class_counts": COUNTS}
    with pytest.raises(ValueError, match=message):
        report(**(given | options))


def test_intervals_of_scores_hold_the_truth():
    """Of 200 tests of a classifier with recalls 0.9, 0.7 and 0.5, about 95 %."""
    rng, recall = np.random.default_rng(0), np.array([0.9, 0.7, 0.5])
    objective = check_objective("balanced_accuracy", None, 3)
    y = np.repeat([0, 1, 2], [60, 30, 10])
    inside = 0
    for _ in range(200):
        right = rng.random(len(y)) < recall[y]
        predicted = np.where(right, y, (y + 1) % 3)[None]
        low, high = interval.of_score(y, predicted, objective)
        inside += low <= recall.mean() <= high
    assert 0.9 <= inside / 200 <= 0.99


def test_a_class_of_one_sample_leaves_its_interval_wide():
    y = np.repeat([0, 1], [500, 1])
    objective = check_objective("balanced_accuracy", None, 2)
    low, high = interval.of_score(y, y[None], objective)
    assert low < 0.9
    assert high == 1


def test_an_area_of_1_is_not_certain():
    low, high = interval.of_average_precision(1.0, 40)
    assert 0.8 < low < 0.9
    assert high == 1
    low, high = interval.of_roc_area(1.0, 40, 400)
    assert 0.9 < low < 1
    assert high == 1


def test_what_costs_nothing_is_no_cost_of_minus_0():
    y = np.repeat([0, 1], 20)
    one = Held("logistic", y, np.eye(2)[y], y, np.eye(2)[y])
    found = report([one], ["a", "b"], [20, 20], costs=[[0, 1], [5, 0]])
    assert said(found, "cost of 1,000 samples 0 on validation")
    assert "-0" not in re.sub(r"data:[^\"]*", "", found.html.partition("<main>")[2])
