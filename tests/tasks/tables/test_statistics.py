"""Means, paired tests and Holm's correction, against formulas."""

import numpy as np
import pytest
import scipy.stats

from tasks.tables import statistics
from tasks.tables.statistics import holm
from tasks.tables.statistics import paired

pytestmark = pytest.mark.no_backend


def by_seed(*values):
    return dict(enumerate(values))


def test_the_spread_is_the_sample_standard_deviation():
    mean, sd, n = statistics.spread([0.1, 0.2, 0.6])
    assert (mean, n) == (pytest.approx((0.1 + 0.2 + 0.6) / 3), 3)
    assert sd == pytest.approx(((0.2**2 + 0.1**2 + 0.3**2) / (3 - 1)) ** 0.5)


def test_one_value_has_no_spread():
    assert statistics.spread([0.4]) == (0.4, None, 1)


def test_no_values_have_no_mean():
    assert statistics.spread([]) is None


def test_the_interval_and_p_are_those_of_the_formula_with_t():
    differences = np.array([0.01, 0.03, 0.02, 0.06])
    base = np.array([0.5, 0.7, 0.6, 0.4])
    found = paired(by_seed(*(base + differences)), by_seed(*base))
    mean, error = differences.mean(), differences.std(ddof=1) / 4**0.5
    half = scipy.stats.t.ppf(0.975, df=3) * error
    p = 2 * scipy.stats.t.sf(mean / error, df=3)
    assert found == pytest.approx(
        (4, mean, differences.std(ddof=1), mean - half, mean + half, p)
    )


def test_only_common_seeds_are_compared():
    found = paired({0: 0.5, 1: 0.6, 7: 0.9}, {1: 0.5, 7: 0.6, 8: 0.1})
    assert (found.n, found.difference) == (2, pytest.approx((0.1 + 0.3) / 2))


def test_without_common_seeds_nothing_is_compared():
    found = paired({0: 0.5}, {1: 0.5})
    assert (found.n, found.difference, found.p) == (0, None, None)
    assert found.verdict == "too few seeds to tell"


def test_one_common_seed_gives_a_difference_and_no_test():
    found = paired({0: 0.75}, {0: 0.5})
    assert found == (1, 0.25, None, None, None, None)


@pytest.mark.parametrize("shift, p", [(0.0, 1.0), (0.1, 0.0)])
def test_equal_differences_need_no_division_by_zero(shift, p):
    base = np.array([0.1, 0.2, 0.7])
    found = paired(by_seed(*(base + shift)), by_seed(*base))
    assert found == pytest.approx((3, shift, 0.0, shift, shift, p))


@pytest.mark.parametrize(
    "differences, verdict",
    [
        ([0.05, 0.06, 0.05], "more than noise"),
        ([-0.05, -0.06, -0.05], "more than noise"),
        ([0.05, -0.06, 0.05], "within noise"),
        ([0.05, 0.06], "too few seeds to tell"),
        ([0.0, 0.0, 0.0], "within noise"),
        ([0.1, 0.1, 0.1], "more than noise"),
    ],
)
def test_a_difference_is_told_from_noise(differences, verdict):
    zero = by_seed(*[0.0] * len(differences))
    assert paired(by_seed(*differences), zero).verdict == verdict


@pytest.mark.parametrize("seed", range(5))
def test_more_than_noise_is_where_the_interval_excludes_zero(seed):
    rng = np.random.default_rng(seed)
    found = paired(by_seed(*rng.normal(1, 1, 5)), by_seed(*rng.normal(0, 1, 5)))
    excludes = found.low > 0 or found.high < 0
    assert (found.verdict == "more than noise") == excludes


def test_holm_multiplies_the_smallest_by_the_number_of_tests_and_never_falls():
    # 4 x 0.01; 3 x 0.02 = 0.06; 2 x 0.025 = 0.05, raised to 0.06; 1 x 0.5.
    expected = [0.5, 0.06, 0.04, 0.06]
    assert holm([0.5, 0.025, 0.01, 0.02]) == pytest.approx(expected)


def test_holm_stays_within_one():
    assert holm([0.9, 0.8]) == [1.0, 1.0]


def test_holm_of_one_test_changes_nothing():
    assert holm([0.03]) == [0.03]
    assert holm([]) == []
