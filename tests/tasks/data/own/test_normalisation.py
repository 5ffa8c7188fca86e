"""What is said where no one step suits all entries of samples."""

import numpy as np
import pytest

from tasks.data.own.normalisation import tell_spreads

pytestmark = pytest.mark.no_backend


def columns(*spreads, n=400):
    """Columns of exactly these spreads."""
    x = np.random.default_rng(0).normal(size=(n, len(spreads)))
    return ((x - x.mean(0)) / x.std(0) * spreads).astype("float32")


def test_spreads_that_no_one_step_suits_are_told(capsys):
    tell_spreads(columns(1.0, 250.0, 1.5, 47000.0, 1.2))
    out = capsys.readouterr().out
    assert "no one --step_size suits all entries" in out
    assert "of entry 0 is 1, that of entry 3 is 4.7e+04, the median 1.5" in out
    assert "--units=std, or standardise the samples first" in out


def test_in_units_of_the_spreads_any_step_suits_all_entries(capsys):
    tell_spreads(columns(1.0, 47000.0), far_apart=False)
    assert "no one --step_size" not in capsys.readouterr().out


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


def test_of_series_channels_are_compared_at_all_times(capsys):
    series = columns(3.0, 0.0, 4.0).reshape(40, 10, 3)
    tell_spreads(series)
    out = capsys.readouterr().out
    # Ten values of each channel: the root of 10 (9 + 16).
    assert "samples lie 15.8 from their mean" in out
    assert "1 of 3 channels hardly vary, such as 1" in out
