"""KEEL's tables, their folds and features, on made files."""

import numpy as np
import pandas
import pytest
from over_tables import tables

pytestmark = pytest.mark.no_backend

ROWS = """\
M, 0.5,1, negative
F, 1.5,1,positive
I, <null>,2,negative
M, 2.5,7, positive
"""


def a_file(folder, text, name="made-1_vs_2"):
    path = folder / f"{name}.dat"
    path.write_text(text)
    return path


def a_table(columns, y=None):
    columns = pandas.DataFrame(columns)
    y = np.resize([0, 1], len(columns)) if y is None else np.array(y)
    return tables.Table("made", columns, y)


def test_the_last_column_is_the_label_with_or_without_spaces(tmp_path):
    table = tables.read(a_file(tmp_path, ROWS))
    assert table.name == "made-1_vs_2"
    assert table.columns.shape == (4, 3)
    assert table.y.tolist() == [0, 1, 0, 1]


def test_another_label_is_refused(tmp_path):
    text = ROWS.replace("I, <null>,2,negative", "I, <null>,2,neutral")
    with pytest.raises(ValueError, match="'neutral'"):
        tables.read(a_file(tmp_path, text))


@pytest.mark.parametrize(
    "name, family",
    [
        ("ecoli-0-1_vs_5", "ecoli"),
        ("ecoli3", "ecoli"),
        ("winequality-red-3_vs_5", "winequality-red"),
        ("winequality-white-9_vs_4", "winequality-white"),
        ("kr-vs-k-zero_vs_eight", "kr-vs-k"),
        ("shuttle-c0-vs-c4", "shuttle"),
        ("page-blocks0", "page-blocks"),
    ],
)
def test_tables_of_one_data_set_are_a_family(name, family):
    assert tables.family(name) == family


def test_each_row_is_tested_in_one_fold_and_positives_are_spread_evenly():
    table = a_table({"a": range(43)}, [1] * 7 + [0] * 36)
    folds = tables.folds(table, seed=3)
    tested = np.concatenate([test for _, test in folds])
    assert sorted(tested) == list(range(43))
    assert sorted(table.y[test].sum() for _, test in folds) == [1, 1, 1, 2, 2]
    for train, test in folds:
        assert not set(train) & set(test)
        assert len(train) + len(test) == 43


def test_folds_follow_from_the_seed():
    table = a_table({"a": range(43)}, [1] * 7 + [0] * 36)
    first, again, other = (tables.folds(table, seed)[0][1] for seed in (3, 3, 4))
    assert first.tolist() == again.tolist() != other.tolist()


def test_numbers_are_standardised_by_training_rows_alone():
    table = a_table({"a": [1.0, 3.0, 2.0, 100.0]})
    found = tables.features(table, np.arange(3), np.array([3]))
    sd = (2 / 3) ** 0.5
    np.testing.assert_allclose(found.x, [[-1 / sd], [1 / sd], [0]], rtol=1e-6)
    np.testing.assert_allclose(found.x_test, [[98 / sd]], rtol=1e-6)


def test_a_translation_moves_numbers_and_leaves_words():
    columns = {"a": [1.0, 3.0, 2.0, 5.0], "b": ["x", "y", "x", "y"]}
    found = tables.features(a_table(columns), np.arange(4), np.array([0]))
    assert (found.units.tolist(), found.words) == ([1, 0, 0], 1)


def test_a_translation_moves_words_where_there_is_nothing_else():
    found = tables.features(a_table({"b": list("xyxy")}), np.arange(4), np.array([0]))
    assert (found.units.tolist(), found.words) == ([1, 1], 1)
