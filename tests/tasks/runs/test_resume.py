"""Runs that are killed and go on, and the folders that they leave."""

import contextlib
import dataclasses
import json
import os
import pathlib
import re
import resource
import shutil
import subprocess
import sys
import warnings

import keras
import numpy as np
import pytest

import keras_m2m
from helpers import killed_runs
from helpers import tiny
from keras_m2m.callbacks import checkpoint_files
from tasks.experiment.errors import UserError
from tasks.experiment.settings import parse
from tasks.records import trainings
from tasks.runs import runner


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """Folder of a whole run, of one killed twice, and what they printed."""
    folder = tmp_path_factory.mktemp("runs")
    program = pathlib.Path(killed_runs.__file__)
    tests = program.parents[1]
    finished = subprocess.run(
        [sys.executable, program.name, str(folder)],
        cwd=program.parent,
        env={**os.environ, "PYTHONPATH": f"{tests.parent}{os.pathsep}{tests}"},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert finished.returncode == 0, finished.stdout + finished.stderr
    return folder, finished.stdout


def result_of(folder):
    result = json.loads((folder / "result.json").read_text())
    del result["timing"]
    return result


def assert_same_run(folder, other):
    for name in ("f.keras", "g.keras"):
        a, b = (keras.saving.load_model(place / name) for place in (folder, other))
        for left, right in zip(a.get_weights(), b.get_weights(), strict=True):
            np.testing.assert_array_equal(left, right)
    history = [(place / "history.csv").read_bytes() for place in (folder, other)]
    assert history[0] == history[1]
    assert result_of(folder) == result_of(other)


def test_a_run_killed_twice_ends_as_one_in_peace_to_the_bit(runs):
    folder, _ = runs
    assert_same_run(folder / "whole", folder / "killed")


def test_a_killed_run_went_on_where_it_was(runs):
    folder, output = runs
    kept = folder / "killed" / "trainings" / "tiny"
    assert re.search(rf"{kept}/m2m-ce-seed0-\w+: epochs 1 to 4 are those of", output)
    # Of g and of f, in both runs, each phase began once.
    for first in ("Epoch 1/4", "Epoch 5/8"):
        assert output.count(first) == 4


def test_a_run_in_peace_does_not_go_on(runs):
    folder, output = runs
    assert f"{folder / 'whole'}/" in output
    assert not re.search(rf"{folder / 'whole'}/.*: going on after", output)


def test_a_finished_run_leaves_nothing_unfinished(runs):
    for name in ("whole", "killed"):
        kept = runs[0] / name / "trainings" / "tiny"
        assert not list(kept.glob("*-*/**/*.npz"))
        assert not list((runs[0] / name).rglob("*.part*"))


def test_curves_are_written_where_tensorflow_is_not_installed(runs):
    """Where it is the backend: they are written."""
    assert list((runs[0] / "whole").rglob("events.out.tfevents.*"))


def test_a_finished_run_is_not_run_again(runs, capsys):
    folder = runs[0] / "whole"
    before = (folder / "result.json").read_bytes()
    settings = killed_runs.settings(folder)
    result = runner.run(killed_runs.TASK, settings)["m2m"]
    assert result == json.loads(before)
    assert "This run is finished" in capsys.readouterr().out
    assert (folder / "result.json").read_bytes() == before


@pytest.fixture
def cut_off(runs, tmp_path):
    """A folder whose run was killed in the first phase of f."""
    return shutil.copytree(runs[0] / "cut_off", tmp_path / "cut_off")


def damage(folder, kind):
    """Damages the newest checkpoint; returns the epochs it had seen and its name."""
    *_, newest = killed_runs.checkpoints(folder, "starts/erm-ce-seed0")
    content = bytearray(newest.read_bytes())
    if kind == "changed":
        content[len(content) // 2] ^= 1
    kept = {"torn": 2 * len(content) // 3, "changed": len(content), "empty": 0}
    newest.write_bytes(content[: kept[kind]])
    return int(newest.stem.removeprefix("epoch-")), newest


@pytest.mark.parametrize("kind", ["torn", "changed", "empty"])
def test_a_damaged_checkpoint_is_passed_over_with_a_warning(kind, cut_off):
    epochs_done, path = damage(cut_off, kind)
    f = tiny.build(tiny.blobs(tiny.settings()), "dense", tiny.settings())
    with pytest.warns(UserWarning, match=f"{path.name} is damaged"):
        resume = keras_m2m.ExactResume(path.parent, f)
    assert resume.epochs_done == epochs_done - 1
    assert [row["epoch"] for row in resume.history] == list(range(epochs_done - 1))


@pytest.mark.no_backend  # What goes on does so by ExactResume, as in a killed run.
@pytest.mark.filterwarnings("ignore:The checkpoint .* is damaged")
def test_a_run_with_a_damaged_checkpoint_ends_the_same(runs, cut_off):
    _, path = damage(cut_off, "changed")
    path.with_name("unfinished.part").write_bytes(b"of a killed write")
    runner.run(killed_runs.TASK, killed_runs.settings(cut_off))
    assert_same_run(runs[0] / "whole", cut_off)


@pytest.mark.no_backend
def test_a_run_of_other_flags_begins_anew_beside_what_is_unfinished(cut_off, capsys):
    before = {path: path.read_bytes() for path in cut_off.rglob("*.npz")}
    settings = killed_runs.settings(cut_off, method="erm", loss="focal")
    runner.run(killed_runs.TASK, settings)
    assert "Epoch 1/4" in capsys.readouterr().out
    assert all(path.read_bytes() == content for path, content in before.items())


# Runs that are finished. No backend has a part in how their files are looked at.


@pytest.fixture(scope="module")
def one_epoch(tmp_path_factory):
    """The settings of a finished run."""
    folder = tmp_path_factory.mktemp("finished")
    settings = tiny.settings(method="erm", epochs=1, out_dir=str(folder))
    runner.run(tiny.TASK, settings)
    return settings


@pytest.fixture
def finished(one_epoch, tmp_path):
    """The settings of a copy of it."""
    shutil.copytree(one_epoch.out_dir, tmp_path, dirs_exist_ok=True)
    return one_epoch.replace(out_dir=str(tmp_path))


@pytest.mark.no_backend
def test_the_results_of_other_flags_are_refused_with_the_difference(finished, tmp_path):
    with pytest.raises(UserError, match=r"another run.*--overwrite") as raised:
        runner.run(tiny.TASK, finished.replace(weight_decay=0.5, loss="focal"))
    assert "loss: ce then, focal now" in str(raised.value)
    assert "weight_decay: 0.0002 then, 0.5 now" in str(raised.value)
    assert "epochs:" not in str(raised.value)
    assert json.loads((tmp_path / "result.json").read_text())["flags"]["loss"] == "ce"


@pytest.mark.no_backend
def test_the_results_of_other_data_are_refused(finished):
    def other_blobs(settings):
        data = tiny.blobs(settings)
        data.train[0][0, 0] += 1
        return data

    task = dataclasses.replace(tiny.TASK, load=other_blobs)
    with pytest.raises(UserError, match=r"checksum of the data: \d+ then, \d+ now"):
        runner.run(task, finished)


@pytest.mark.no_backend
def test_overwriting_trains_anew_and_leaves_no_result_of_the_old_run(
    finished, tmp_path
):
    (tmp_path / "drs").mkdir()
    (tmp_path / "result.json").rename(tmp_path / "drs" / "result.json")
    runner.run(tiny.TASK, finished.replace(overwrite=True, seed=7))
    assert json.loads((tmp_path / "result.json").read_text())["seed"] == 7
    assert not (tmp_path / "drs" / "result.json").exists()
    assert len(list((tmp_path / "records" / "tiny").iterdir())) == 1


@pytest.mark.no_backend
def test_a_damaged_result_is_named_and_made_again(finished, tmp_path):
    path = tmp_path / "result.json"
    before = path.read_bytes()
    path.write_bytes(before[:100])
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        runner.run(tiny.TASK, finished)
    assert any("result.json is damaged" in str(w.message) for w in caught)
    assert path.read_bytes() == before


@pytest.mark.no_backend
def test_a_run_says_that_resume_is_no_longer_needed(finished, capsys):
    runner.run(tiny.TASK, finished.replace(resume=True))
    assert "--resume is no longer needed" in capsys.readouterr().out


def test_resuming_and_overwriting_exclude_each_other():
    with pytest.raises(UserError, match="not both"):
        parse(tiny.TASK, ["--resume", "--overwrite"])


class Killed(Exception):
    """As if the process had ended."""


def killed(*_, **__):
    raise Killed


@pytest.mark.no_backend
def test_another_number_of_threads_is_warned_of(cut_off, monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "77")
    monkeypatch.setattr(trainings, "train", killed)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        with pytest.raises(Killed):
            runner.run(killed_runs.TASK, killed_runs.settings(cut_off))
    found = [str(w.message) for w in caught]
    assert any(re.search("number of threads changed.*77.* now", m) for m in found)


@pytest.mark.no_backend
def test_a_checkpoint_of_another_run_of_equal_shapes_is_passed_over(runs, cut_off):
    *_, own = killed_runs.checkpoints(cut_off, "starts/erm-ce-seed0")
    for path in own.parent.iterdir():
        path.unlink()
    *_, other = killed_runs.checkpoints(cut_off, "starts/erm-ce-seed1")
    shutil.copy(other, own.parent)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        runner.run(killed_runs.TASK, killed_runs.settings(cut_off))
    found = [str(w.message) for w in caught]
    assert any("is of another training and is passed over" in m for m in found)
    assert_same_run(runs[0] / "whole", cut_off)


@pytest.mark.no_backend
def test_a_run_killed_while_it_writes_each_of_its_results_ends_the_same(
    runs, cut_off, monkeypatch
):
    replace, settings = os.replace, killed_runs.settings(cut_off)
    for name in ("f.keras", "training.json", "result.json"):

        def die(source, target, name=name):
            if pathlib.Path(target).name == name:
                raise Killed
            replace(source, target)

        monkeypatch.setattr(os, "replace", die)
        with pytest.raises(Killed):
            runner.run(killed_runs.TASK, settings)
    monkeypatch.undo()
    runner.run(killed_runs.TASK, settings)
    assert_same_run(runs[0] / "whole", cut_off)


def test_checkpoints_are_saved_where_all_before_are_damaged(tmp_path):
    for epochs_done in (5, 6):
        checkpoint_files.write(tmp_path, epochs_done, {}, {})
    for path in tmp_path.iterdir():
        path.write_bytes(b"damaged")
    checkpoint_files.write(tmp_path, 1, {"of": "anew"}, {"a": np.arange(3)})
    epochs_done, about, arrays = checkpoint_files.read_newest(tmp_path)
    assert (epochs_done, about) == (1, {"of": "anew"})
    np.testing.assert_array_equal(arrays["a"], np.arange(3))


@contextlib.contextmanager
def largest_file(size):
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_folder_that_lacks_space_is_an_error_before_training(tmp_path):
    settings = tiny.settings(method="erm", out_dir=str(tmp_path))
    expected = pytest.raises(
        UserError, match=r"cannot be written to.*16 MiB are needed.*--runs"
    )
    with largest_file(2**20), expected:
        runner.run(tiny.TASK, settings)
    assert not list(tmp_path.rglob("*.npz"))
