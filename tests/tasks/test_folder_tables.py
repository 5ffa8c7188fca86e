"""Tables of the user's own: which column is what, what is refused, and what is kept."""

import json

import numpy as np
import pandas
import pytest

from helpers.own_data import load
from keras_m2m.recipes import METHODS
from keras_m2m.recipes import phases
from tasks import folder
from tasks import predict
from tasks.experiment.errors import UserError
from tasks.experiment.settings import parse
from tasks.runs import runner
from tasks.training.recipe import recipe_of
from tasks.training.recipe import training_set

pytestmark = pytest.mark.no_backend
ROWS = 60


@pytest.fixture
def table():
    """Claims, one in four fraudulent."""
    rng = np.random.default_rng(0)
    return pandas.DataFrame(
        {
            "amount": rng.normal(100, 20, ROWS).round(2),
            "city": rng.choice(["Rome", "Oslo", "Bonn"], ROWS),
            "day": pandas.date_range("2024-01-01", periods=ROWS).astype(str),
            "fraud": np.where(np.arange(ROWS) % 4 == 0, "yes", "no"),
        }
    )


@pytest.fixture
def read(tmp_path):
    def read(table, *flags):
        table.to_csv(tmp_path / "own.csv", index=False)
        return load(tmp_path / "own.csv", *flags)

    return read


def refused(read, table, match, *flags):
    with pytest.raises(UserError, match=match):
        read(table, *flags)


# What is read.


def test_the_label_is_a_column_and_the_others_are_samples(read, table):
    data = read(table, "--label=fraud")
    assert data.class_names == ["no", "yes"]
    # Of 45 and 15 rows a tenth and a fifth are held out.
    assert data.class_counts.tolist() == [45 - 4 - 9, 15 - 1 - 3]
    assert data.train[0].dtype == "float32"
    names = [*data.preprocessor.get_feature_names_out()]
    assert names[0] == "number__amount"
    assert not [name for name in names if "fraud" in name]
    assert data.units[names.index("category__city_Rome")] == 0
    assert data.units[0] == 1


def test_the_preprocessing_is_fitted_on_the_training_rows_alone(read, table):
    data = read(table, "--label=fraud")
    amounts = data.train[0][:, 0].astype("float64")
    assert amounts.mean() == pytest.approx(0, abs=1e-6)
    assert amounts.std() == pytest.approx(1, abs=1e-6)
    assert abs(data.test[0][:, 0].mean()) > 1e-3


@pytest.mark.parametrize("name", ["label", "Target", "CLASS", "y"])
def test_a_usual_name_of_the_label_is_found(name, read, table):
    assert read(table.rename(columns={"fraud": name})).class_names == ["no", "yes"]


def test_columns_are_listed_where_the_label_is_not_clear(read, table):
    refused(read, table, r"--label=NAME.*none is called so.*'amount', 'city', 'day'")
    table = table.rename(columns={"fraud": "y", "city": "target"})
    refused(read, table, "'target', 'y' may each be it")
    refused(read, table, "holds no column 'Fraud'.*'amount'", "--label=Fraud")


def test_a_keel_table_is_labelled_by_its_last_column(tmp_path):
    rows = [f"{'MF'[i % 2]}, {i / 7:.3f},{'np'[i % 5 == 0]}" for i in range(40)]
    (tmp_path / "own.dat").write_text("\n".join(rows))
    data = load(tmp_path / "own.dat")
    assert data.class_names == ["n", "p"]
    assert data.preprocessor.kinds_ == {"x1": "category", "x2": "number"}


def test_whole_numbers_are_classes_whatever_their_type(read, table):
    table["fraud"] = np.where(table["fraud"] == "yes", 1.0, 0.0)
    assert read(table, "--label=fraud").class_names == ["0", "1"]


def test_rows_without_a_label_are_refused_or_left_out(read, table):
    table.loc[:2, "fraud"] = None
    refused(read, table, "3 of 60 rows have no label", "--label=fraud")
    data = read(table, "--label=fraud", "--missing=drop")
    parts = (data.train, data.validation, data.test)
    assert sum(len(y) for _, y in parts) == 57


def test_a_column_of_splits_and_files_of_splits_agree(tmp_path, table):
    splits = np.repeat(["train", "val", "test"], 20)
    (tmp_path / "many").mkdir()
    for name, rows in table.groupby(splits):
        rows.to_csv(tmp_path / "many" / f"{name}.csv", index=False)
    by_file = load(tmp_path / "many", "--label=fraud")
    (tmp_path / "one").mkdir()
    table.assign(Split=splits).to_csv(tmp_path / "one" / "own.csv", index=False)
    by_column = load(tmp_path / "one" / "own.csv", "--label=fraud")
    for data in (by_file, by_column):
        assert [len(data.train[1]), len(data.validation[1]), len(data.test[1])] == [
            20
        ] * 3
    np.testing.assert_array_equal(by_file.test[0], by_column.test[0])
    table.drop(columns="city").to_csv(tmp_path / "many" / "test.csv", index=False)
    with pytest.raises(UserError, match=r"test.csv lacks the columns 'city'"):
        load(tmp_path / "many", "--label=fraud")


def test_identifiers_are_noted_and_left_out_by_name(read, table):
    table["claim"] = np.arange(ROWS) + 1000
    with_id = read(table, "--label=fraud")
    assert "claim" in with_id.preprocessor.kinds_
    without = read(table, "--label=fraud", "--id=claim,day")
    assert [*without.preprocessor.kinds_] == ["amount", "city"]
    refused(read, table, "--id.*no column 'claims'", "--label=fraud", "--id=claims")


def test_a_column_of_identifiers_is_noted(read, table, capsys):
    read(table.assign(claim=np.arange(ROWS)), "--label=fraud")
    assert "note: 'claim': each row has a value" in capsys.readouterr().out


# What gives the label away.


@pytest.mark.parametrize(
    "values",
    [{"yes": "yes", "no": "no"}, {"yes": 0, "no": 7}, {"yes": None, "no": "x"}],
)
def test_a_column_that_is_the_label_in_other_words_is_refused(values, read, table):
    table["paid"] = table["fraud"].map(values)
    refused(read, table, "'paid'.*--id=paid", "--label=fraud")
    read(table, "--label=fraud", "--id=paid")


def test_a_column_whose_values_settle_the_label_is_noted(read, table, capsys):
    table["code"] = np.where(
        table["fraud"] == "yes", "f", np.where(table["amount"] > 100, "a", "b")
    )
    read(table, "--label=fraud")
    assert "note: 'code': each value goes with one class" in capsys.readouterr().out


def test_a_column_that_nearly_is_the_label_is_a_feature(read, table, capsys):
    table["paid"] = table["fraud"]
    table.loc[:9, "paid"] = "no"
    read(table, "--label=fraud")
    assert "goes with one class" not in capsys.readouterr().out


# What is refused.


@pytest.mark.parametrize(
    "label, match",
    [
        (np.arange(ROWS) * 1.5, "60 distinct numbers.*HistGradientBoostingRegressor"),
        (np.arange(ROWS), "60 distinct numbers.*HistGradientBoostingRegressor"),
        (["a"] * ROWS, "At least two classes"),
        (["a", "b", "a;b", "c"] * 15, "several labels a row.*'a;b'.*MultiOutput"),
        ([None] * ROWS, "no label at all"),
        (["yes", "Yes", "no", "no"] * 15, "differ only in case"),
    ],
)
def test_labels_that_are_no_classes_are_refused(label, match, read, table):
    refused(read, table.assign(fraud=label), match, "--label=fraud")


def test_several_columns_of_labels_are_refused(read, table):
    refused(read, table, "one class a row.*MultiOutput", "--label=city,fraud")


def test_five_thousand_texts_are_no_classes(read):
    table = pandas.DataFrame({"a": range(5000), "y": [f"n{i}" for i in range(5000)]})
    refused(read, table, "5000 distinct texts")


def test_a_table_of_labels_alone_is_refused(read, table):
    refused(read, table[["fraud"]], "no column beside the label", "--label=fraud")


def test_smote_interpolates_numbers_and_takes_categories_of_the_table(read, table):
    data = read(table, "--label=fraud")
    x, y = training_set(data).smote(0)
    assert np.bincount(y).tolist() == [32, 32]
    names = data.preprocessor.get_feature_names_out()
    cities = x[:, [name.startswith("category__city") for name in names]]
    assert cities.sum(axis=1).tolist() == [1] * 64
    settings = parse(folder.TASK, ["--method=smote"])
    phase = phases.Phase(METHODS["smote"], 0, 1)
    arguments = training_set(data), recipe_of(settings)
    batch, _ = phases.fit_arguments(phase, *arguments)["x"][0]
    assert {row.tobytes() for row in batch} <= {row.tobytes() for row in x}


# From rows to predictions.


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    place = tmp_path_factory.mktemp("run")
    rng = np.random.default_rng(0)
    table = pandas.DataFrame({"size": rng.normal(size=90), "id": np.arange(90)})
    table["colour"] = rng.choice(["red", "blue"], 90)
    table["day"] = pandas.date_range("2023-01-01", periods=90).astype(str)
    table["y"] = np.where(table["size"] > 0.7, "big", "small")
    table.loc[3, "size"] = np.nan
    table.to_csv(place / "own.csv", index=False)
    flags = ["--epochs=20", "--batch_size=16", "--method=erm", "--protocol=field"]
    flags += [f"--data_dir={place}/own.csv", f"--out_dir={place}/out", "--id=id"]
    runner.run(folder.TASK, parse(folder.TASK, flags))
    return place / "out", table


def test_raw_rows_are_predicted_by_the_folder_of_a_run(finished, tmp_path):
    out, table = finished
    rows = table.sample(frac=1, random_state=0)[["y", "colour", "id", "day", "size"]]
    rows.to_parquet(tmp_path / "new.parquet")
    found = predict.predict(out, tmp_path / "new.parquet")
    chances_of = ["probability of big", "probability of small"]
    assert [*found.columns] == ["y", "id", "predicted", *chances_of, "look"]
    assert found["id"].tolist() == rows["id"].tolist()
    assert (found["predicted"] == found["y"]).mean() > 0.9
    chances = found[chances_of].to_numpy()
    np.testing.assert_allclose(chances.sum(axis=1), 1, atol=1e-6)
    big = (found["predicted"] == "big").to_numpy()
    np.testing.assert_array_equal(big, chances[:, 0] > 0.5)


def test_the_test_rows_are_predicted_as_the_run_did(finished):
    out, table = finished
    table.to_csv(out / "new.csv", index=False)
    found = predict.predict(out, out / "new.csv")
    result = json.loads((out / "result.json").read_text())
    tested = load(out.parent / "own.csv", "--protocol=field", "--id=id").test[1]
    assert len(tested) == np.sum(result["confusion_matrix"])
    train, test = (found["predicted"] == found["y"]).mean(), result["accuracy"]
    assert abs(train - test) < 0.2


@pytest.mark.parametrize(
    "columns, match",
    [(["size", "day"], "lacks columns that the network reads: 'colour'")],
)
def test_rows_that_lack_a_column_are_refused(columns, match, finished, tmp_path):
    out, table = finished
    table[columns].to_csv(tmp_path / "new.csv", index=False)
    with pytest.raises(UserError, match=match):
        predict.predict(out, tmp_path / "new.csv")


def test_the_model_must_be_a_run(tmp_path):
    with pytest.raises(UserError, match="folder of a finished run"):
        predict.predict(tmp_path, tmp_path / "new.csv")


def test_a_table_of_categories_alone_has_units_to_move_by(read, table, capsys):
    data = read(table[["city", "fraud"]], "--label=fraud")
    assert data.units.tolist() == [1] * 3
    assert "no column holds a quantity" in capsys.readouterr().out


def test_columns_that_are_called_like_ours_get_another_name(finished, tmp_path):
    out, table = finished
    new = table.rename(columns={"y": "predicted", "id": "look"})
    new = new.assign(**{"look in the data": 1, "probability of big": 0})
    new.to_csv(tmp_path / "new.csv", index=False)
    found = predict.predict(out, tmp_path / "new.csv")
    assert found.columns.is_unique
    assert found["predicted in the data"].tolist() == table["y"].tolist()
    assert found["look in the data_"].tolist() == table["id"].tolist()
    assert (found["look in the data"] == 1).all()
    assert (found["probability of big"] > 0).any()
