"""SMOTE of tables: classes of one size, and rows that a table could hold."""

import numpy as np
import pandas
import pytest

from keras_m2m import smote
from keras_m2m.tabular import TablePreprocessor
from keras_m2m.tabular import smote_nc

pytestmark = pytest.mark.no_backend
Y = np.array([0] * 30 + [1] * 8 + [2])


@pytest.fixture
def table():
    rng = np.random.default_rng(0)
    return pandas.DataFrame(
        {
            "size": np.concatenate([rng.uniform(0, 1, 30), rng.uniform(5, 6, 9)]),
            "age": np.where(np.arange(39) % 4 == 0, np.nan, np.arange(39)),
            "flag": np.arange(39) % 2,
            "city": rng.choice(["Rome", "Oslo", "Bonn"], 39),
            "day": pandas.date_range("2024-01-01", periods=39).astype(str),
        }
    )


def filled(table, y=Y, seed=0):
    made = TablePreprocessor().fit(table)
    x, labels = smote_nc(made, table, y, seed)
    return made, x, labels


def test_classes_get_the_size_of_the_largest_behind_the_given_rows(table):
    made, x, labels = filled(table)
    assert np.bincount(labels).tolist() == [30, 30, 30]
    np.testing.assert_array_equal(x[:39], made.transform(table))
    np.testing.assert_array_equal(labels[:39], Y)


def test_new_numbers_lie_between_those_of_their_class(table):
    made, x, labels = filled(table)
    column = [*made.get_feature_names_out()].index("number__size")
    own = x[:39][Y == 1, column]
    new = x[39:][labels[39:] == 1, column]
    assert (own.min() <= new).all()
    assert (new <= own.max()).all()
    assert len({*new.tolist()} - {*own.tolist()}) > 15


def test_new_rows_have_one_category_each_and_no_half_flags(table):
    made, x, _ = filled(table)
    names = [*made.get_feature_names_out()]
    cities = x[:, [n.startswith("category__city") for n in names]]
    assert cities.sum(axis=1).tolist() == [1] * 90
    for name in ("number__flag", "missing__missingindicator_age"):
        values = x[:, names.index(name)]
        assert {*values[39:].tolist()} <= {*values[:39].tolist()}


def test_the_category_is_that_of_most_neighbours(table):
    table["city"] = ["Rome"] * 30 + ["Oslo"] * 7 + ["Bonn"] * 2
    made, x, labels = filled(table)
    column = [*made.get_feature_names_out()].index("category__city_Oslo")
    new = x[39:][labels[39:] == 1, column]
    assert new.mean() == 1  # Of 8 rows 7 are Oslo, of 5 neighbours at least 4.


def test_a_missing_number_is_missing_in_new_rows_as_one_of_its_class(table):
    table["age"] = np.where(Y == 1, np.nan, np.arange(39.0))
    made, x, labels = filled(table)
    column = [*made.get_feature_names_out()].index("missing__missingindicator_age")
    assert x[39:][labels[39:] == 1, column].tolist() == [1] * 22


def test_a_class_of_one_row_repeats_it(table):
    _, x, labels = filled(table)
    assert {row.tobytes() for row in x[labels == 2]} == {x[38].tobytes()}


def test_the_same_seed_gives_the_same_rows_and_another_one_others(table):
    first, again, other = (filled(table, seed=seed)[1] for seed in (0, 0, 1))
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()


def test_numbers_alone_are_those_of_smote(table):
    numbers = table[["size"]]
    made, x, _ = filled(numbers)
    expected, _ = smote(made.transform(numbers), Y)
    np.testing.assert_allclose(x, expected, atol=1e-5)


def test_categories_alone_stay_categories(table):
    _, x, _ = filled(table[["city", "flag"]])
    assert len(x) == 90
    assert x[:, 1:].sum(axis=1).tolist() == [1] * 90


def test_labels_must_be_as_many_as_rows(table):
    made = TablePreprocessor().fit(table)
    with pytest.raises(ValueError, match="equally many"):
        smote_nc(made, table, Y[1:])
