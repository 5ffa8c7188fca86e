"""One run from settings to files, and the mistakes that a user can make."""

import contextlib
import csv
import io
import json
import re
import shutil
from dataclasses import replace

import keras
import numpy as np
import pytest

import keras_m2m
from helpers import tiny
from tasks.experiment.errors import UserError
from tasks.records import records
from tasks.records.trainings import Trainings
from tasks.runs import runner

pytestmark = pytest.mark.usefixtures("untraced")


@pytest.fixture(scope="module")
def printed():
    """What the run `finished` printed."""
    return io.StringIO()


@pytest.fixture(scope="module")
def finished(tmp_path_factory, printed):
    folder = tmp_path_factory.mktemp("run")
    settings = tiny.settings(out_dir=str(folder), compare=["erm"])
    with contextlib.redirect_stdout(printed):
        results = runner.run(tiny.TASK, settings)
    return folder, results


def test_result_holds_scores_protocol_flags_versions_and_timing(finished):
    folder, results = finished
    result = json.loads((folder / "result.json").read_text())
    assert result == json.loads(json.dumps(results["m2m"]))
    assert result["protocol"] == "m2m"
    assert result["backend"] == keras.config.backend()
    assert result["flags"]["beta"] == tiny.settings().beta
    assert result["acceptance_rate"] == 1.0  # gamma is 0
    assert len(result["per_class_recall"]) == 3
    assert set(result["timing"]) == {*("phase_1", "phase_2", "evaluate")}
    assert result["versions"]["keras"] == keras.__version__


def test_the_saved_f_gives_the_scores_of_the_result(finished):
    folder, results = finished
    f = keras.saving.load_model(folder / "f.keras")
    x, y = tiny.blobs(tiny.settings()).test
    predicted = f.predict(x, verbose=0).argmax(axis=1)
    recalls = [(predicted[y == k] == k).mean() for k in range(3)]
    np.testing.assert_allclose(recalls, results["m2m"]["per_class_recall"])


def test_history_has_a_row_for_every_epoch(finished):
    folder, _ = finished
    with open(folder / "history.csv") as file:
        rows = list(csv.DictReader(file))
    assert [row["epoch"] for row in rows] == ["0", "1", "2"]
    assert rows[0]["acceptance_rate"] == ""
    assert float(rows[2]["acceptance_rate"]) == 1


@pytest.mark.parametrize(
    "name",
    [
        "g.keras",
        "confusion_matrix.png",
        "recall_by_count.png",
        "cumulative_false_positives.png",
        "erm/result.json",
        "erm/f.keras",
    ],
)
def test_a_run_leaves(name, finished):
    assert (finished[0] / name).stat().st_size > 0


def test_tensorboard_logs_are_written(finished):
    kept = finished[0] / "trainings" / "tiny"
    assert list(kept.glob("m2m-*/tensorboard/**/events.out.tfevents.*"))


def test_g_is_independent_of_f(finished):
    folder, results = finished
    assert results["m2m"]["g"]["seeds"] == [results["m2m"]["seed"] + 1]
    g = keras.saving.load_model(folder / "g.keras")
    erm = keras.saving.load_model(folder / "erm" / "f.keras")
    assert not np.allclose(g.get_weights()[0], erm.get_weights()[0])


def test_a_saved_g_is_used_again_and_stays_as_it_is(finished, tmp_path):
    path = finished[0] / "g.keras"
    before = path.read_bytes()
    settings = tiny.settings(out_dir=str(tmp_path), g=str(path))
    result = runner.run(tiny.TASK, settings)["m2m"]
    assert result["g"] == {"file": "g.keras"}
    assert path.read_bytes() == before
    assert not (tmp_path / "g.keras").exists()
    # The same g, data and seed: the same f.
    assert result["confusion_matrix"] == finished[1]["m2m"]["confusion_matrix"]


@pytest.mark.no_backend
def test_a_run_goes_on_from_trainings_of_another_command_in_its_folder(
    finished, tmp_path, capsys
):
    folder = shutil.copytree(finished[0], tmp_path / "run")
    settings = tiny.settings(out_dir=str(folder), compare=["erm", "drs"])
    capsys.readouterr()
    runner.run(tiny.TASK, settings)
    # Of DRS alone, since g, the plain phase and the others are there.
    assert re.findall(r"Epoch (\d)/3", capsys.readouterr().out) == ["2", "3"]
    assert (folder / "drs" / "result.json").exists()


def test_a_run_with_comparisons_trains_every_plain_epoch_once(finished, printed):
    # 3 of g, 3 of ERM, and 2 of M2m: 8, not 9.
    assert printed.getvalue().count("/step - ") == 8


@pytest.mark.no_backend  # A run's trainings are those of a table.
def test_a_run_and_a_table_have_the_same_weights_and_records(finished, tmp_path):
    folder, _ = finished
    data = tiny.blobs(tiny.settings())
    own = Trainings(tiny.TASK, data, tmp_path / "results", tmp_path / "runs")
    for method, place in (("m2m", folder), ("erm", folder / "erm")):
        settings = tiny.settings(method=method)
        shown = records.read(place / "result.json")
        assert {**own.result(settings), "timing": 0} == {**shown, "timing": 0}
        of_run = keras.saving.load_model(place / "f.keras").get_weights()
        of_table = own.network(settings).get_weights()
        for one, other in zip(of_run, of_table, strict=True):
            np.testing.assert_array_equal(one, other)


def wrong_shape(path):
    keras_m2m.mlp(3, (5,)).save(path)


def wrong_classes(path):
    keras_m2m.mlp(7, (2,)).save(path)


def probabilities(path):
    layers = [keras.Input((2,)), keras.layers.Dense(3, activation="softmax")]
    keras.Sequential(layers).save(path)


def torn(path):
    path.write_bytes(b"PK\x03\x04 no archive")


@pytest.mark.parametrize(
    "make, reason",
    [
        (wrong_shape, "same inputs"),
        (wrong_classes, "one logit for each of the 3"),
        (probabilities, "must return logits"),
        (torn, "no model that Keras loads"),
        (lambda path: None, "is no file"),
    ],
    ids=["shape", "classes", "probabilities", "torn", "missing"],
)
def test_a_g_that_does_not_fit_says_why(make, reason, tmp_path):
    path = tmp_path / "bad.keras"
    make(path)
    settings = tiny.settings(out_dir=str(tmp_path / "out"), g=str(path))
    with pytest.raises(UserError, match=reason):
        runner.run(tiny.TASK, settings)
    assert not (tmp_path / "out").exists()


def test_an_output_folder_that_cannot_be_made_is_an_error_before_loading(tmp_path):
    (tmp_path / "file").write_text("in the way")
    settings = tiny.settings(out_dir=str(tmp_path / "file" / "out"))
    with pytest.raises(UserError, match="cannot be made"):
        runner.run(tiny.TASK, settings)


@pytest.mark.parametrize(
    "method, epoch, told", [("drs", 3, True), ("drs", 4, False), ("erm", 3, False)]
)
def test_a_method_that_is_tested_before_it_began_is_told(method, epoch, told, capsys):
    settings = tiny.settings(method=method, defer_epoch=4)
    runner._say_if_tested_early(settings, tested_epoch=epoch)
    output = capsys.readouterr().out
    assert ("epoch, 4, is one of plain training, so that drs" in output) == told
    assert ("--protocol=field tests the last epoch" in output) == told


@pytest.mark.no_backend
def test_a_run_that_is_refused_leaves_no_folder(tmp_path):
    def load(settings):
        assert (tmp_path / "own" / "out").is_dir()  # It can be made.
        raise UserError("no such data")

    settings = tiny.settings(out_dir=str(tmp_path / "own" / "out"))
    with pytest.raises(UserError, match="no such data"):
        runner.run(replace(tiny.TASK, load=load), settings)
    assert [*tmp_path.iterdir()] == []
    (tmp_path / "own").mkdir()
    with pytest.raises(UserError, match="no such data"):
        runner.run(replace(tiny.TASK, load=load), settings)
    assert [path.name for path in tmp_path.iterdir()] == ["own"]  # It was there.
