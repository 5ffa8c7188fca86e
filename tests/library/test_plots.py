"""What the figures show, read from their artists."""

import matplotlib.pyplot
import numpy as np
import pytest

from helpers.drawn import draw
from helpers.drawn import labels
from helpers.drawn import overlapping
from keras_m2m import plots

pytestmark = pytest.mark.no_backend

CIFAR_10 = [5000, 2997, 1796, 1077, 645, 387, 232, 139, 83, 50]
# Indexed [true, predicted].
MATRIX = np.array([[8, 2, 0], [3, 6, 1], [4, 0, 16]])


def random_matrix(size):
    return np.random.default_rng(0).integers(0, 20, (size, size))


def test_confusion_matrix_is_coloured_by_the_share_of_the_true_class():
    image = plots.confusion_matrix(MATRIX).axes[0].images[0]
    np.testing.assert_allclose(image.get_array(), MATRIX / [[10], [10], [20]])
    assert image.get_clim() == (0.0, 1.0)


def test_confusion_matrix_leaves_a_class_without_samples_blank():
    image = plots.confusion_matrix([[5, 5], [0, 0]]).axes[0].images[0]
    assert image.get_array().mask.tolist() == [[False, False], [True, True]]


@pytest.mark.parametrize("size, cells", [(12, 144), (13, 0)])
def test_confusion_matrix_writes_the_counts_of_up_to_12_classes(size, cells):
    texts = plots.confusion_matrix(random_matrix(size)).axes[0].texts
    assert len(texts) == cells


def test_confusion_matrix_writes_each_count_into_its_cell():
    texts = plots.confusion_matrix(MATRIX).axes[0].texts
    cells = {text.get_position(): text.get_text() for text in texts}
    assert cells[(1, 0)] == "2"
    assert cells[(0, 2)] == "4"


@pytest.mark.parametrize("size", [2, 10, 40, 100])
@pytest.mark.parametrize("named", [False, True])
def test_confusion_matrix_draws_labels_that_do_not_overlap(size, named):
    names = [f"class name {index}" for index in range(size)] if named else None
    figure = plots.confusion_matrix(random_matrix(size), names)
    renderer = draw(figure)
    axes = figure.axes[0]
    assert not overlapping(axes.get_yticklabels(), renderer)
    assert not overlapping(axes.get_xticklabels(), renderer)


def test_recall_is_sorted_from_the_most_frequent_class():
    figure = plots.recall_by_count([0.2, 0.9, 0.5], [5, 500, 50])
    line = figure.axes[0].lines[0]
    assert line.get_xdata().tolist() == [500, 50, 5]
    assert line.get_ydata().tolist() == [0.9, 0.5, 0.2]
    left, right = figure.axes[0].get_xlim()
    assert left > 500 > 5 > right


def test_recall_names_stand_above_their_counts():
    figure = plots.recall_by_count([0.2, 0.9], [5, 500], ["rare", "frequent"])
    draw(figure)
    above = figure.axes[0].child_axes[0]
    assert above.get_xticks().tolist() == [500, 5]
    assert labels(above.get_xticklabels()) == ["frequent", "rare"]


def test_recall_mean_leaves_out_classes_without_test_samples():
    figure = plots.recall_by_count([0.4, 0.8, np.nan], [50, 20, 10])
    assert figure.axes[0].lines[1].get_ydata()[0] == pytest.approx((0.4 + 0.8) / 2)


@pytest.mark.parametrize(
    "counts",
    [CIFAR_10, [20, 20], np.geomspace(500, 5, 100).astype(int), [2840, 2830, 4]],
    ids=["cifar_10", "equal", "cifar_100", "reuters"],
)
def test_recall_draws_labels_that_do_not_overlap(counts):
    names = [f"class name {index}" for index in range(len(counts))]
    figure = plots.recall_by_count(np.linspace(1, 0, len(counts)), counts, names)
    renderer = draw(figure)
    axes = figure.axes[0]
    above = axes.child_axes[0]
    assert not overlapping(axes.get_xticklabels(), renderer)
    assert not overlapping(above.get_xticklabels(), renderer)
    assert labels(above.get_xticklabels())[0] == "class name 0"


def test_false_positives_are_predictions_of_a_class_for_others():
    figure = plots.cumulative_false_positives({"ERM": MATRIX}, [100, 10, 1])
    line = figure.axes[0].lines[0]
    assert line.get_ydata().tolist() == [0, 3 + 4, 3 + 4 + 2, 3 + 4 + 2 + 1]


def test_false_positives_start_from_the_most_frequent_class():
    figure = plots.cumulative_false_positives({"ERM": MATRIX}, [10, 1, 100])
    line = figure.axes[0].lines[0]
    assert line.get_ydata().tolist() == [0, 1, 1 + 3 + 4, 1 + 3 + 4 + 2]


def test_false_positives_end_at_all_mistakes_where_the_even_line_ends():
    matrix = random_matrix(10)
    figure = plots.cumulative_false_positives({"ERM": matrix}, CIFAR_10)
    line, even = figure.axes[0].lines[:2]
    assert line.get_ydata()[-1] == matrix.sum() - np.trace(matrix)
    assert list(even.get_xdata()) == [0, 10]
    assert list(even.get_ydata()) == [0, line.get_ydata()[-1]]


def test_false_positives_tell_each_method_by_a_line_of_its_own():
    names = [f"method {index}" for index in range(12)]
    matrices = {name: random_matrix(10) for name in names}
    figure = plots.cumulative_false_positives(matrices, CIFAR_10)
    draw(figure)
    lines = [line for line in figure.axes[0].lines if line.get_label() in names]
    assert len({(line.get_color(), line.get_linestyle()) for line in lines}) == 12
    assert labels(figure.legends[0].get_texts()) == [*names, "spread evenly"]


@pytest.mark.parametrize("shape", [(4, 4), (4, 4, 1), (4, 4, 3)])
def test_translations_show_seed_amplified_difference_and_result(shape):
    seeds = np.full((2, *shape), 0.25)
    moved = seeds + 0.03125
    figure = plots.translation_panel(seeds, moved, ["a", "b"], ["c", "d"], amplify=8)
    draw(figure)
    shown = [axes.images[0].get_array() for axes in figure.axes]
    expected = [0.25, 0.25, 0.5 + 8 * 0.03125, 0.5 + 8 * 0.03125, 0.28125, 0.28125]
    for image, value in zip(shown, expected):
        np.testing.assert_allclose(image, value)


def test_translations_are_drawn_on_one_scale_of_grey():
    seeds = np.full((1, 4, 4, 1), 0.25)
    figure = plots.translation_panel(seeds, seeds, ["a"], ["b"])
    assert {axes.images[0].get_clim() for axes in figure.axes} == {(0.0, 1.0)}


def test_translations_clip_a_large_difference():
    seeds, moved = np.zeros((1, 2, 2)), np.ones((1, 2, 2))
    figure = plots.translation_panel(seeds, moved, ["a"], ["b"])
    np.testing.assert_allclose(figure.axes[1].images[0].get_array(), 1.0)


def test_translations_tell_classes_and_confidence():
    seeds = np.zeros((1, 2, 2))
    figure = plots.translation_panel(seeds, seeds, ["truck"], ["car"], [0.974])
    captions = [axes.get_xlabel() for axes in figure.axes]
    assert captions == ["from truck", "", "to car\n$p_g$ = 0.97"]


NAMES = [f"a very long name of a class, with ${index} in $it^" for index in range(30)]


@pytest.mark.parametrize("kind", ["confusion_matrix", "recall_by_count"])
def test_thirty_long_names_leave_most_of_the_picture_to_the_data(kind):
    counts = 1000 // np.arange(1, 31)
    data = {
        "confusion_matrix": [random_matrix(30)],
        "recall_by_count": [np.linspace(0.9, 0.1, 30), counts],
    }
    figure = getattr(plots, kind)(*data[kind], class_names=NAMES)
    draw(figure)
    assert figure.axes[0].get_position().height > 0.4
    assert figure.axes[0].get_position().width > 0.4


def test_long_names_lose_their_middle_and_their_dollars_are_no_mathematics():
    figure = plots.confusion_matrix(random_matrix(30), NAMES)
    ticks = labels(figure.axes[0].get_yticklabels())
    assert len(set(ticks)) == 30
    assert ticks[7].replace("\\$", "$") == "a very long…h $7 in $it^"
    seeds = np.zeros((1, 2, 2))
    draw(plots.translation_panel(seeds, seeds, NAMES[:1], NAMES[1:2], [0.9]))


def test_translations_draw_long_names_that_do_not_overlap():
    seeds = np.zeros((4, 8, 8, 3))
    names = ["a class with a very long name"] * 4
    figure = plots.translation_panel(seeds, seeds, names, names, [0.9] * 4)
    renderer = draw(figure)
    assert not overlapping([axes.xaxis.label for axes in figure.axes], renderer)


GREY = np.zeros((2, 4, 4))


@pytest.mark.parametrize(
    "function, arguments, complaint",
    [
        ("confusion_matrix", [np.ones((2, 3))], "square"),
        ("confusion_matrix", [5], "square"),
        ("confusion_matrix", [[["a"]]], "must hold numbers"),
        ("confusion_matrix", [[[np.inf]]], "finite"),
        ("confusion_matrix", [MATRIX, 5], "`class_names` must have 3"),
        ("cumulative_false_positives", [[MATRIX], [3, 2, 1]], "must map at least one"),
        ("recall_by_count", [["a", "b"], [10, 1]], "`recall` must hold numbers"),
        ("translation_panel", [GREY, GREY, 5, "cd"], "`seed_names` must"),
        ("translation_panel", [GREY, GREY, "ab", "cd", [0, 2]], "2 probabilities"),
        ("translation_panel", [GREY, GREY, "ab", "cd", None, "10"], "`amplify` must"),
        ("confusion_matrix", [[[1, -1], [0, 1]]], "non-negative"),
        ("confusion_matrix", [[[1, np.nan], [0, 1]]], "non-negative"),
        ("confusion_matrix", [MATRIX, ["a", "b"]], "`class_names` must have 3"),
        ("recall_by_count", [[0.5], [10, 1]], "one value per class"),
        ("recall_by_count", [[0.5, 1.5], [10, 1]], r"\[0, 1\]"),
        ("recall_by_count", [[np.nan, np.nan], [10, 1]], r"\[0, 1\]"),
        ("recall_by_count", [[0.5, 0.5], [10, 0]], "positive"),
        ("recall_by_count", [[0.5, 0.5], [10, 1], ["a"]], "`class_names` must"),
        ("cumulative_false_positives", [{}, [10, 1]], "must map at least one"),
        ("cumulative_false_positives", [{"a": MATRIX}, [10, 1]], r"shape \(2, 2\)"),
        ("translation_panel", [GREY, GREY, "ab", "c"], "`target_names` must"),
        ("translation_panel", [GREY, GREY, "ab", "cd", [0.9]], "`confidences` must"),
        ("translation_panel", [GREY, GREY[:, 1:], "ab", "cd"], "the shape of `seeds`"),
        ("translation_panel", [GREY, GREY, "ab", "cd", None, 0], "positive"),
        ("translation_panel", [GREY + 2, GREY, "ab", "cd"], "bounds"),
        ("translation_panel", [GREY[0], GREY[0], "ab", "cd"], "must have shape"),
    ],
)
def test_wrong_arguments_are_named(function, arguments, complaint):
    with pytest.raises(ValueError, match=complaint):
        getattr(plots, function)(*arguments)


def test_figures_are_not_kept_by_pyplot():
    plots.confusion_matrix(MATRIX)
    assert matplotlib.pyplot.get_fignums() == []
