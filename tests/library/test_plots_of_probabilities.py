"""Reliability and precision against recall, read from their artists."""

import numpy as np
import pytest

from helpers.drawn import draw
from helpers.drawn import labels
from keras_m2m import plots

pytestmark = pytest.mark.no_backend
BINS = ([0.5, 0.9], [0.4, 0.95], [10, 90])


def test_reliability_is_drawn_against_a_diagonal():
    diagonal, line = plots.reliability({"before": BINS}).axes[0].lines
    np.testing.assert_array_equal(diagonal.get_xdata(), diagonal.get_ydata())
    np.testing.assert_array_equal(line.get_xdata(), [0.5, 0.9])
    np.testing.assert_array_equal(line.get_ydata(), [0.4, 0.95])


def test_bins_of_more_samples_have_larger_points():
    (points,) = plots.reliability({"before": BINS}).axes[0].collections
    few, many = points.get_sizes()
    assert many > 4 * few


def test_precision_holds_from_a_recall_down_to_the_next():
    curve = ([0.1, 0.5, 1.0], [1.0, 0.8, 0.0])
    (line,) = plots.precision_recall({"fraud": curve}).axes[0].lines
    assert line.get_drawstyle() == "steps-post"
    np.testing.assert_array_equal(line.get_xdata(), [1, 0.8, 0])


@pytest.mark.parametrize("plot", [plots.reliability, plots.precision_recall])
def test_names_are_plain_text(plot):
    curve = BINS if plot is plots.reliability else BINS[:2]
    figure = plot({"a $1$": curve, "b": curve})
    draw(figure)
    named = [text.replace("\\", "") for text in labels(figure.legends[0].texts)]
    assert named[-2:] == ["a $1$", "b"]


@pytest.mark.parametrize(
    "plot, curves, message",
    [
        (plots.reliability, {}, "must map at least one name"),
        (plots.reliability, {"a": BINS[:2]}, "must be .confidence, accuracy, count"),
        (plots.reliability, {"a": ([2.0], [0.5], [1])}, r"must lie in \[0, 1\]"),
        (plots.reliability, {"a": ([0.1], [0.5, 1], [1])}, "arrays of one length"),
        (plots.reliability, {"a": ([0.1], [0.5], [-1])}, "finite and not negative"),
        (plots.reliability, {"a": ([0.1], [0.5], [np.nan])}, "finite and not negative"),
        (plots.reliability, {"a": 1}, "must be .confidence, accuracy, count"),
        (plots.precision_recall, {}, "must map at least one name"),
        (plots.precision_recall, {"a": BINS}, "must be .precision, recall."),
        (plots.precision_recall, {"a": 1}, "must be .precision, recall."),
        (plots.precision_recall, {"a": ([np.nan], [0.5])}, r"must lie in \[0, 1\]"),
    ],
)
def test_what_is_no_curve_is_refused(plot, curves, message):
    with pytest.raises(ValueError, match=message):
        plot(curves)
