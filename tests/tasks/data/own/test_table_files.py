"""Files of tables in their odd forms, each read as what was written."""

import gzip
import sys

import pandas
import pytest

from tasks.data.own.table_files import read_table
from tasks.data.own.table_files import tables_of
from tasks.experiment.errors import UserError

pytestmark = pytest.mark.no_backend
EXPECTED = {"price": [1.5, 2.25], "name": ["ä, b", "c"]}


def written(tmp_path, text, name="own.csv", encoding="utf-8"):
    path = tmp_path / name
    path.write_bytes(text.encode(encoding))
    return path


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
@pytest.mark.parametrize(
    "text",
    [
        'price,name\n1.5,"ä, b"\n2.25,c\n',
        "price;name\n1,5;ä, b\n2,25;c\n",
        "price\tname\r\n1.5\tä, b\r\n2.25\tc\r\n",
        "price|name\n1.5|ä, b\n2.25|c",
        "sep=;\nprice;name\n1,5;ä, b\n2,25;c\n",
        'price, name\n1.5, "ä, b"\n2.25, c\n',
        '"price","name"\n"1,5","ä, b"\n"2,25","c"\n',
        '\nprice,name\n\n1.5,"ä, b"\n\n2.25,c\n\n',
    ],
)
def test_encoding_delimiter_and_decimal_mark_are_found(text, encoding, tmp_path):
    frame = read_table(written(tmp_path, text, encoding=encoding))
    assert frame.to_dict("list") == EXPECTED


@pytest.mark.parametrize(
    "text, expected",
    [
        ('a,b\n"1,234.5",x\n"2,000",x\n', [1234.5, 2000]),
        ('a,b\n"1,234",x\n"2,000",x\n', [1234, 2000]),
        ("a;b\n1.234,5;x\n2.000;x\n", [1234.5, 2000]),
        ("a;b\n1,234;x\n2,125;x\n", [1.234, 2.125]),
        ("a;b\n1.234;x\n2.125;x\n", [1.234, 2.125]),
        ("a,b\n1.234,x\n.5,x\n", [1.234, 0.5]),
        ("a;b\n1,5;01.02.2024\n2,5;03.04.2024\n", [1.5, 2.5]),
    ],
)
def test_marks_of_decimals_and_of_thousands_are_told_apart(text, expected, tmp_path):
    frame = read_table(written(tmp_path, text))
    assert frame["a"].tolist() == expected
    assert {*frame["b"]} <= {"x", "01.02.2024", "03.04.2024"}


def test_packed_files_and_parquet_are_read(tmp_path):
    packed = tmp_path / "own.csv.gz"
    packed.write_bytes(gzip.compress('price,name\n1.5,"ä, b"\n2.25,c\n'.encode()))
    assert read_table(packed).to_dict("list") == EXPECTED
    pandas.DataFrame(EXPECTED).to_parquet(tmp_path / "own.parquet")
    assert read_table(tmp_path / "own.parquet").to_dict("list") == EXPECTED


@pytest.mark.parametrize("name", ["own.tsv", "own.csv"])
def test_one_column_beside_the_label_is_enough(name, tmp_path):
    path = written(tmp_path, "a\ty\n1\tu\n2\tv\n", name)
    assert read_table(path).to_dict("list") == {"a": [1, 2], "y": ["u", "v"]}


def test_columns_of_one_name_are_told_apart(tmp_path, capsys):
    frame = read_table(written(tmp_path, "a,a,b,\n1,2,3,4\n"))
    assert [*frame.columns] == ["a", "a.1", "b", "column 4"]
    assert "told apart: 'a.1'" in capsys.readouterr().out


def test_a_column_of_numbers_and_words_stays_as_it_is_written(tmp_path):
    rows = "".join(f"{i}\n" for i in range(200_000))
    frame = read_table(written(tmp_path, f"a\n1\n{rows}x\n"))
    assert set(map(type, frame["a"])) == {str}


def test_keel_has_no_names_and_spaces_after_commas(tmp_path):
    text = "M, 0.455, ?,negative\nF, 0.53, 0.42, positive\n"
    frame = read_table(written(tmp_path, text, "own.dat"))
    assert frame["x1"].tolist() == ["M", "F"]
    assert frame["x2"].tolist() == [0.455, 0.53]
    assert frame["x3"].isna().tolist() == [True, False]
    assert frame["class"].tolist() == ["negative", "positive"]


def test_keel_may_name_its_columns(tmp_path):
    text = (
        "@relation own\n@attribute Sex {M, F}\n@attribute Len real [0.0,1.0]\n"
        "@attribute Class {positive,negative}\n@inputs Sex,Len\n@outputs Class\n"
        "@data\nM, 0.5, negative\nF, 0.25, positive\n"
    )
    frame = read_table(written(tmp_path, text, "own.dat"))
    assert frame.to_dict("list") == {
        "Sex": ["M", "F"],
        "Len": [0.5, 0.25],
        "Class": ["negative", "positive"],
    }


@pytest.mark.parametrize(
    "text, match",
    [
        ("", "is empty"),
        ("\n\n", "is empty"),
        ("a,b\n", "is empty"),
        ("a,b\n1,2\n1,2,3\n", "no table that can be read"),
        ("1,2\n3,4\n", "no names of columns.*'1', '2'"),
        ("a\0b\n", "zero bytes"),
    ],
)
def test_what_is_no_table_is_refused(text, match, tmp_path):
    with pytest.raises(UserError, match=match):
        read_table(written(tmp_path, text))


@pytest.mark.parametrize("name", ["own.parquet", "own.csv.gz"])
def test_damaged_files_are_named(name, tmp_path):
    with pytest.raises(UserError, match=name):
        read_table(written(tmp_path, "price,name", name))


def test_a_table_too_large_for_memory_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr("tasks.data.own.memory.available", lambda: 10)
    with pytest.raises(UserError, match="Give fewer rows"):
        read_table(written(tmp_path, "a,b\n1,2\n"))


def test_without_pandas_the_packages_are_named(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(UserError, match="pip install pandas pyarrow"):
        read_table(written(tmp_path, "a,b\n1,2\n"))


def test_the_splits_of_a_folder_are_files(tmp_path):
    for name in ("Train.csv", "val.csv", "test.parquet", "README.txt", ".hidden"):
        (tmp_path / name).touch()
    found = {split: path.name for split, path in tables_of(tmp_path).items()}
    assert found == {
        "train": "Train.csv",
        "validation": "val.csv",
        "test": "test.parquet",
    }
    (tmp_path / "1.png").touch()
    assert tables_of(tmp_path) == {}


def test_two_files_of_one_split_are_refused(tmp_path):
    for name in ("train.csv", "train.tsv"):
        (tmp_path / name).touch()
    with pytest.raises(UserError, match=r"holds train.csv and train.tsv"):
        tables_of(tmp_path)
