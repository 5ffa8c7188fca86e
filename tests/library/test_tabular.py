"""Tables as vectors: right values, the same again, and what stays in a translation."""

import datetime
import importlib.util
import pathlib
import pickle
import runpy

import numpy as np
import pandas
import polars
import pytest
import sklearn.base

from keras_m2m import tabular
from keras_m2m.tabular import TablePreprocessor
from keras_m2m.tabular import columns
from keras_m2m.tabular import load_preprocessor
from keras_m2m.tabular import save_preprocessor

pytestmark = pytest.mark.no_backend


def fitted(*, new=None, **columns):
    """Entries by name, of the rows of `new` if there are such."""
    made = TablePreprocessor().fit(pandas.DataFrame(columns))
    encoded = made.transform(pandas.DataFrame(new if new else columns))
    names = made.get_feature_names_out()
    return made, dict(zip(names, encoded.T.tolist(), strict=True))


def units(made):
    return dict(zip(made.get_feature_names_out(), made.units_.tolist(), strict=True))


MIXED = pandas.DataFrame(
    {
        "amount": [1.5, np.nan, 3.0, 4.5, 9.0, 2.0],
        "count": [1, 2, 3, 4, 5, 6],
        "city": ["Rome", "Oslo", "Rome", None, "Oslo", "Bonn"],
        "day": ["03/01/2024", "28/02/2024", "03/03/2024", None, "03/05/2024"] * 1
        + ["13/06/2024"],
        "fast": [True, False, True, True, False, True],
        "empty": [None] * 6,
    }
)


# Numbers.


def test_numbers_get_mean_0_and_variance_1():
    _, found = fitted(age=[30, 40, 50, 60])
    expected = (np.array([30, 40, 50, 60]) - 45) / np.sqrt(125)
    np.testing.assert_allclose(found["number__age"], expected, rtol=1e-6)


def test_new_rows_are_encoded_by_the_training_rows():
    _, found = fitted(age=[30, 50], new={"age": [40, 60, 10]})
    assert found == {"number__age": [0, 2, -3]}


@pytest.mark.parametrize("missing", [np.nan, None, np.inf, -np.inf, 1e300])
def test_a_missing_number_is_the_median_and_said_to_be_missing(missing):
    made, found = fitted(age=[1.0, 2.0, 6.0, missing])
    # With the median, 2, in its place the mean is 2.75.
    values = np.array([1, 2, 6, 2]) - 2.75
    expected = values / np.sqrt((values**2).mean())
    np.testing.assert_allclose(found["number__age"], expected, rtol=1e-6)
    assert found["missing__missingindicator_age"] == [0, 0, 0, 1]
    assert units(made) == {"number__age": 1, "missing__missingindicator_age": 0}


def test_a_number_that_is_missing_in_new_rows_alone_is_the_median():
    made = TablePreprocessor().fit(pandas.DataFrame({"age": [1, 2, 9]}))
    new, median = (made.transform(pandas.DataFrame({"age": [v]})) for v in (None, 2))
    assert new.tolist() == median.tolist()


def test_numbers_that_are_written_as_text_are_numbers():
    _, text = fitted(age=["30", " 50 ", "?", ""])
    _, numbers = fitted(age=[30, 50, np.nan, np.nan])
    assert text == numbers


@pytest.mark.parametrize(
    ("values", "odd", "message"),
    [
        (map(str, range(60)), "heavy", "1 of its distinct values are no number"),
        (
            pandas.date_range("2024-01-01", periods=60).strftime("%d.%m.%Y"),
            "soon",
            "1 of its distinct values are no date",
        ),
    ],
    ids=["numbers", "dates"],
)
def test_a_stray_text_that_makes_a_column_text_is_named(values, odd, message):
    table = pandas.DataFrame({"own": [*values, odd]})
    with pytest.warns(UserWarning, match=f"'own' is read as text.*{message}.*'{odd}'"):
        TablePreprocessor().fit(table)


def test_texts_that_all_read_in_some_form_are_no_stray_ones():
    days = pandas.date_range("2024-01-01", periods=60).strftime("%d.%m.%Y")
    assert columns.misread(pandas.Series(days)) is None


def test_what_is_no_number_in_new_rows_is_missing():
    made = TablePreprocessor().fit(pandas.DataFrame({"age": [1.0, 2.0, None]}))
    with pytest.warns(UserWarning, match="'age': 1 of 1 values are no number .*'old'"):
        found = made.transform(pandas.DataFrame({"age": ["old"]}))
    assert found.tolist() == made.transform(pandas.DataFrame({"age": [None]})).tolist()


def test_booleans_are_the_same_where_one_is_missing():
    made = TablePreprocessor().fit(pandas.DataFrame({"new": [True, False, True]}))
    whole = made.transform(pandas.DataFrame({"new": [True, False, True]}))
    for new in ([True, False, None], ["True", "False", ""]):
        found = made.transform(pandas.DataFrame({"new": new}, dtype=object))
        assert found.tolist() == whole.tolist()


def test_a_constant_stays_and_is_0():
    made, found = fitted(a=[7, 7, 7], b=[1, 2, 3])
    assert found["number__a"] == [0, 0, 0]
    assert units(made) == {"number__a": 0, "number__b": 1}


def test_numbers_of_two_values_are_no_quantities():
    made, _ = fitted(flag=[0, 1, 1, None], code=[5.0, 7.0, 5.0, 5.0], age=[1, 2, 3, 4])
    assert made.categorical_ == ["flag", "code"]
    assert units(made)["number__flag"] == units(made)["number__code"] == 0
    assert units(made)["number__age"] == 1


def test_far_outliers_in_new_rows_stay_finite():
    _, found = fitted(a=[0, 1e-12, 2e-12], new={"a": [1e30]})
    assert found["number__a"] == [1e9]


# Categories.


def test_categories_are_one_hot_and_stay_in_a_translation():
    made, found = fitted(city=["Rome", "Oslo", "Rome", "Oslo"], age=[1, 2, 3, 4])
    assert found["category__city_Oslo"] == [0, 1, 0, 1]
    assert found["category__city_Rome"] == [1, 0, 1, 0]
    assert made.units_.tolist() == [1, 0, 0]
    assert made.categorical_ == ["city"]


def test_where_no_entry_is_a_quantity_all_move():
    made, _ = fitted(city=["Rome", "Oslo"] * 3, flag=[0, 1, 1] * 2)
    assert made.units_.tolist() == [1, 1, 1]


def test_rare_and_new_categories_share_an_entry():
    city = ["Rome", "Rome", "Oslo", "Oslo", "Bonn", "Kiel"]
    _, found = fitted(city=city, new={"city": ["Bonn", "Kiel", "Lima", "Rome"]})
    assert found["category__city_infrequent_sklearn"] == [1, 1, 1, 0]
    assert found["category__city_Rome"] == [0, 0, 0, 1]


def test_a_new_category_is_none_where_all_are_frequent():
    _, found = fitted(city=["Rome", "Oslo"] * 2, new={"city": ["Lima"]})
    assert found == {"category__city_Oslo": [0], "category__city_Rome": [0]}


@pytest.mark.parametrize("missing", [None, np.nan, "", "NA", "?", "<null>"])
def test_a_missing_category_is_one(missing):
    _, found = fitted(city=["Rome", "Rome", missing, missing])
    assert found["category__city_(missing)"] == [0, 0, 1, 1]


def test_categories_of_pandas_and_booleans_with_gaps_are_categories():
    made, _ = fitted(
        size=pandas.Categorical(["S", "L", "S", "L"]),
        old=pandas.Series([True, None, False, True], dtype=object),
    )
    assert made.kinds_ == {"size": "category", "old": "category"}


def test_many_values_are_text_that_stays_in_a_translation():
    words = [f"{a} {b}" for a in ("red", "blue", "green") for b in range(100, 130)]
    made, found = fitted(age=np.arange(90), what=words)
    assert made.kinds_ == {"age": "number", "what": "text"}
    assert made.units_.tolist() == [1] + [0] * 30
    entries = np.array([*found.values()]).T[:, 1:]
    near, far = (np.linalg.norm(entries[0] - entries[i]) for i in (1, 45))
    assert near < far
    new = pandas.DataFrame({"age": 0, "what": ["red 100", None, "purple"]})
    new = made.transform(new)[:, 1:]
    np.testing.assert_allclose(new[0], entries[0], atol=1e-6)
    assert np.isfinite(new).all()


# Dates.


@pytest.mark.parametrize(
    "days",
    [
        ["2024-03-01", "2024-05-13", "2023-03-07"],
        ["01/03/2024", "13/05/2024", "07/03/2023"],
        pandas.to_datetime(["2024-03-01", "2024-05-13", "2023-03-07"]),
        pandas.to_datetime(["2024-03-01", "2024-05-13", "2023-03-07"], utc=True),
        [
            datetime.date(2024, 3, 1),
            datetime.date(2024, 5, 13),
            datetime.date(2023, 3, 7),
        ],
    ],
)
def test_dates_are_standardised_numbers(days):
    made, found = fitted(day=days)
    months = np.array([3, 5, 3])
    expected = (months - months.mean()) / months.std()
    np.testing.assert_allclose(found["number__day_month"], expected, rtol=1e-5)
    seconds = np.array([1709251200, 1715558400, 1678147200])
    expected = (seconds - seconds.mean()) / seconds.std()
    found = found["number__day_total_seconds"]
    np.testing.assert_allclose(found, expected, rtol=1e-3)
    assert units(made)["number__day_total_seconds"] == 1


def test_a_missing_date_is_said_to_be_missing_once():
    _, found = fitted(day=["2024-03-01", None, "2023-05-07"])
    marks = [values for name, values in found.items() if name.startswith("missing")]
    assert marks == [[0, 1, 0]]


def test_a_date_from_a_file_of_other_form_is_read_like_one():
    made = TablePreprocessor().fit(
        pandas.DataFrame({"day": pandas.to_datetime(["2024-03-01", "2023-05-07"])})
    )
    text = made.transform(pandas.DataFrame({"day": ["2024-03-01"]}))
    date = made.transform(pandas.DataFrame({"day": pandas.to_datetime(["2024-03-01"])}))
    assert text.tolist() == date.tolist()


@pytest.mark.parametrize("day", ["01.03.2024", 20240301])
def test_dates_in_another_form_than_those_of_fit_are_warned_of(day):
    made = TablePreprocessor().fit(pandas.DataFrame({"day": ["2024-03-01", None]}))
    missing = made.transform(pandas.DataFrame({"day": [None]}))
    with pytest.warns(UserWarning, match="'day': 1 of 2 values are no date"):
        found = made.transform(pandas.DataFrame({"day": [day, None]}))
    assert found.tolist() == [*missing.tolist()] * 2


def test_values_of_several_types_are_what_they_print():
    made = TablePreprocessor().fit(pandas.DataFrame({"a": [1, True, "x", [2]] * 2}))
    for value, name in ((1, "1"), (True, "True"), ("[2]", "[2]")):
        found = made.transform(pandas.DataFrame({"a": [value]}, dtype=object))[0]
        names = made.get_feature_names_out()
        assert [*names[found == 1]] == [f"category__a_{name}"]


@pytest.mark.parametrize("value", ["1e400", np.inf])
def test_a_column_of_no_number_that_can_be_computed_with_is_empty(value):
    made = TablePreprocessor().fit(pandas.DataFrame({"a": [value] * 3, "b": [1, 2, 3]}))
    assert made.kinds_ == {"a": "empty", "b": "number"}


def test_parts_of_a_date_do_not_replace_a_column():
    _, found = fitted(
        day=["2024-03-01", "2025-05-07", "2023-04-09"], day_year=[5, 7, 9]
    )
    assert found["number__day_year"] == pytest.approx([-(1.5**0.5), 0, 1.5**0.5])
    assert "number__day_year_" in found


# The whole table.


def test_the_same_table_gives_the_same_numbers():
    first, second = (TablePreprocessor().fit_transform(MIXED) for _ in range(2))
    assert first.dtype == "float32"
    np.testing.assert_array_equal(first, second)


def test_a_column_without_values_is_left_out():
    made = TablePreprocessor().fit(MIXED)
    assert made.kinds_ == {
        "amount": "number",
        "count": "number",
        "city": "category",
        "day": "date",
        "fast": "number",
        "empty": "empty",
    }
    assert not [name for name in made.get_feature_names_out() if "empty" in name]


def test_polars_arrays_and_pandas_agree():
    made = TablePreprocessor().fit(MIXED)
    expected = made.transform(MIXED)
    frame = polars.DataFrame({n: MIXED[n].tolist() for n in MIXED}, strict=False)
    np.testing.assert_array_equal(made.transform(frame), expected)
    rows = MIXED.astype(object).to_numpy()
    again = TablePreprocessor().fit_transform(rows)
    np.testing.assert_allclose(again, expected, atol=1e-6)


def test_a_long_table_is_encoded_in_pieces(monkeypatch):
    made = TablePreprocessor().fit(MIXED)
    expected = made.transform(MIXED)
    monkeypatch.setattr("keras_m2m.tabular.preprocessor._ROWS_AT_ONCE", 2)
    np.testing.assert_array_equal(made.transform(MIXED), expected)
    assert made.transform(MIXED[:0]).shape == (0, expected.shape[1])


def test_it_is_a_transformer_of_scikit_learn():
    made = TablePreprocessor(most_categories=3).fit(MIXED)
    assert sklearn.base.clone(made).get_params() == made.get_params()
    again = pickle.loads(pickle.dumps(made))
    np.testing.assert_array_equal(again.transform(MIXED), made.transform(MIXED))
    frame = made.set_output(transform="pandas").transform(MIXED)
    assert [*frame.columns] == [*made.get_feature_names_out()]


def test_a_saved_one_encodes_as_before(tmp_path):
    words = pandas.DataFrame({"word": [f"w{i} {i * 7}" for i in range(60)]})
    table = pandas.concat([MIXED] * 10, ignore_index=True).join(words)
    made = TablePreprocessor().fit(table)
    save_preprocessor(made, tmp_path / "own.skops")
    again = load_preprocessor(tmp_path / "own.skops")
    np.testing.assert_array_equal(again.transform(table), made.transform(table))
    np.testing.assert_array_equal(again.units_, made.units_)
    assert [*again.feature_names_in_] == [*table.columns]


def test_a_file_of_something_else_is_refused(tmp_path):
    import skops.io

    path = tmp_path / "own.skops"
    path.write_bytes(b"PK")
    with pytest.raises(ValueError, match="cannot be read as one"):
        load_preprocessor(path)
    skops.io.dump(pandas.read_csv, path)  # A function to be called by the reader.
    with pytest.raises(ValueError, match=r"own\.skops"):
        load_preprocessor(path)


def test_what_is_not_installed_is_named(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    match = "pandas, sklearn, skops, skrub.*pip install pandas scikit-learn skops skrub"
    with pytest.raises(ImportError, match=match):
        runpy.run_path(str(pathlib.Path(tabular.__file__)))


# Refused.


@pytest.mark.parametrize(
    "table, match",
    [
        (pandas.DataFrame([[1, 2]], columns=["a", "a"]), "names of their own.*'a'"),
        (pandas.DataFrame({"a": [1 + 2j]}), "'a' holds complex numbers"),
        (pandas.DataFrame({"a": [None, None]}), "At least one column must hold"),
        ([1, 2, 3], r"rows and columns. Received: shape \(3,\)"),
        ([[1, 2], [3]], "rows of one length"),
    ],
)
def test_what_is_no_table_is_refused(table, match):
    with pytest.raises(ValueError, match=match):
        TablePreprocessor().fit(table)


def test_other_columns_than_those_of_fit_are_refused():
    made = TablePreprocessor().fit(MIXED)
    with pytest.raises(ValueError, match="city"):
        made.transform(MIXED.drop(columns="city"))


@pytest.mark.parametrize("name", ["most_categories", "least_rows", "text_size"])
def test_arguments_are_whole_numbers_of_at_least_1(name):
    with pytest.raises(ValueError, match=name):
        TablePreprocessor(**{name: 0}).fit(MIXED)
