"""Ranks and tests over many tables, against published figures, formulas and SciPy."""

import numpy as np
import pytest
import scipy.stats
from over_tables import ranks

from helpers.demsar import RANKS

pytestmark = pytest.mark.no_backend


def test_equal_scores_share_the_mean_of_their_ranks():
    found = ranks.ranks([[0.5, 0.9, 0.5, 0.1], [0.2, 0.2, 0.2, 0.2]])
    assert found.tolist() == [[2.5, 1, 2.5, 4], [2.5, 2.5, 2.5, 2.5]]


def test_a_difference_of_rounding_is_a_tie():
    assert ranks.ranks([[0.1 + 0.2, 0.3]]).tolist() == [[1.5, 1.5]]


def test_mean_ranks_are_those_that_demsar_prints():
    # Of ranks: the best has the highest score.
    means = ranks.ranks(-RANKS).mean(axis=0)
    assert means.round(3).tolist() == [3.143, 2.000, 2.893, 1.964]


def test_friedmans_statistic_is_that_of_demsar_but_for_ties():
    # On three tables two methods tie, on one all four: the sum of t^3 - t.
    ties = 3 * (2**3 - 2) + (4**3 - 4)
    correction = 1 - ties / (14 * 4 * (4**2 - 1))
    found = ranks.friedman(-RANKS)
    assert found.chi_square * correction == pytest.approx(9.28, abs=0.005)
    assert found.p == pytest.approx(scipy.stats.chi2.sf(found.chi_square, 3))


def test_iman_and_davenports_f_is_that_of_demsar():
    assert ranks.iman_davenport(9.28, 14, 4) == pytest.approx(3.69, abs=0.005)


def test_f_is_that_of_a_two_way_analysis_of_variance_of_the_ranks():
    centred = RANKS - 2.5
    of_methods = 14 * (centred.mean(axis=0) ** 2).sum()
    left = (centred**2).sum() - of_methods
    expected = (of_methods / 3) / (left / (3 * 13))
    found = ranks.friedman(-RANKS)
    assert found.f == pytest.approx(expected)
    assert found.f_p == pytest.approx(scipy.stats.f.sf(expected, 3, 39))


def test_methods_in_the_same_order_on_all_tables_are_certainly_different():
    found = ranks.friedman(np.tile([0.3, 0.2, 0.1], (5, 1)))
    assert found.chi_square == pytest.approx(5 * 2)
    assert (found.f, found.f_p) == (np.inf, 0)


def test_wilcoxons_p_is_exact_on_few_tables():
    # All 5 differences are positive: 2 of 2^5 signs are as extreme.
    assert ranks.wilcoxon([5, 4, 3, 2, 1], [0, 0, 0, 0, 0]) == pytest.approx(2 / 2**5)


def test_tables_without_a_difference_count_half_for_each_side():
    difference = np.array([3, -2, 1, 4, 5, 0, 0], float)
    by_size = scipy.stats.rankdata(abs(difference))
    plus = by_size[difference > 0].sum() + by_size[difference == 0].sum() / 2
    expected = scipy.stats.wilcoxon(difference, zero_method="zsplit")
    assert min(plus, 7 * 8 / 2 - plus) == expected.statistic
    assert ranks.wilcoxon(difference, np.zeros(7)) == expected.pvalue


def test_methods_that_are_equal_everywhere_are_not_told_apart():
    assert ranks.wilcoxon([0.1 + 0.2, 0.5], [0.3, 0.5]) == 1.0


def test_p_of_pairs_are_corrected_by_holm_for_all_of_them():
    first, second, third = np.arange(10.0), np.arange(10.0) + 1, np.arange(10.0) * 2
    raw = [
        scipy.stats.wilcoxon(a - b, zero_method="zsplit").pvalue
        for a, b in ((first, second), (first, third), (second, third))
    ]
    smallest, middle, largest = sorted(raw)
    corrected = {smallest: 3 * smallest, middle: max(3 * smallest, 2 * middle)}
    corrected[largest] = max(corrected[middle], largest)
    found = ranks.wilcoxon_holm(np.column_stack([first, second, third]))
    assert [found[0, 1], found[0, 2], found[1, 2]] == pytest.approx(
        [min(1, corrected[p]) for p in raw]
    )
    np.testing.assert_array_equal(found, found.T)
    assert found.diagonal().tolist() == [1, 1, 1]


def test_tables_are_won_equal_and_lost():
    first, second = [0.5, 0.1 + 0.2, 0.1, 0.9], [0.4, 0.3, 0.2, 0.2]
    assert ranks.wins(first, second) == (2, 1, 1)
