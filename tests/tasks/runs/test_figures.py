"""The paper's figures, from results and data to files."""

from dataclasses import replace

import numpy as np
import pytest

from helpers import tiny
from helpers.svg import texts
from keras_m2m import plots
from tasks.experiment.errors import UserError
from tasks.runs import figures

pytestmark = pytest.mark.no_backend

COUNTS = [50, 5, 20]
NAMES = ["a < b & $c", "<&>" * 20, "x_1^2"]


def record(method="erm", seed=0, loss="ce", **changes):
    """A result of three classes, the first of which is always recognised."""
    confusion = np.array([[8, 0, 0], [3, 1, 0], [2 + seed, 0, 2 - seed]])
    kept = {
        "source": "three classes",
        "class_names": NAMES,
        "class_counts": COUNTS,
        "flags": {"method": method, "loss": loss},
        "seed": seed,
        "confusion_matrix": confusion.tolist(),
        "per_class_recall": (confusion.diagonal() / confusion.sum(axis=1)).tolist(),
    }
    return {**kept, **changes}


M2M = {
    "translated": [[0, 0, 0], [9, 0, 4], [7, 0, 0]],
    "accepted": [[0, 0, 0], [3, 0, 4], [0, 0, 0]],
}


@pytest.fixture
def drawn(monkeypatch):
    """What is given to the plots, which are drawn all the same, by their name."""
    given = {}

    def watch(name):
        plot = getattr(plots, name)

        def draw(*arguments):
            given[name] = arguments
            return plot(*arguments)

        monkeypatch.setattr(plots, name, draw)

    for name in ("cumulative_false_positives", "acceptance_by_pair", "recall_gain"):
        watch(name)
    return given


def test_a_figure_is_saved_as_png_and_svg(tmp_path):
    figure = plots.class_sizes({"made": [5, 3]})
    png, svg = figures.save(figure, tmp_path / "new", "sizes")
    assert png == tmp_path / "new" / "sizes.png"
    assert svg == tmp_path / "new" / "sizes.svg"
    assert png.read_bytes().startswith(b"\x89PNG")
    assert "samples" in " ".join(texts(svg))


def test_a_figure_is_the_same_bytes_twice(tmp_path):
    pairs = [M2M["accepted"], M2M["translated"]]
    once, again = (
        [
            path.read_bytes()
            for path in figures.save(
                plots.acceptance_by_pair(*pairs, COUNTS), tmp_path / name, "pairs"
            )
        ]
        for name in "ab"
    )
    assert once == again


def test_any_class_name_is_text_of_the_svg(tmp_path):
    results = [record(), record("m2m", **M2M)]
    for _, svg in figures.draw_from_results(results, tmp_path).values():
        found = texts(svg)
        if "false_positives" not in svg.name:
            assert any(text.startswith("a < b & $c") for text in found)
            assert any(text.startswith("<&><&><&><") and "…" in text for text in found)


def test_results_of_all_methods_give_every_figure(tmp_path):
    results = [record(), record("m2m", **M2M), record("m2m", loss="ldam", **M2M)]
    paths = figures.draw_from_results(results, tmp_path)
    assert set(paths) == {
        "cumulative_false_positives",
        "acceptance_by_pair_m2m_ce",
        "acceptance_by_pair_m2m_ldam",
        "recall_gain",
    }
    assert all(path.is_file() for pair in paths.values() for path in pair)


def test_results_without_translations_or_erm_give_the_others(tmp_path):
    drawn = figures.draw_from_results([record("rs"), record("drs")], tmp_path)
    assert set(drawn) == {"cumulative_false_positives"}


def test_a_method_is_called_what_it_is_in_its_table(tmp_path, drawn):
    labels = {("m2m_lam0", "ce"): "M2m (λ = 0)"}
    results = [record(), record("m2m_lam0")]
    figures.draw_from_results(results, tmp_path, labels)
    assert list(drawn["cumulative_false_positives"][0]) == ["ERM", "M2m (λ = 0)"]
    assert list(drawn["recall_gain"][0]) == ["M2m (λ = 0)"]


def test_data_of_one_source_and_other_counts_are_both_drawn(tmp_path):
    data = tiny.blobs(tiny.settings())
    x, y = data.train
    paths = figures.draw_class_sizes(
        [data, replace(data, train=(x[1:], y[1:]))], tmp_path
    )
    found = texts(paths["class_sizes"][1])
    assert {"three blobs, 56 samples", "three blobs, 55 samples"} <= set(found)


def test_translations_are_summed_over_seeds(tmp_path, drawn):
    results = [record("m2m", seed, **M2M) for seed in (0, 1)]
    figures.draw_from_results(results, tmp_path)
    accepted, translated, *_ = drawn["acceptance_by_pair"]
    np.testing.assert_array_equal(accepted, 2 * np.array(M2M["accepted"]))
    np.testing.assert_array_equal(translated, 2 * np.array(M2M["translated"]))


def test_false_positives_are_a_mean_over_seeds_of_equally_large_classes(
    tmp_path, drawn
):
    figures.draw_from_results([record(seed=0), record(seed=1)], tmp_path)
    [(name, matrix)] = drawn["cumulative_false_positives"][0].items()
    mean = (8 + 4 + 4) / 3
    shares = [[1, 0, 0], [3 / 4, 1 / 4, 0], [2.5 / 4, 0, 1.5 / 4]]
    assert name == "ERM"
    np.testing.assert_allclose(matrix, mean * np.array(shares))


def test_false_positives_of_a_balanced_test_set_are_counted_as_they_are(
    tmp_path, drawn
):
    confusion = [[4, 0, 0], [3, 1, 0], [2, 0, 2]]
    figures.draw_from_results([record(confusion_matrix=confusion)], tmp_path)
    np.testing.assert_array_equal(
        drawn["cumulative_false_positives"][0]["ERM"], confusion
    )


def test_a_class_without_test_samples_stays_out(tmp_path, drawn):
    changes = {
        "confusion_matrix": [[4, 0, 0], [0, 0, 0], [2, 0, 2]],
        "per_class_recall": [1.0, None, 0.5],
    }
    results = [record(method, **changes) for method in ("erm", "drs")]
    figures.draw_from_results(results, tmp_path)
    matrix = drawn["cumulative_false_positives"][0]["DRS"]
    np.testing.assert_array_equal(matrix, changes["confusion_matrix"])
    np.testing.assert_array_equal(drawn["recall_gain"][1], [[1.0, np.nan, 0.5]])


def test_recalls_are_paired_by_seed_whatever_the_order_of_results(tmp_path, drawn):
    results = [record("drs", seed) for seed in (1, 0, 2)]
    results += [record("erm", seed) for seed in (0, 1)]
    figures.draw_from_results(results, tmp_path)
    gained, baseline, counts, names, about = drawn["recall_gain"]
    expected = [[1, 1 / 4, (2 - seed) / 4] for seed in (0, 1)]
    np.testing.assert_allclose(gained["DRS"], expected)
    np.testing.assert_allclose(baseline, expected)
    assert (counts, names, about) == (COUNTS, NAMES, "ERM")


@pytest.mark.parametrize(
    "results, message",
    [
        ([], "no results"),
        ([record(), record()], "two results of ERM with seed 0"),
        ([record(), record("drs", seed=1)], "no seed in common: ERM: .0.; DRS: .1."),
        ([record(), record("drs", source="other")], "source"),
        ([record(), record("drs", class_counts=[50, 5, 21])], "class_counts"),
    ],
)
def test_results_that_do_not_go_together_are_told(results, message, tmp_path):
    with pytest.raises(UserError, match=message):
        figures.draw_from_results(results, tmp_path)
    assert not list(tmp_path.iterdir())


def test_at_most_fifty_rows_of_each_class_are_drawn():
    labels = np.repeat([0, 1, 2], [80, 50, 7])
    rows = figures.rows_per_class(labels, [0, 1, 2])
    assert np.bincount(labels[rows]).tolist() == [50, 50, 7]
    assert len(set(rows)) == len(rows)
    assert sorted(rows) == list(rows)


def test_rows_of_a_class_depend_on_the_seed_and_on_no_other_class():
    labels = np.arange(90) % 3
    alone = figures.rows_per_class(labels, [2], per_class=5, seed=1)
    among = figures.rows_per_class(labels, [0, 2], per_class=5, seed=1)
    np.testing.assert_array_equal(among[labels[among] == 2], alone)
    others = figures.rows_per_class(labels, [2], per_class=5, seed=2)
    assert list(others) != list(alone)


def test_all_of_few_classes_are_shown_by_falling_count():
    assert figures.evenly_by_count([5, 50, 20]).tolist() == [1, 2, 0]


def test_of_many_classes_ten_are_shown_from_the_largest_to_the_smallest():
    shown = figures.evenly_by_count(np.arange(1, 101))
    assert shown.tolist() == [99 - 11 * i for i in range(10)]


def test_an_embedding_keeps_far_clusters_apart_and_repeats():
    rng = np.random.default_rng(0)
    centers = np.repeat([[0.0] * 4, [50.0] * 4], 8, axis=0)
    given = {"ERM": (centers + rng.normal(size=(16, 4))).astype("float32")}
    points, again = (figures.embedding(given, seed=0)["ERM"] for _ in range(2))
    np.testing.assert_array_equal(points, again)
    distances = np.linalg.norm(points[:, None] - points, axis=-1)
    np.fill_diagonal(distances, np.inf)
    same = np.arange(16) // 8
    np.testing.assert_array_equal(same[distances.argmin(axis=1)], same)


def test_class_sizes_are_drawn_from_data(tmp_path):
    paths = figures.draw_class_sizes([tiny.blobs(tiny.settings())], tmp_path)
    assert "three blobs" in texts(paths["class_sizes"][1])
