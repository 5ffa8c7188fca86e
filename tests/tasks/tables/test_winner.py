"""Which method wins, in plain sentences."""

import pytest
import scipy.stats

from helpers.made_results import by_loss_and_method
from helpers.made_results import failed
from helpers.made_results import runs
from tasks.experiment.rows import Row
from tasks.tables import winner
from tasks.tables.model import Column
from tasks.tables.model import Table

pytestmark = pytest.mark.no_backend


def cells(*records):
    by_key = by_loss_and_method(records)
    column = Column("own", by_key)
    return Table("own", [Row(*key) for key in by_key], [column]).cells(column)


def said(*records):
    return winner.sentences(cells(*records))


def test_a_lead_within_noise_is_told_with_its_interval():
    # Differences 3, -2, 1, -1, 1: mean 0.4, sd 1.949; t(4) at 0.975 is 2.776.
    base = [0.70, 0.71, 0.72, 0.70, 0.71]
    better = [0.73, 0.69, 0.73, 0.69, 0.72]
    half = scipy.stats.t.ppf(0.975, 4) * (15.2 / 4 / 5) ** 0.5
    first, caution = said(*runs(better), *runs(base, "drs"))
    mean, sd = 71.2, ((1.8**2 + 2.2**2 + 1.8**2 + 2.2**2 + 0.8**2) / 4) ** 0.5
    assert first == (
        f"M2m wins ({mean} ± {sd:.1f}), but its lead over DRS is within noise (0.4, "
        f"95 % interval {0.4 - half:.1f} to {0.4 + half:.1f}, 5 seeds)."
    )
    assert caution == winner.CAUTION


def test_a_clear_lead_is_told():
    first, *_ = said(*runs([0.70, 0.71, 0.72]), *runs([0.50, 0.52, 0.51], "erm"))
    assert first.startswith("M2m wins (71.0 ± 1.0), and its lead over ERM is more than")


def test_a_better_mean_that_comes_of_other_seeds_is_no_lead():
    drs = runs([0.4, 0.4, 0.8, 0.82, 0.81], "drs")
    m2m = [*runs([0.7, 0.71, 0.72], seed_from=2), failed(seed=0), failed(seed=1)]
    first, *_ = said(*drs, *m2m)
    assert first.startswith("M2m has the best mean (71.0 ± 1.0), but no lead over DRS")


def test_choosing_on_the_test_set_is_warned_of():
    assert "choose on the test set" in said(*runs([0.7]), *runs([0.6], "erm"))[-1]


def test_one_seed_cannot_tell():
    first, *_ = said(*runs([0.7]), *runs([0.6], "erm"))
    assert first == (
        "M2m has the best mean (70.0), but there are too few seeds to tell its lead "
        "over ERM from noise (10.0, 1 seed): run at least 3 of the same seeds of both."
    )


def test_methods_without_common_seeds_are_not_compared():
    first, *_ = said(*runs([0.7, 0.7]), *runs([0.6, 0.6], "erm", seed_from=7))
    assert "(no common seeds)" in first


def test_a_single_method_has_nothing_beside_it():
    assert said(*runs([0.7, 0.7])) == [
        "M2m alone has results (70.0 ± 0.0, 2 seeds), so there is nothing to compare "
        "it with."
    ]


def test_equal_means_tie():
    records = [*runs([0.8, 0.7, 0.6], "erm"), *runs([0.7, 0.7, 0.7], "drs")]
    first, *_ = said(*records, *runs([0.6, 0.7, 0.8]))
    assert first == "ERM and DRS and M2m have the same mean (70.0)."


def test_no_finished_run_has_no_winner():
    assert said(failed(), failed("erm")) == ["No run finished, so no method wins."]


def test_a_winner_that_diverged_is_told():
    records = [*runs([0.7, 0.71, 0.72]), failed(seed=3), *runs([0.6, 0.6, 0.5], "erm")]
    expected = "M2m diverged in 1 of 4 runs, which its mean leaves out."
    assert said(*records)[1] == expected


def test_leads_are_corrected_by_holm_and_told_from_the_next_best_down():
    best, drs, erm = [0.70, 0.72, 0.74], [0.69, 0.70, 0.73], [0.60, 0.63, 0.62]
    records = [*runs(best), *runs(drs, "drs"), *runs(erm, "erm")]
    of_best, found = winner.leads(cells(*records))
    p = [scipy.stats.ttest_rel(best, other).pvalue for other in (drs, erm)]
    assert [lead.cell.row.method for lead in found] == ["drs", "erm"]
    assert (found[0].p, found[1].p) == (
        pytest.approx(max(p[0], 2 * p[1])),
        pytest.approx(2 * p[1]),
    )
    assert of_best.row.method == "m2m"


def test_a_lead_that_only_the_correction_takes_away_is_within_noise():
    best, near = [0.70, 0.72, 0.745], [0.67, 0.68, 0.70]
    alone = winner.leads(cells(*runs(best), *runs(near, "drs")))[1][0]
    records = [
        *(runs(best) + runs(near, "drs")),
        *(runs(near, "rs") + runs(near, "rw") + runs(near, "erm")),
    ]
    among_many = winner.leads(cells(*records))[1][0]
    assert alone.verdict == "more than noise"
    assert among_many.verdict == "within noise"
