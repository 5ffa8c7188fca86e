"""A run that is there gains what is done after its training, without another one."""

import json

import keras
import numpy as np
import pytest

from helpers import tiny
from keras_m2m.recipes import After
from tasks.experiment.errors import UserError
from tasks.records import trainings
from tasks.runs import runner

# What is done after a training is tested on every backend in test_afterwards.
pytestmark = pytest.mark.no_backend


@pytest.fixture(scope="module")
def gained(tmp_path_factory):
    """A run of plain training, and the results of the same with an adjustment."""
    folder = tmp_path_factory.mktemp("run")
    settings = tiny.settings(method="erm", out_dir=str(folder))
    before = runner.run(tiny.TASK, settings)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(trainings, "train", None)
        adjusted = settings.followed_by(After(adjust="1"))
        return folder, before, runner.run(tiny.TASK, adjusted)


def test_the_results_of_a_run_stand_beside_each_other(gained):
    folder, before, after = gained
    assert [*after] == ["erm", "erm + logit adjustment"]
    assert after["erm"] == before["erm"]
    for place, name in ((folder, "erm"), (folder / "adjust=1", [*after][1])):
        shown = json.loads((place / "result.json").read_text())
        assert shown == json.loads(json.dumps(after[name]))


def test_the_network_that_is_shown_is_the_adjusted_one(gained):
    folder, _, after = gained
    f = keras.saving.load_model(folder / "adjust=1" / "f.keras")
    x, y = tiny.blobs(tiny.settings()).test
    predicted = f.predict(x, verbose=0).argmax(axis=1)
    recalls = [(predicted[y == k] == k).mean() for k in range(3)]
    expected = after["erm + logit adjustment"]["per_class_recall"]
    np.testing.assert_allclose(recalls, expected)


def test_the_same_command_again_finds_all_of_it(gained, capsys):
    folder, _, after = gained
    settings = tiny.settings(method="erm", out_dir=str(folder))
    again = runner.run(tiny.TASK, settings.followed_by(After(adjust="1")))
    assert again == after
    assert "This run is finished" in capsys.readouterr().out


def test_without_validation_nothing_is_chosen(tmp_path):
    settings = tiny.settings(method="erm", protocol="field", out_dir=str(tmp_path))
    message = "needs a validation set, and this protocol keeps none"
    with pytest.raises(UserError, match=f"--adjust=auto {message}"):
        runner.run(tiny.TASK, settings.followed_by(After(adjust="auto")))


def test_the_plan_says_what_comes_after(capsys):
    settings = tiny.settings(method="erm", dry_run=True)
    runner.run(tiny.TASK, settings.followed_by(After("crt")))
    assert "then, without training f again: cRT" in capsys.readouterr().out
