"""Samples brought to one scale, and what is said where no one step suits them."""

import numpy as np
import pytest

from tasks.data.own.normalisation import statistics
from tasks.data.own.normalisation import tell_spreads

pytestmark = pytest.mark.no_backend

RNG = np.random.default_rng(0)


def columns(*spreads, mean=0.0, n=400):
    """Columns of exactly these spreads."""
    x = RNG.normal(size=(n, len(spreads)))
    x = (x - x.mean(0)) / x.std(0) * spreads
    return (x + mean).astype("float32")


def test_entries_that_vary_are_divided_by_their_spread():
    x = columns(1.0, 250.0, 47000.0, mean=[0.5, -3.0, 9000.0])
    mean, variance = statistics(x, 1)
    np.testing.assert_allclose(mean, [0.5, -3.0, 9000.0], atol=1e-2)
    np.testing.assert_allclose(np.sqrt(variance), [1, 250, 47000], rtol=1e-4)


@pytest.mark.parametrize("tiny", [0.0, 1e-30, 2.4e-8, 0.9e-4])
def test_an_entry_whose_spread_is_below_the_floor_is_only_shifted(tiny):
    x = columns(1.0, 1.0, tiny, 1.0, mean=[0, 0, -6e-8, 0])
    mean, variance = statistics(x, 1)
    np.testing.assert_allclose(variance, 1, rtol=1e-4)
    assert mean[2] == pytest.approx(-6e-8)


def test_an_entry_whose_spread_is_above_the_floor_is_scaled():
    _, variance = statistics(columns(1.0, 1.0, 1.1e-4), 1)
    np.testing.assert_allclose(variance[2], 1.1e-4**2, rtol=1e-4)


def test_the_floor_is_that_of_entries_that_vary():
    # Most never do: the median of all would be 0.
    x = columns(0.0, 0.0, 0.0, 0.0, 1e-8, 1.0, 1.0)
    np.testing.assert_allclose(statistics(x, 1)[1], 1, rtol=1e-4)


def test_an_entry_that_never_varies_is_no_steeper_than_others_in_large_units():
    x = columns(5e4, 5e4, 0.0, mean=[0, 0, 7.3])
    np.testing.assert_allclose(statistics(x, 1)[1], 5e4**2, rtol=1e-4)


def test_channels_have_the_floor_too():
    x = np.stack([columns(*[0.2] * 20), columns(*[1e-3] * 20)], axis=1)
    x = x.reshape(400, 2, 4, 5)
    _, variance = statistics(x, 1)
    np.testing.assert_allclose(variance, [0.04, 1e-6], rtol=1e-3)
    x[:, 1] /= 1000  # Now below.
    _, first = statistics(x, 1)
    _, last = statistics(np.moveaxis(x, 1, -1), 3)
    np.testing.assert_allclose(first, [0.04, 1.0], rtol=1e-3)
    np.testing.assert_array_equal(first, last)


def test_samples_that_never_vary_at_all_are_shifted():
    mean, variance = statistics(np.full((5, 2), 3.0, "float32"), 1)
    assert mean.tolist() == [3, 3]
    assert variance.tolist() == [1, 1]


def test_spreads_that_no_one_step_suits_are_told(capsys):
    tell_spreads(columns(1.0, 250.0, 1.5, 47000.0, 1.2))
    out = capsys.readouterr().out
    assert "no one --step_size suits all entries" in out
    assert "of entry 0 is 1, that of entry 3 is 4.7e+04, the median 1.5" in out
    assert "standardise the samples first" in out


def test_entries_that_hardly_vary_are_counted_and_not_compared(capsys):
    tell_spreads(columns(1.0, 0.0, 3.0, 1e-6))
    out = capsys.readouterr().out
    assert "2 of 4 entries hardly vary, such as 1" in out
    assert "no one --step_size" not in out


def test_spreads_alike_say_how_far_samples_lie_and_no_more(capsys):
    tell_spreads(columns(3.0, 4.0))
    assert (
        capsys.readouterr().out == "samples lie 5 from their mean (root mean square)\n"
    )
