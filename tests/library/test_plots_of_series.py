"""What the panel of translated series shows, read from its artists."""

import numpy as np
import pytest

from helpers.drawn import draw
from helpers.drawn import overlapping
from keras_m2m import plots

pytestmark = pytest.mark.no_backend

RNG = np.random.default_rng(0)
SEEDS = RNG.normal(size=(2, 9, 1))
MOVED = SEEDS + RNG.normal(size=(2, 9, 1)) / 10


def panel(seeds, moved, *confidences):
    names = ["a"] * len(seeds), ["b"] * len(seeds)
    return plots.series_translation_panel(seeds, moved, *names, *confidences)


def test_a_pair_is_two_lines_and_their_difference_below():
    figure = panel(SEEDS, MOVED)
    draw(figure)
    drawn = [[line.get_ydata() for line in axes.lines] for axes in figure.axes]
    pairs = zip(SEEDS[..., 0], MOVED[..., 0], strict=True)
    first, second = ([seed, moved] for seed, moved in pairs)
    expected = [first, second, [first[1] - first[0]], [second[1] - second[0]]]
    for found, right in zip(drawn, expected, strict=True):
        np.testing.assert_allclose(found, right)


def test_classes_and_confidence_stand_above_and_below():
    above, below = panel(SEEDS[:1], MOVED[:1], [0.974]).axes
    assert above.get_title() == "from a"
    assert below.get_xlabel() == "to b\n$p_g$ = 0.97"


def test_of_many_channels_those_are_drawn_that_move_most_in_their_spread():
    seeds = RNG.normal(size=(3, 9, 4)) * [1, 100, 1, 1]
    figure = panel(seeds, seeds + np.array([0.5, 2.0, 0.1, 0.3]))
    labels = [axes.get_ylabel() for axes in figure.axes if axes.get_ylabel()]
    assert labels == ["channel 0", "difference", "channel 3", "difference"]


def test_a_channel_that_never_varies_is_drawn_without_a_warning():
    seeds = np.concatenate([SEEDS, np.ones_like(SEEDS)], axis=2)
    draw(panel(seeds, seeds))


def test_long_names_do_not_overlap():
    names = ["a class with a very long name"] * 4
    seeds = np.repeat(SEEDS, 2, axis=0)
    figure = plots.series_translation_panel(seeds, seeds, names, names, [0.9] * 4)
    renderer = draw(figure)
    assert not overlapping([axes.xaxis.label for axes in figure.axes], renderer)
    assert not overlapping([axes.title for axes in figure.axes], renderer)


@pytest.mark.parametrize(
    "arguments, complaint",
    [
        ([SEEDS[..., 0], MOVED, "ab", "cd"], "`seeds` must have shape"),
        ([SEEDS, MOVED[:, 1:], "ab", "cd"], "the shape of `seeds`"),
        ([SEEDS, MOVED, "a", "cd"], "`seed_names` must"),
        ([SEEDS, MOVED, "ab", "cd", [0, 2]], "2 probabilities"),
        ([SEEDS * np.nan, MOVED, "ab", "cd"], "finite"),
    ],
)
def test_wrong_arguments_are_named(arguments, complaint):
    with pytest.raises(ValueError, match=complaint):
        plots.series_translation_panel(*arguments)
