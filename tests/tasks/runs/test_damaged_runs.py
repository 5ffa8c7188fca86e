"""Files of runs and of cells that are damaged, strange or missing."""

import os
import shutil
import warnings

import numpy as np
import pytest

import keras_m2m
from helpers import tiny
from keras_m2m.callbacks import checkpoint_files
from tasks.data import whole_files
from tasks.experiment.errors import UserError
from tasks.records.trainings import Trainings
from tasks.runs import runner
from tasks.training.train import train

pytestmark = pytest.mark.usefixtures("untraced")
ERM = tiny.settings(method="erm")


def cells(path):
    return Trainings(tiny.TASK, tiny.blobs(ERM), path / "results", path / "runs")


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    """The cells of M2m and of plain training, and the result of M2m."""
    own = cells(tmp_path_factory.mktemp("cells"))
    own.network(ERM)
    return own, own.result(tiny.settings())


@pytest.fixture
def copied(done, tmp_path):
    """A copy of what was trained, to be damaged."""
    shutil.copytree(done[0].runs, cells(tmp_path).runs)
    return cells(tmp_path)


class Killed(Exception):
    """As if the process had ended."""


@pytest.mark.no_backend
def test_a_cell_killed_after_its_last_checkpoint_ends_the_same(
    done, copied, monkeypatch
):
    write = whole_files.write
    settings = tiny.settings()
    shutil.rmtree(copied.runs / copied.name(settings))

    def die(path, text):
        if path.name == "training.json":
            raise Killed
        write(path, text)

    monkeypatch.setattr(whole_files, "write", die)
    with pytest.raises(Killed):
        copied.result(settings)
    monkeypatch.undo()
    result = copied.result(settings)
    assert {**result, "timing": 0} == {**done[1], "timing": 0}
    assert np.sum(result["translated"]) > 0


@pytest.mark.no_backend
@pytest.mark.parametrize("content", ["", "{}", '{"history": []}'])
@pytest.mark.filterwarnings("ignore:.*training.json is damaged")
def test_a_damaged_training_is_made_again(content, copied):
    before = copied.validate(ERM)
    (copied.runs / copied.name(ERM) / "training.json").write_text(content)
    assert copied.validate(ERM) == before


@pytest.mark.no_backend
@pytest.mark.parametrize("damage", ["torn", "pipe"])
def test_a_damaged_network_is_named_and_made_again(damage, copied):
    before = copied.network(ERM).get_weights()
    path = copied.runs / copied.name(ERM) / "f.keras"
    path.unlink()
    if damage == "pipe":
        os.mkfifo(path)
    else:
        path.write_bytes(b"PK\x03\x04 no archive")
    # Not pytest.warns, which hands other warnings on without their module.
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        after = copied.network(ERM).get_weights()
    assert any("f.keras is damaged and is made" in str(w.message) for w in caught)
    for one, other in zip(before, after, strict=True):
        np.testing.assert_array_equal(one, other)


def checkpoint_of(epochs_done, about, folder, **arrays):
    checkpoint_files.write(folder, epochs_done, about, arrays)
    return tiny.build(tiny.blobs(ERM), "dense", ERM)


SAVED = {"history": [{"epoch": 0}], "best": None, "own": 0}


@pytest.mark.parametrize(
    "about",
    [
        {},
        {**SAVED, "history": []},
        {**SAVED, "history": [7]},
        {**SAVED, "history": [{"epoch": 5}]},
        {**SAVED, "own": None},
        {**SAVED, "best": 7},
    ],
)
def test_a_whole_checkpoint_of_strange_content_is_passed_over(about, tmp_path):
    f = checkpoint_of(1, about, tmp_path)
    with pytest.warns(UserWarning, match="epoch-00001.npz is damaged"):
        assert keras_m2m.ExactResume(tmp_path, f).epochs_done == 0


def of_other_shapes(f):
    return [np.zeros((3, *v.shape), "float32") for v in f.variables]


def of_texts(f):
    return [np.full(v.shape, "text") for v in f.variables]


@pytest.mark.parametrize("make", [of_other_shapes, of_texts, lambda f: []])
def test_a_checkpoint_of_another_network_is_refused_with_what_to_remove(make, tmp_path):
    f = tiny.build(tiny.blobs(ERM), "dense", ERM)
    arrays = {f"network/{i}": value for i, value in enumerate(make(f))}
    checkpoint_of(1, SAVED, tmp_path / "checkpoints", **arrays)
    settings = tiny.settings(method="erm")
    with pytest.raises(UserError, match=r"of another training.*Remove that folder"):
        train(tiny.TASK, tiny.blobs(settings), settings, tmp_path)


@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir])
def test_what_is_no_file_under_the_name_of_a_checkpoint_is_none(make, tmp_path):
    make(tmp_path / "epoch-00001.npz")
    assert checkpoint_files.read_newest(tmp_path) is None


def test_a_checkpoint_is_not_written_through_a_link(tmp_path):
    (tmp_path / "mine").write_text("mine")
    (tmp_path / "unfinished.part").symlink_to(tmp_path / "mine")
    checkpoint_files.write(tmp_path, 1, SAVED, {})
    assert (tmp_path / "mine").read_text() == "mine"
    assert checkpoint_files.read_newest(tmp_path) == (1, SAVED, {})


@pytest.mark.no_backend
def test_curves_that_cannot_be_written_end_a_run_with_what_is_saved(tmp_path):
    settings = tiny.settings(method="erm", out_dir=str(tmp_path), defer_epoch=0)
    kept = tmp_path / "trainings"
    own = Trainings(tiny.TASK, tiny.blobs(ERM), tmp_path / "records", kept)
    own.folder(settings).mkdir(parents=True)
    (own.folder(settings) / "tensorboard").write_text("in the way")
    expected = r"TensorBoard cannot write its curves.*What is trained stays"
    with pytest.raises(UserError, match=expected):
        runner.run(tiny.TASK, settings)
