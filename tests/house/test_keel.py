"""The command over KEEL's tables: what is left to do, its rows, and its page."""

import pathlib

import keel
import numpy as np
import pytest
from imblearn.metrics import geometric_mean_score
from over_tables import methods
from over_tables import page
from over_tables import records
from over_tables import scores
from sklearn.metrics import roc_auc_score

from helpers.svg import texts
from keras_m2m.recipes import Diverged

pytestmark = pytest.mark.no_backend

ROOT = pathlib.Path(keel.__file__).parents[1]


def made_file(folder, name="made-1_vs_2", rows=40):
    rng = np.random.default_rng(0)
    lines = []
    for i in range(rows):
        label = "positive" if i % 4 == 0 else "negative"
        shift = 2 if i % 4 == 0 else 0
        lines.append(
            f"{rng.normal(shift):.3f},{rng.normal():.3f},{'ab'[i % 2]},{label}"
        )
    path = folder / f"{name}.dat"
    path.write_text("\n".join(lines))
    return path


@pytest.fixture(scope="module")
def rows(tmp_path_factory):
    """The rows of all methods on one fold of a made table, after few steps."""
    path = made_file(tmp_path_factory.mktemp("keel"))
    return methods.run(path, 1, methods.NAMES, steps=5, seed=3)


def row_of(rows, name):
    (row,) = (row for row in rows if row["method"] == name)
    return row


def test_every_method_gives_a_row_with_all_columns_that_it_can_have(rows):
    assert [row["method"] for row in rows] == methods.NAMES
    of_m2m = set(records.OF_M2M)
    for row in rows:
        own = of_m2m if row["method"] == "M2m" else set()
        assert row.keys() == set(records.COLUMNS) - of_m2m - {"diverged"} | own
        assert (row["table"], row["fold"], row["rows"]) == ("made-1_vs_2", 1, 40)
        assert (row["positives"], row["features"], row["words"]) == (10, 4, 1)
        assert row["moved"] == 2


def test_adjustment_moves_the_threshold_of_erm_and_no_rank_of_samples(rows):
    assert row_of(rows, "ERM + adjustment")["auc"] == row_of(rows, "ERM")["auc"]


@pytest.mark.parametrize("name", ["ERM + adjustment", "ERM + cRT"])
def test_what_is_made_of_erm_is_what_it_is_alone(rows, name, tmp_path):
    (alone,) = methods.run(made_file(tmp_path), 1, [name], steps=5, seed=3)
    together = row_of(rows, name)
    for measure in records.MEASURES:
        assert alone[measure] == together[measure]


def test_a_training_that_diverges_counts_as_a_guess(tmp_path, monkeypatch):
    def diverge(*arguments, **named):
        raise Diverged("f", "the loss was nan")

    monkeypatch.setattr(methods.keras_m2m, "train", diverge)
    (row,) = methods.run(made_file(tmp_path), 0, ["ERM + cRT"], steps=5, seed=3)
    assert row["diverged"] == 1
    assert [float(row[name]) for name in records.MEASURES] == [0.5, 0, 0.5]


def test_measures_are_those_of_other_libraries():
    y, score = np.array([1, 1, 1, 0, 0, 0, 0]), np.array([2, -1, 3, -2, 1, -3, -4.0])
    found = methods.measures(y, score)
    predicted = (score > 0).astype(int)
    assert found == {
        "balanced_accuracy": f"{(2 / 3 + 3 / 4) / 2:.6f}",
        "geometric_mean": f"{geometric_mean_score(y, predicted):.6f}",
        "auc": f"{roc_auc_score(y, score):.6f}",
    }


@pytest.mark.parametrize("samples, epochs", [(73, 750), (64, 1500), (4376, 22)])
def test_epochs_are_the_fewest_with_so_many_steps(samples, epochs):
    steps_per_epoch = np.ceil(samples / 64)
    assert methods.epochs(samples, 1500) == epochs
    assert (epochs - 1) * steps_per_epoch < 1500 <= epochs * steps_per_epoch


def chosen(folder, *flags):
    return keel.arguments().parse_args([f"--data_dir={folder}", *flags])


def a_row(table="b", fold=0, method="ERM", score=0.5, **changes):
    setting = {"steps": "12", "seed": "0", "backend": methods.backend()}
    numbers = dict.fromkeys(records.MEASURES, f"{score}") | {"seconds": "1.5"}
    sizes = {"rows": 40, "positives": 10, "features": 4, "words": 1, "moved": 2}
    names = {"table": table, "fold": fold, "method": method, "commit": "abcdef0"}
    if method == "M2m":
        numbers |= {"acceptance": "0.75", "replaced": "0.3", "step_size": "0.2"}
    return {**names, **numbers, **sizes, **setting, **changes}


def test_all_tables_have_their_first_fold_before_any_has_its_second(tmp_path):
    for name in "ba":
        made_file(tmp_path, name)
    left = list(keel.jobs_left(chosen(tmp_path), []))
    assert [(path.stem, fold) for path, fold, _ in left[:3]] == [
        ("a", 0),
        ("b", 0),
        ("a", 1),
    ]
    assert len(left) == 2 * 5
    assert all(names == methods.NAMES for _, _, names in left)


def test_what_is_done_is_not_done_again(tmp_path):
    path = tmp_path / "folds.csv"
    made_file(tmp_path, "a")
    names = [name for name in methods.NAMES if name != "M2m"]
    records.append(path, [a_row("a", 0, name) for name in names])
    records.append(path, [a_row("a", 1, name) for name in methods.NAMES])
    left = list(keel.jobs_left(chosen(tmp_path), records.read(path)))
    assert [(fold, names) for _, fold, names in left[:2]] == [
        (0, ["M2m"]),
        (2, methods.NAMES),
    ]


def test_a_line_that_was_cut_off_is_written_again(tmp_path):
    path = tmp_path / "folds.csv"
    records.append(path, [a_row(method="ERM"), a_row(method="RS")])
    path.write_text(path.read_text()[:-5])
    assert [row["method"] for row in records.read(path)] == ["ERM"]
    records.append(path, [a_row(method="RS")])
    assert [row["method"] for row in records.read(path)] == ["ERM", "RS"]


def test_numbers_are_read_as_they_were_written_and_none_where_there_is_none(tmp_path):
    path = tmp_path / "folds.csv"
    records.append(path, [a_row(score=0.25), a_row(method="M2m")])
    erm, m2m = records.read(path)
    assert (erm["balanced_accuracy"], erm["fold"], erm["acceptance"]) == (0.25, 0, None)
    assert (m2m["acceptance"], m2m["step_size"]) == (0.75, 0.2)


def test_results_of_other_steps_are_not_added_to(tmp_path):
    options = chosen(tmp_path, "--steps=12")
    keel.check_setting(options, [a_row()], "folds.csv")
    with pytest.raises(SystemExit, match="'steps': '9'"):
        keel.check_setting(options, [a_row(steps="9")], "folds.csv")


def test_a_folder_without_the_table_is_refused(tmp_path):
    with pytest.raises(SystemExit, match="'b'"):
        list(keel.jobs_left(chosen(tmp_path, "--tables", "b"), []))


def test_a_fold_that_fails_is_named_in_the_end_and_the_others_are_kept(
    tmp_path, monkeypatch
):
    made_file(tmp_path, "a")

    def finished(jobs, chosen):
        for job in jobs:
            error = MemoryError() if job[1] == 1 else None
            yield job, [a_row("a", job[1])], error

    monkeypatch.setattr(keel, "finished", finished)
    options = chosen(tmp_path, "--methods", "ERM", "--steps=12")
    with pytest.raises(SystemExit, match="a, fold 1"):
        keel.run(options, tmp_path / "folds.csv")
    kept = records.read(tmp_path / "folds.csv")
    assert [row["fold"] for row in kept] == [0, 2, 3, 4]


def made_rows(path, folds=5):
    """Rows of three tables, on which methods differ by what their place says."""
    made = []
    for number, table in enumerate(("ecoli1", "ecoli2", "yeast1")):
        for fold in range(folds):
            for place, name in enumerate(methods.NAMES):
                # ERM is the first, DRS the seventh, M2m the tenth.
                score = 0.5 + 0.02 * place + 0.01 * number + 0.001 * (fold - 2)
                made.append(a_row(table, fold, name, round(score, 6)))
    records.append(path, made)
    return records.read(path)


def test_scores_are_means_over_folds(tmp_path):
    found = scores.of_rows(made_rows(tmp_path / "folds.csv"), ["RS", "ERM"])
    assert (found.tables, found.folds) == (["ecoli1", "ecoli2", "yeast1"], 5)
    np.testing.assert_allclose(found.of("RS"), [0.52, 0.53, 0.54])
    np.testing.assert_allclose(found.of("ERM", "seconds"), 1.5)
    assert found.ratios.tolist() == [3, 3, 3]
    assert np.isnan(found.of("ERM", "acceptance")).all()


def test_only_folds_that_all_tables_have_count(tmp_path):
    rows = made_rows(tmp_path / "folds.csv", folds=3)
    cut = [row for row in rows if (row["table"], row["fold"]) != ("yeast1", 2)]
    found = scores.of_rows(cut, ["ERM"])
    assert found.folds == 2
    assert found.of("ERM")[0] == pytest.approx(0.5 - 0.0015)
    with pytest.raises(ValueError, match="a fold that all tables have"):
        scores.of_rows(cut[1:], [*methods.NAMES, "another"])


def test_tables_of_one_data_set_have_one_mean():
    means = scores.by_family(np.array([1.0, 3.0, 7.0]), ["ecoli", "ecoli", "yeast"])
    assert means.tolist() == [2.0, 7.0]


@pytest.fixture(scope="module")
def docs(tmp_path_factory):
    """Documents of the rows of `made_rows`."""
    folder = tmp_path_factory.mktemp("docs")
    page.write(made_rows(folder / "folds.csv"), folder)
    return folder


def test_the_page_says_ranks_tables_won_and_where(docs):
    text = (docs / "results" / "keel.md").read_text()
    assert "M2m is number 3 of 12; the first is ERM + cRT." in text
    assert "M2m minus DRS: +6.00 points in the mean; tables won / equal / lost" in text
    # On every table each method is 2 points above the one before it in `NAMES`.
    assert "| ERM + cRT | 1.00 | 1.00 | 1.00 | 73.0 | 73.0 | 73.0 | 3 |" in text
    assert "| M2m | 3.00 | 3.00 | 3.00 | 69.0 | 69.0 | 69.0 | 0 |" in text
    assert "3 two-class tables of the KEEL repository, made of 2 data sets" in text
    assert "| DRS | +6.00 | +6.00 | 3 / 0 / 0 |" in text
    assert "| boosted trees | -8.00 | -8.00 | 0 / 0 / 3 |" in text
    group = "| ratio of the classes: below 5 | 3 | +6.00 | 3 / 0 / 0 | +18.00 |"
    assert group in text
    assert "| ecoli2 | 40 | 3.0 | 51.0 |" in text


def test_the_pictures_name_the_methods(docs):
    shown = texts(docs / "images" / f"{page.STEM}_with_references.svg")
    assert "logistic regression (2.00)" in shown
    assert "M2m (5.00)" in shown


def test_the_page_and_its_pictures_are_the_same_bytes_twice(docs, tmp_path):
    page.write(records.read(docs / "folds.csv"), tmp_path)
    written = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert len(written) == 3
    for path in written:
        assert path.read_bytes() == (docs / path.relative_to(tmp_path)).read_bytes()


def test_the_page_is_made_of_the_results_beside_it(tmp_path):
    page.write(records.read(ROOT / "results" / "keel" / "folds.csv"), tmp_path)
    made = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert len(made) == 3
    for path in made:
        there = ROOT / "docs" / path.relative_to(tmp_path)
        assert path.read_bytes() == there.read_bytes()
