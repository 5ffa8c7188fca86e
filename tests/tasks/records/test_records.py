"""Records in the folder of results, as they are written and as others leave them."""

import json

import numpy as np
import pytest

from helpers import made_results
from tasks.data import whole_files
from tasks.experiment.errors import UserError
from tasks.experiment.settings import parse
from tasks.records import records
from tasks.runs.tuning import GRID
from tasks.training.evaluation import scores_of

pytestmark = pytest.mark.no_backend
FINISHED = {
    **made_results.record([900, 500, 20, 7], accepted=0.5),
    "tested_epoch": 3,
    "translated": [[7] * 4] * 4,
    "accepted": [[5] * 4] * 4,
}
FAILED = made_results.failed()
TRIAL = {name: values[0] for name, values in GRID.items()}
TUNED = {"trials": [{**TRIAL, "val_balanced_accuracy": 0.5}], "flags": {}}
NONE = [None, {}, "x", 1e30, -1]
LISTS = [*NONE, [], [7], [[1, 2], [3]], [[-1] * 4] * 4, [[0.5] * 4] * 4]
FRACTIONS = ["x", {}, [], -0.1, 1e30, float("nan")]
WRONG = {
    **dict.fromkeys(("seed", "tested_epoch"), (*NONE, True, 0.5)),
    **dict.fromkeys(("source", "protocol", "failed"), (7, {}, [])),
    **dict.fromkeys(("class_counts", "confusion_matrix", "per_class_recall"), LISTS),
    **dict.fromkeys(("class_names", "translated", "accepted", "trials"), LISTS),
    **dict.fromkeys(("geometric_mean", "few", "acceptance_rate"), FRACTIONS),
    "balanced_accuracy": [None, *FRACTIONS],
}


@pytest.mark.parametrize("record", [FINISHED, FAILED, TUNED])
def test_a_record_is_read_as_it_was_written(record, tmp_path):
    path = tmp_path / "record.json"
    records.write(path, record)
    assert records.read(path) == record == json.loads(path.read_text())


@pytest.mark.parametrize("record", [FINISHED, FAILED, TUNED])
def test_a_key_that_is_wrong_is_named_with_its_file(record, tmp_path):
    path = tmp_path / "record.json"
    for key in WRONG.keys() & record.keys():
        for value in WRONG[key]:
            records.write(path, {**record, key: value})
            with pytest.raises(UserError, match=r"json: '[a-z_]+' must be"):
                records.read(path)


@pytest.mark.parametrize("key", ["seed", "confusion_matrix", "class_names", "source"])
def test_a_key_that_is_missing_is_named(key, tmp_path):
    record = {name: value for name, value in FINISHED.items() if name != key}
    records.write(tmp_path / "record.json", record)
    with pytest.raises(UserError, match=f"'{key}' must be .* is nothing"):
        records.read(tmp_path / "record.json")


def test_a_record_of_thousands_of_classes_has_a_line_a_key(tmp_path):
    record = {"confusion_matrix": np.zeros((300, 300), int).tolist(), "seed": 1}
    records.write(tmp_path / "record.json", record)
    text = (tmp_path / "record.json").read_text()
    assert len(text.splitlines()) == len(record) + 2
    assert len(text) < 3.1 * 300 * 300


def test_the_largest_seed_is_one_that_every_backend_takes():
    from tasks import digits_lt

    assert parse(digits_lt.TASK, ["--seed=2147483646"]).seed == 2**31 - 2
    with pytest.raises(UserError, match="--seed"):
        parse(digits_lt.TASK, ["--seed=2147483647"])


def test_a_link_is_replaced_and_not_written_through(tmp_path):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_text("mine")
    (tmp_path / "history.csv").symlink_to(elsewhere)
    whole_files.write(tmp_path / "history.csv", "new")
    assert elsewhere.read_text() == "mine"
    assert (tmp_path / "history.csv").read_text() == "new"


@pytest.mark.parametrize("content", ["", "{", "[]", "\udcff"])
def test_a_file_that_holds_no_object_is_named(content, tmp_path):
    file = tmp_path / "training.json"
    file.write_bytes(content.encode(errors="surrogateescape"))
    with pytest.raises(records.Damaged, match=r"training.json is damaged"):
        records.read_json(file)


def test_a_record_of_many_classes_does_not_grow_with_their_square(tmp_path):
    k = 1000
    confusion = np.diag(np.arange(1, k + 1))
    confusion[3, 7] = 5
    record = {
        **scores_of(confusion, [10] * k),
        **{"source": "made up", "protocol": "m2m", "seed": 0, "tested_epoch": 1},
        **{"class_names": [str(i) for i in range(k)], "class_counts": [10] * k},
    }
    file = tmp_path / "result.json"
    records.write(file, record)
    assert file.stat().st_size < 100 * k
    assert records.read(file) == record
