"""What the figures show that compare methods, or pairs of classes."""

import numpy as np
import pytest

from helpers.drawn import draw
from helpers.drawn import labels
from helpers.drawn import overlapping
from keras_m2m import plots

pytestmark = pytest.mark.no_backend

LONG = [f"a very long name of a class, with ${i} in $it^" for i in range(100)]
TRIED = np.array([[0, 0, 0], [9, 0, 4], [8, 0, 0]])
KEPT = np.array([[0, 0, 0], [3, 0, 4], [0, 0, 0]])
POINTS = np.arange(24.0).reshape(12, 2)


def long_tail(size):
    return np.geomspace(500, 5, size).astype(int)


def test_acceptance_goes_from_the_most_frequent_class_on_both_axes():
    axes = plots.acceptance_by_pair(KEPT, TRIED, [100, 5, 20], "abc").axes[0]
    shares = axes.images[0].get_array()
    assert labels(axes.get_xticklabels()) == ["a", "c", "b"]
    assert labels(axes.get_yticklabels()) == ["a", "c", "b"]
    # Rows are targets, columns are seeds.
    assert shares[2, 0] == 3 / 9
    assert shares[2, 1] == 4 / 4
    assert shares[1, 0] == 0 / 8


def test_pairs_that_were_never_tried_are_no_zero():
    figure = plots.acceptance_by_pair(KEPT, TRIED, [100, 20, 5])
    shares = figure.axes[0].images[0].get_array()
    np.testing.assert_array_equal(np.ma.getmaskarray(shares), TRIED == 0)
    assert figure.axes[0].patch.get_hatch()
    assert labels(figure.legends[0].get_texts()) == ["never translated"]


def test_no_legend_tells_of_hatched_cells_where_there_are_none():
    figure = plots.acceptance_by_pair([[1, 2], [3, 4]], np.full((2, 2), 5), [9, 1])
    assert not figure.legends


@pytest.mark.parametrize("size, cells", [(12, 66), (13, 0)])
def test_acceptance_writes_the_shares_of_up_to_12_classes(size, cells):
    tried = np.tri(size, k=-1) * 4
    figure = plots.acceptance_by_pair(tried / 2, tried, long_tail(size))
    assert labels(figure.axes[0].texts) == ["0.50"] * cells


@pytest.mark.parametrize("size", [2, 12, 36, 100])
def test_acceptance_draws_long_names_that_do_not_overlap(size):
    tried = np.tri(size, k=-1)
    figure = plots.acceptance_by_pair(tried, tried, long_tail(size), LONG[:size])
    renderer = draw(figure)
    axes = figure.axes[0]
    assert not overlapping(axes.get_xticklabels(), renderer)
    assert not overlapping(axes.get_yticklabels(), renderer)
    assert axes.get_position().width > 0.4
    assert axes.yaxis.label.get_window_extent(renderer).x0 >= 0
    assert axes.xaxis.label.get_window_extent(renderer).y0 >= 0


def test_acceptance_of_a_thousand_classes_tells_ranks():
    tried = np.tri(1000)
    figure = plots.acceptance_by_pair(tried, tried, np.full(1000, 7))
    assert "rank" in figure.axes[0].get_xlabel()
    assert len(figure.axes[0].get_xticks()) < 15


def test_gain_is_the_mean_and_deviation_of_differences_by_seed():
    base = [[0.9, 0.2], [0.7, 0.4]]
    figure = plots.recall_gain({"M2m": [[0.8, 0.5], [0.7, 0.5]]}, base, [50, 5])
    lines, bars = figure.axes[0].containers
    differences = np.array([[-0.1, 0.3], [0.0, 0.1]])
    heights = [bar.get_height() for bar in bars.patches]
    np.testing.assert_allclose(heights, differences.mean(axis=0))
    ends = np.array([s[:, 1] for s in lines.lines[2][0].get_segments()])
    half = np.diff(ends)[:, 0] / 2
    np.testing.assert_allclose(half, np.std(differences, axis=0, ddof=1))


def test_gain_of_one_run_has_no_lines():
    figure = plots.recall_gain({"M2m": [[0.8, 0.5]]}, [[0.9, 0.2]], [50, 5])
    assert len(figure.axes[0].containers) == 1
    assert "one run" in figure.get_supxlabel()


def test_gain_goes_by_falling_count_and_leaves_out_classes_without_recall():
    recalls = {"a": [[0.5, np.nan, 0.6, 0.7]], "b": [[0.1, 0.2, 0.3, 0.4]]}
    base = np.zeros((1, 4))
    figure = plots.recall_gain(recalls, base, [10, 20, 30, 4000])
    ticks = labels(figure.axes[-1].get_xticklabels())
    assert ticks == ["3 (4,000)", "2 (30)", "0 (10)"]
    for axes, expected in zip(figure.axes, ([0.7, 0.6, 0.5], [0.4, 0.3, 0.1])):
        heights = [bar.get_height() for bar in axes.patches]
        np.testing.assert_allclose(heights, expected)


def test_gain_titles_tell_the_gain_in_balanced_accuracy():
    recalls = {"M2m": [[0.8, 0.6]], "$RS$": [[0.9, 0.0]]}
    figure = plots.recall_gain(recalls, [[0.9, 0.2]], [50, 5])
    titles = [axes.get_title() for axes in figure.axes]
    assert titles == ["M2m, mean +0.150", r"\$RS\$, mean -0.100"]


@pytest.mark.parametrize("size", [2, 36, 100])
def test_gain_draws_long_names_that_do_not_overlap_and_all_text_is_inside(size):
    rng = np.random.default_rng(0)
    recalls = {f"method {i}": rng.random((3, size)) for i in range(3)}
    figure = plots.recall_gain(
        recalls, rng.random((3, size)), long_tail(size), LONG[:size]
    )
    renderer = draw(figure)
    assert not overlapping(figure.axes[-1].get_xticklabels(), renderer)
    for text in figure.texts:
        box = text.get_window_extent(renderer)
        assert figure.bbox.x0 <= box.x0
        assert box.x1 <= figure.bbox.x1
        assert figure.bbox.y0 <= box.y0
        assert box.y1 <= figure.bbox.y1


# Of neighbours b and c, and d and e, none differ; nor a and b.
CHAIN = {"a": 1.2, "b": 2.1, "c": 2.9, "d": 3.9, "e": 4.9}
CHAIN_P = np.where(np.abs(np.subtract.outer(range(5), range(5))) <= 1, 0.5, 0.01)
CHAIN_P[2, 3] = CHAIN_P[3, 2] = 0.04


def bars_of(figure):
    """The methods' ranks that each bar goes over, from the best, and its height."""
    found = []
    for (start, y), (end, _) in figure.axes[0].collections[0].get_segments():
        found.append(([r for r in CHAIN.values() if start < r < end], y))
    return found


def test_bars_go_over_neighbours_of_which_no_two_differ():
    bars = bars_of(plots.critical_difference(CHAIN, CHAIN_P))
    assert [ranks for ranks, _ in bars] == [[1.2, 2.1], [2.1, 2.9], [3.9, 4.9]]


def test_bars_that_share_a_method_have_different_heights():
    first, second, third = (
        height for _, height in bars_of(plots.critical_difference(CHAIN, CHAIN_P))
    )
    assert first == third > second


def test_a_bar_inside_a_longer_one_is_not_drawn():
    p_values = np.ones((5, 5))
    bars = bars_of(plots.critical_difference(CHAIN, p_values))
    assert [ranks for ranks, _ in bars] == [list(CHAIN.values())]


def test_methods_do_not_differ_at_alpha_itself():
    p_values = np.full((5, 5), 0.04)
    assert not bars_of(plots.critical_difference(CHAIN, p_values))
    assert len(bars_of(plots.critical_difference(CHAIN, p_values, alpha=0.04))) == 1


def test_p_values_follow_their_methods_into_the_order_of_ranks():
    shuffled = [3, 0, 4, 2, 1]
    ranks = {list(CHAIN)[i]: list(CHAIN.values())[i] for i in shuffled}
    figure = plots.critical_difference(ranks, CHAIN_P[np.ix_(shuffled, shuffled)])
    assert bars_of(figure) == bars_of(plots.critical_difference(CHAIN, CHAIN_P))


def test_each_method_is_joined_to_its_rank_and_the_best_stand_on_the_right():
    axes = plots.critical_difference(CHAIN, CHAIN_P).axes[0]
    left, right = axes.get_xlim()
    assert (left, right) == (5, 1)
    ends = {
        text.get_text(): (line.get_xdata()[0], line.get_xdata()[-1])
        for text, line in zip(axes.texts, axes.lines, strict=True)
    }
    assert ends == {
        "a (1.20)": (1.2, right),
        "b (2.10)": (2.1, right),
        "c (2.90)": (2.9, right),
        "d (3.90)": (3.9, left),
        "e (4.90)": (4.9, left),
    }


@pytest.mark.parametrize("size", [2, 3, 14])
@pytest.mark.parametrize("p", [0.0, 1.0])
def test_ranks_draw_long_names_that_do_not_overlap_and_are_inside(size, p):
    names = [f"${i} a long $name^ of a method" for i in range(size)]
    # As near to each other as they get.
    ranks = dict(zip(names, (size + 1) / 2 + np.linspace(-0.1, 0.1, size)))
    figure = plots.critical_difference(ranks, np.full((size, size), p))
    renderer = draw(figure)
    texts = figure.axes[0].texts
    assert not overlapping(texts, renderer)
    for text in [*texts, figure.axes[0].xaxis.label]:
        box = text.get_window_extent(renderer)
        assert figure.bbox.x0 <= box.x0
        assert box.x1 <= figure.bbox.x1
        assert figure.bbox.y0 <= box.y0
        assert box.y1 <= figure.bbox.y1
    assert figure.axes[0].get_position().width > 0.4


def test_names_of_methods_stand_below_all_bars():
    ranks = {f"method {i}": 1.0 + i for i in range(14)}
    near = np.abs(np.subtract.outer(range(14), range(14))) <= 4
    figure = plots.critical_difference(ranks, np.where(near, 1.0, 0.0))
    axes = figure.axes[0]
    heights = [segment[0][1] for segment in axes.collections[0].get_segments()]
    assert len(heights) == 10
    assert max(text.get_position()[1] for text in axes.texts) < min(heights)


def test_embedding_draws_the_points_of_each_class():
    classes = np.arange(12) % 3
    figure = plots.feature_embedding({"a": POINTS, "b": -POINTS}, classes)
    for axes, points in zip(figure.axes, (POINTS, -POINTS)):
        for k, drawn in enumerate(axes.collections):
            np.testing.assert_array_equal(drawn.get_offsets(), points[classes == k])


def test_ten_classes_have_each_a_colour_and_marker_of_their_own():
    axes = plots.feature_embedding({"a": POINTS[:10]}, range(10)).axes[0]
    looks = [
        (tuple(drawn.get_facecolor()[0]), drawn.get_paths()[0].vertices.tobytes())
        for drawn in axes.collections
    ]
    colors, shapes = (set(part) for part in zip(*looks))
    assert len(shapes) == 10
    assert len(colors) == 6


def test_embedding_names_the_classes_that_are_shown_by_falling_count():
    figure = plots.feature_embedding(
        {"a": POINTS[:3]}, [3, 0, 1], "wxyz", [10, 2000, 30, 40]
    )
    legend = labels(figure.legends[0].get_texts())
    assert legend == ["x (2,000)", "z (40)", "w (10)"]


def test_embedding_draws_a_legend_of_long_names_that_hides_no_point():
    methods = {f"method {i}": POINTS[:10] for i in range(4)}
    figure = plots.feature_embedding(methods, range(10), LONG[:10], long_tail(10))
    renderer = draw(figure)
    legend = figure.legends[0].get_window_extent(renderer)
    assert legend.x1 <= figure.bbox.x1
    assert legend.y0 >= figure.bbox.y0
    assert not any(axes.bbox.overlaps(legend) for axes in figure.axes)


@pytest.mark.parametrize(
    "function, arguments, complaint",
    [
        ("acceptance_by_pair", [KEPT[:2], TRIED, [3, 2, 1]], "`accepted` must have"),
        ("acceptance_by_pair", [KEPT, TRIED[:2], [3, 2, 1]], "`translated` must have"),
        ("acceptance_by_pair", [TRIED, KEPT, [3, 2, 1]], "between 0 and `translated`"),
        ("acceptance_by_pair", [-KEPT, TRIED, [3, 2, 1]], "between 0 and `translated`"),
        ("acceptance_by_pair", [KEPT * np.nan, TRIED, [3, 2, 1]], "between 0"),
        ("acceptance_by_pair", [KEPT, TRIED, [3, 2, 1], "ab"], "`class_names` must"),
        ("critical_difference", [[1, 2], np.ones((2, 2))], "must map at least one"),
        ("critical_difference", [{"a": 1}, [[1]]], "two methods or more"),
        ("critical_difference", [{"a": 1, "b": 3}, np.ones((2, 2))], "from 1 to"),
        ("critical_difference", [{"a": 1, "b": np.nan}, np.ones((2, 2))], "from 1 to"),
        ("critical_difference", [{"a": 1, "b": "c"}, np.ones((2, 2))], "hold numbers"),
        ("critical_difference", [{"a": 1, "b": 2}, [1, 0.5]], r"shape \(2, 2\)"),
        ("critical_difference", [{"a": 1, "b": 2}, [[1, 0.5], [0.4, 1]]], "symmetric"),
        ("critical_difference", [{"a": 1, "b": 2}, [[1, 2], [2, 1]]], "symmetric and"),
        ("critical_difference", [{"a": 1, "b": 2}, np.ones((2, 2)), 5], "`alpha`"),
        ("recall_gain", [{}, [[0.5, 0.5]], [2, 1]], "must map at least one"),
        ("recall_gain", [{"a": [[0.5]]}, [[0.5, 0.5]], [2, 1]], r"here \(1, 2\)"),
        ("recall_gain", [{"a": [[0.5, 2]]}, [[0.5, 0.5]], [2, 1]], r"\[0, 1\]"),
        ("recall_gain", [{"a": [[0.5, 1]]}, [[0.5, -1]], [2, 1]], r"\[0, 1\]"),
        ("recall_gain", [{"a": [[np.nan, 1]]}, [[1, np.nan]], [2, 1]], "every run"),
        ("recall_gain", [{"a": []}, [], [2, 1]], "`baseline` must have shape"),
        ("recall_gain", [{"a": [0.5, 1]}, 0.5, [2, 1]], "`baseline` must have shape"),
        ("recall_gain", [[[0.5, 1]], [[0.5, 1]], [2, 1]], "must map at least one"),
        ("acceptance_by_pair", ["a", "b", [3, 2, 1]], "`accepted` must hold numbers"),
        ("feature_embedding", [[POINTS], [0] * 12], "must map at least one"),
        ("feature_embedding", [{"a": POINTS}, [10**9] * 12], "must lie in 0"),
        ("feature_embedding", [{}, [0, 1]], "must map at least one"),
        ("feature_embedding", [{"a": POINTS}, [0, 1]], r"shape \(2, 2\)"),
        ("feature_embedding", [{"a": POINTS + np.inf}, [0] * 12], "finite"),
        ("feature_embedding", [{"a": POINTS}, range(12)], "at most 10 classes"),
        ("feature_embedding", [{"a": POINTS}, [0.5] * 12], "must be integers"),
        ("feature_embedding", [{"a": POINTS}, [-1] * 12], "must lie in 0"),
        ("feature_embedding", [{"a": POINTS[:0]}, []], "not be empty"),
        ("feature_embedding", [{"a": POINTS}, [2] * 12, "ab"], "`class_names` must"),
        (
            "feature_embedding",
            [{"a": POINTS}, [0] * 12, "ab", [3, 2, 1]],
            "`class_counts`",
        ),
    ],
)
def test_wrong_arguments_of_these_plots_are_named(function, arguments, complaint):
    with pytest.raises(ValueError, match=complaint):
        getattr(plots, function)(*arguments)
