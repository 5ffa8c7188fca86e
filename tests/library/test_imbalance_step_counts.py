"""Step imbalance: half of the classes frequent, the others rare."""

import hypothesis
import pytest
from hypothesis import strategies as st

from keras_m2m.imbalance import imbalance_ratio
from keras_m2m.imbalance import step_counts

pytestmark = pytest.mark.no_backend


@pytest.mark.parametrize("rho, rare", [(100, 5), (10, 50), (3, 166)])
def test_the_first_half_stays_whole_and_the_other_is_divided_by_rho(rho, rare):
    assert step_counts(500, 100, rho).tolist() == [500] * 50 + [rare] * 50


def test_of_an_odd_number_of_classes_one_more_is_rare():
    assert step_counts(20, 5, 4).tolist() == [20, 20, 5, 5, 5]


@hypothesis.given(rare=st.integers(1, 300), tenths=st.integers(10, 500))
def test_a_size_that_is_whole_on_paper_loses_nothing_to_rounding(rare, tenths):
    # rare * rho is whole, and rho itself has no exact floating-point value.
    counts = step_counts(rare * tenths, 2, rho=tenths / 10)
    assert counts.tolist() == [rare * tenths, rare * 10]
    assert imbalance_ratio(counts) == pytest.approx(tenths / 10)
