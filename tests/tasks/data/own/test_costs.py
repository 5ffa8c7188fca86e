"""Costs and frequencies of classes, as people write them in a spreadsheet."""

import numpy as np
import pytest

from tasks.data.own.costs import read_costs
from tasks.data.own.costs import read_shares
from tasks.experiment.errors import UserError

pytestmark = pytest.mark.no_backend
CLASSES = ["ant", "bee", "cat"]
SQUARE = [[0, 1, 2], [3, 0, 4], [5, 6, 0]]  # [true, predicted]


def written(tmp_path, text, encoding="utf-8"):
    path = tmp_path / "classes.csv"
    path.write_text(text, encoding=encoding)
    return str(path)


@pytest.mark.parametrize(
    "text",
    [
        "true,ant,bee,cat\nant,0,1,2\nbee,3,0,4\ncat,5,6,0\n",
        ",cat,ant,bee\n\nbee,4,3,0\nant,2,0,1\ncat,0,5,6\n",  # In any order.
        "true\\predicted;ant;bee;cat\nant;0,0;1,0;2,0\nbee;3;0;4\ncat;5;6;0\n",
        "true,predicted,cost\nant,bee,1\nant,cat,2\nbee,ant,3\nbee,cat,4\n"
        "cat,ant,5\ncat,bee,6\n",
        "Cost,Predicted,True\n1,bee,ant\n2,cat,ant\n3,ant,bee\n4,cat,bee\n"
        "5,ant,cat\n6,bee,cat\n0,ant,ant\n",
    ],
    ids=["square", "in another order", "semicolons", "pairs", "pairs of other order"],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_costs_are_read_as_true_by_predicted(text, encoding, tmp_path):
    found = read_costs(written(tmp_path, text, encoding), CLASSES)
    np.testing.assert_array_equal(found, SQUARE)


def test_classes_may_be_numbers(tmp_path):
    text = ",0,1\n0,0,1\n1,50,0\n"
    found = read_costs(written(tmp_path, text), ["0", "1"])
    np.testing.assert_array_equal(found, [[0, 1], [50, 0]])


def test_what_is_right_may_cost_too(tmp_path):
    text = "true,predicted,cost\na,a,-2\na,b,1\nb,a,7\n"
    found = read_costs(written(tmp_path, text), ["a", "b"])
    np.testing.assert_array_equal(found, [[-2, 1], [7, 0]])


@pytest.mark.parametrize(
    "text, message",
    [
        ("x,ant,bee\nant,0,1\nbee,1,0\n", "first line lacks .*cat"),
        ("x,ant,bee,dog\nant,0,1,1\nbee,1,0,1\ncat,1,1,0\n", "dog.*: no classes"),
        ("x,ant,bee,cat\nant,0,1,1\nbee,1,0,1\n", "first column lacks .*cat"),
        ("x,ant,bee,cat\nant,0,1,1\nant,1,0,1\ncat,1,1,0\n", "ant.*: named twice"),
        ("x,ant,bee,cat\nant,0,1\nbee,1,0,1\ncat,1,1,0\n", "'ant' has 3 values"),
        (
            "x,ant,bee,cat\nant,0,?,1\nbee,1,0,1\ncat,1,1,0\n",
            "'bee': expected a finite",
        ),
        ("x,ant,bee,cat\nant,0,inf,1\nbee,1,0,1\ncat,1,1,0\n", "expected a finite"),
        ("true,predicted,cost\nant,bee,1\n", "lacks the cost of .*ant as cat"),
        ("true,predicted,cost\nant,dog,1\n", "'dog' is no class"),
        ("true,predicted,cost\nant,bee,1\nant,bee,2\n", "there twice"),
        ("true,predicted,cost\nant,bee\n", "three values"),
        ("", "is empty"),
    ],
)
def test_what_is_wrong_with_costs_is_said(text, message, tmp_path):
    with pytest.raises(UserError, match=f"(?s).*{message}"):
        read_costs(written(tmp_path, text), CLASSES)


def test_a_file_that_is_not_there_is_said(tmp_path):
    with pytest.raises(UserError, match="cannot be read: No such file"):
        read_costs(str(tmp_path / "none.csv"), CLASSES)


def test_shares_are_read_from_a_list_or_a_file(tmp_path):
    expected = [0.5, 0.3, 0.2]
    text = "class,share\ncat,0.2\nant,0.5\nbee,0.3\n"
    for given in ("bee:0.3, ant:0.5, cat:0.2", written(tmp_path, text)):
        np.testing.assert_allclose(read_shares(given, CLASSES), expected)


@pytest.mark.parametrize(
    "text, message",
    [
        ("ant:0.5,bee:0.5", "lacks .*cat"),
        ("ant:0.5,bee:0.5,cat:0.5", "their sum 1"),
        ("ant:0.5,bee:0.5,cat:0", "must be positive"),
        ("ant:0.5,bee:0.3,cat:few", "expected a finite number"),
        ("ant:0.5,bee:0.3,dog:0.2", "dog.*: no classes"),
        ("ant,bee,cat", "expected a CSV, or pairs"),
    ],
)
def test_what_is_wrong_with_shares_is_said(text, message):
    with pytest.raises(UserError, match=f"(?s).*{message}"):
        read_shares(text, CLASSES)
