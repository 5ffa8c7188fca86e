"""Runs that are killed and go on, and the folders that they leave."""

import contextlib
import json
import os
import pathlib
import re
import resource
import shutil
import subprocess
import sys

import keras
import numpy as np
import pytest

import keras_m2m
from helpers import killed_runs
from helpers import tiny
from keras_m2m.callbacks import checkpoint_files
from tasks.experiment.errors import UserError
from tasks.records import run_folder
from tasks.runs import runner


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    """Folder of a whole run, of one killed three times, and what they printed."""
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


def test_a_run_killed_three_times_ends_as_one_in_peace_to_the_bit(runs):
    folder, _ = runs
    assert_same_run(folder / "whole", folder / "killed")


def test_a_killed_run_went_on_where_it_was(runs):
    folder, output = runs
    assert f"{folder / 'killed' / 'g'}: going on after 8 epochs" in output
    assert re.search(f"{folder / 'killed'}: going on after [678] epochs", output)


def test_a_finished_run_leaves_nothing_unfinished(runs):
    for name in ("whole", "killed"):
        assert not list((runs[0] / name).rglob("*.npz"))
        assert not list((runs[0] / name).rglob("*.part*"))
        assert not (runs[0] / name / "unfinished.json").exists()


def test_a_finished_run_is_not_run_again(runs, capsys):
    folder = runs[0] / "whole"
    before = (folder / "result.json").read_bytes()
    settings = killed_runs.settings(folder, resume=True)
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
    newest = max((folder / "checkpoints").glob("epoch-*.npz"))
    content = bytearray(newest.read_bytes())
    if kind == "changed":
        content[len(content) // 2] ^= 1
    kept = {"torn": 2 * len(content) // 3, "changed": len(content), "empty": 0}
    newest.write_bytes(content[: kept[kind]])
    return int(newest.stem.removeprefix("epoch-")), newest.name


@pytest.mark.parametrize("kind", ["torn", "changed", "empty"])
def test_a_damaged_checkpoint_is_passed_over_with_a_warning(kind, cut_off):
    epochs_done, name = damage(cut_off, kind)
    f = tiny.build(tiny.blobs(tiny.settings()), "dense", tiny.settings())
    with pytest.warns(UserWarning, match=f"{name} is damaged"):
        resume = keras_m2m.ExactResume(cut_off / "checkpoints", f)
    assert resume.epochs_done == epochs_done - 1
    assert [row["epoch"] for row in resume.history] == list(range(epochs_done - 1))


@pytest.mark.filterwarnings("ignore:The checkpoint .* is damaged")
def test_a_run_with_a_damaged_checkpoint_ends_the_same(runs, cut_off):
    damage(cut_off, "changed")
    (cut_off / "checkpoints" / "unfinished.part").write_bytes(b"of a killed write")
    runner.run(killed_runs.TASK, killed_runs.settings(cut_off, resume=True))
    assert_same_run(runs[0] / "whole", cut_off)


def test_an_unfinished_run_is_not_overwritten(cut_off):
    with pytest.raises(UserError, match=r"cut off. Go on with it by --resume"):
        runner.run(killed_runs.TASK, killed_runs.settings(cut_off))


def test_changed_flags_are_refused_with_the_difference(cut_off):
    changes = {"resume": True, "weight_decay": 0.5, "loss": "focal"}
    with pytest.raises(UserError) as raised:
        runner.run(killed_runs.TASK, killed_runs.settings(cut_off, **changes))
    assert "loss: ce then, focal now" in str(raised.value)
    assert "weight_decay: 0.0002 then, 0.5 now" in str(raised.value)
    assert "epochs:" not in str(raised.value)


def test_changed_data_is_refused(runs, cut_off, tmp_path):
    def other_blobs(settings):
        data = tiny.blobs(settings)
        data.train[0][0, 0] += 1
        return data

    task = tiny.Task("tiny", other_blobs, tiny.build, {}, presets={})
    for folder in (cut_off, shutil.copytree(runs[0] / "whole", tmp_path / "whole")):
        with pytest.raises(UserError, match=r"checksum of the data: \d+ then, \d+ now"):
            runner.run(task, killed_runs.settings(folder, resume=True))


def test_resume_without_a_run_begins_one(tmp_path):
    settings = tiny.settings(method="erm", out_dir=str(tmp_path), resume=True)
    assert runner.run(tiny.TASK, settings)["erm"]["tested_epoch"] <= 2


def test_a_run_that_saved_nothing_yet_is_begun_anew(tmp_path):
    settings = tiny.settings(method="erm", out_dir=str(tmp_path))
    run_folder.start(tmp_path, settings, tiny.blobs(settings))
    assert (tmp_path / "unfinished.json").exists()
    runner.run(tiny.TASK, settings.replace(epochs=1))
    assert (tmp_path / "finished.json").exists()


def test_runs_in_folders_below_are_left_alone(runs, tmp_path):
    shutil.copytree(runs[0] / "cut_off", tmp_path / "other")
    before = sorted(tmp_path.rglob("*.npz"))
    settings = tiny.settings(method="erm", epochs=1, out_dir=str(tmp_path))
    runner.run(tiny.TASK, settings)
    assert sorted(tmp_path.rglob("*.npz")) == before != []


def test_a_new_run_leaves_no_result_of_the_old_one(tmp_path):
    settings = tiny.settings(method="erm", epochs=1, out_dir=str(tmp_path))
    runner.run(tiny.TASK, settings)
    assert (tmp_path / "result.json").exists()
    anew = settings.replace(overwrite=True)
    run_folder.start(tmp_path, anew, tiny.blobs(settings))
    assert not (tmp_path / "result.json").exists()


def test_a_damaged_description_of_the_run_says_so(cut_off):
    (cut_off / "unfinished.json").write_text('{"flags": ')
    with pytest.raises(UserError, match=r"unfinished.json is damaged.*Remove it"):
        runner.run(killed_runs.TASK, killed_runs.settings(cut_off, resume=True))


class Killed(Exception):
    """As if the process had ended."""


@pytest.mark.parametrize("name", ["f.keras", "finished.json"])
def test_a_run_killed_while_it_writes_its_results_ends_the_same(
    name, runs, cut_off, monkeypatch
):
    replace = os.replace

    def die(source, target):
        if pathlib.Path(target).name == name:
            raise Killed
        replace(source, target)

    settings = killed_runs.settings(cut_off, resume=True)
    monkeypatch.setattr(os, "replace", die)
    with pytest.raises(Killed):
        runner.run(killed_runs.TASK, settings)
    monkeypatch.undo()
    runner.run(killed_runs.TASK, settings)
    assert_same_run(runs[0] / "whole", cut_off)


def test_what_a_kill_at_the_very_end_leaves_is_removed(runs, tmp_path):
    folder = shutil.copytree(runs[0] / "whole", tmp_path / "whole")
    shutil.copytree(runs[0] / "cut_off" / "checkpoints", folder / "checkpoints")
    runner.run(killed_runs.TASK, killed_runs.settings(folder, resume=True))
    assert not (folder / "checkpoints").exists()


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
        UserError, match=r"cannot be written to.*needs 16 MiB.*--runs"
    )
    with largest_file(2**20), expected:
        runner.run(tiny.TASK, settings)
    assert not list(tmp_path.rglob("*.npz"))
