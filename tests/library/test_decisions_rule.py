"""A rule decides elsewhere, and after a file, as it did where it was chosen."""

import json

import numpy as np
import pytest

from helpers import decisions_oracle
from keras_m2m.decisions import Calibration
from keras_m2m.decisions import Rule

pytestmark = pytest.mark.no_backend
PRIOR = np.array([0.7, 0.2, 0.1])
EVEN = np.full(3, 1 / 3)
COSTS = np.array([[0, 1, 1], [5, 0, 5], [30, 20, 0.0]])
OFFSETS = np.array([0, 1 / 3, 0.7])
PLAIN = Calibration(1.0, None)
RULES = {
    "likeliest": Rule(PLAIN, None, None, None),
    "offsets": Rule(Calibration(1.7, PRIOR), OFFSETS, None, None),
    "costs": Rule(Calibration(0.6, None), None, COSTS, None),
    "another prior": Rule(Calibration(1.1, None), OFFSETS, None, (PRIOR, EVEN)),
}


def drawn():
    return decisions_oracle.made(200, PRIOR, strength=1)[1]


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES.keys())
def test_a_rule_goes_through_json_to_the_bit(rule):
    config = json.loads(json.dumps(rule.get_config()))
    again, p = Rule.from_config(config, 3), drawn()
    np.testing.assert_array_equal(again.probabilities(p), rule.probabilities(p))
    np.testing.assert_array_equal(again.decide(p), rule.decide(p))
    np.testing.assert_array_equal(again.margins(p), rule.margins(p))


def test_decisions_are_those_of_the_formulas():
    p = drawn()
    tempered = p ** (1 / 1.1)
    shifted = tempered / tempered.sum(1, keepdims=True) * EVEN / PRIOR
    shifted /= shifted.sum(1, keepdims=True)
    rule = RULES["another prior"]
    np.testing.assert_allclose(rule.probabilities(p), shifted)
    decided = (np.log(shifted) + OFFSETS).argmax(1)
    np.testing.assert_array_equal(rule.decide(p), decided)
    # Offsets were chosen with probabilities as they come, where the prior stays.
    np.testing.assert_array_equal(
        RULES["offsets"].decide(p), (np.log(p) + OFFSETS).argmax(1)
    )
    rule = RULES["costs"]
    cheapest = decisions_oracle.cheapest(rule.probabilities(p), COSTS)
    np.testing.assert_array_equal(rule.decide(p), cheapest)


def test_margins_are_what_the_next_best_decision_is_behind():
    p = np.array([[0.5, 0.3, 0.2]])
    assert RULES["likeliest"].margins(p) == pytest.approx([0.2])
    weighed = np.array([0.5, 0.3 * np.exp(1 / 3), 0.2 * np.exp(0.7)])
    weighed = np.sort(weighed / weighed.sum())
    assert RULES["offsets"].margins(p) == pytest.approx([weighed[2] - weighed[1]])
    by_cost = Rule(PLAIN, None, COSTS, None)
    expected = np.sort(p[0] @ COSTS)
    assert by_cost.margins(p) == pytest.approx([expected[1] - expected[0]])


@pytest.mark.parametrize(
    "change, message",
    [
        ({"temperature": 0}, "`temperature` must be a finite positive number"),
        ({"temperature": None}, "`temperature` must be"),
        ({"offsets": [0, 1]}, "`offsets` must be a number for each of 3"),
        ({"offsets": "no"}, "`offsets` must be a number for each of 3"),
        ({"costs": [[0, 1], [1, 0]]}, "`costs` must be numbers of shape"),
        ({"offsets": [0, 1, 2], "costs": COSTS.tolist()}, "not both"),
        ({"prior": [1, 1, 1]}, "both `prior` and `test_prior`"),
        ({"times_prior": [1, 1, 0]}, "`times_prior` must be positive"),
        ({"prior": [1, 1], "test_prior": [1, 1]}, "`prior` must have a number"),
    ],
)
def test_what_is_no_rule_is_refused(change, message):
    with pytest.raises(ValueError, match=message):
        Rule.from_config({**RULES["likeliest"].get_config(), **change}, 3)


@pytest.mark.parametrize("config", [None, [], "rule", {}, {"offsets": [0, 1, 2]}])
def test_what_is_no_config_is_refused(config):
    with pytest.raises(ValueError, match="A rule must be a dictionary with a temper"):
        Rule.from_config(config, 3)
