"""M2m's parameters are chosen on validation, once, and by nothing else."""

import itertools
import json
import shutil
from dataclasses import replace

import pytest

from helpers import tiny
from tasks.experiment.errors import UserError
from tasks.records.trainings import Trainings
from tasks.runs import tuning
from tasks.training.train import train

pytestmark = pytest.mark.no_backend
GRID = {"beta": (0.5, 0.9), "lam": (0.1,), "gamma": (0.0, 0.05)}


@pytest.fixture(scope="module")
def searched(tmp_path_factory):
    """Trainings whose test set nobody can look at, what was chosen, and the file."""
    path = tmp_path_factory.mktemp("tuning")
    data = replace(tiny.blobs(tiny.settings()), test=None)
    cells = Trainings(tiny.TASK, data, path / "results", path / "runs")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tuning, "GRID", GRID)
        chosen = tuning.tune(cells, tiny.settings(seed=7))
    (file,) = cells.results.glob("tuned-*.json")
    return cells, chosen, file


@pytest.fixture(autouse=True)
def small_grid(monkeypatch):
    monkeypatch.setattr(tuning, "GRID", GRID)


def test_every_point_of_the_grid_is_tried_once(searched):
    _, _, file = searched
    trials = json.loads(file.read_text())["trials"]
    tried = [tuple(trial[name] for name in GRID) for trial in trials]
    assert tried == list(itertools.product(*GRID.values()))


def test_a_score_is_that_of_the_cells_best_epoch_on_validation(searched, tmp_path):
    cells, _, file = searched
    trial = json.loads(file.read_text())["trials"][1]
    values = {name: trial[name] for name in GRID}
    own = Trainings(tiny.TASK, cells.data, tmp_path / "results", tmp_path / "runs")
    settings = tiny.settings(seed=7, **values)
    trained = train(
        tiny.TASK, own.data, settings, tmp_path / "alone", own.teacher(settings)
    )
    scores = [row["val_balanced_accuracy"] for row in trained.history]
    assert trial["val_balanced_accuracy"] == max(scores)


def test_a_score_is_that_of_the_epoch_that_is_tested(tmp_path):
    settings = tiny.settings(protocol="field", method="erm")
    data = replace(tiny.blobs(settings), validation=tiny.blobs(settings).test)
    own = Trainings(tiny.TASK, data, tmp_path / "results", tmp_path / "runs")
    own.validate(settings)
    (file,) = own.runs.glob("erm-*/training.json")
    about = json.loads(file.read_text())
    for epoch, row in enumerate(about["history"]):  # The best epoch is the first.
        row["val_balanced_accuracy"] = 1 / (1 + epoch)
    file.write_text(json.dumps(about))
    assert own.validate(settings) == 1 / 3


def test_the_best_is_chosen_and_of_equal_ones_the_first(searched):
    _, chosen, file = searched
    trials = json.loads(file.read_text())["trials"]
    best = max(trial["val_balanced_accuracy"] for trial in trials)
    first = next(t for t in trials if t["val_balanced_accuracy"] == best)
    assert chosen == {name: first[name] for name in GRID}


def test_what_was_searched_is_found_without_data(searched):
    cells, chosen, _ = searched
    settings = tiny.settings(seed=7)
    assert tuning.tune(cells, settings) == chosen
    assert tuning.found(cells.results.parent, settings) == chosen
    # The presets' values are what is searched for, so they make no other search.
    assert tuning.found(cells.results.parent, settings.replace(beta=0.3)) == chosen
    assert tuning.found(cells.results.parent, settings.replace(seed=8)) == {}


def test_a_search_that_was_cut_off_goes_on(searched, tmp_path):
    cells, chosen, file = searched
    own = Trainings(tiny.TASK, cells.data, tmp_path / "results", tmp_path / "runs")
    trials = shutil.ignore_patterns("m2m-*", "tuning")
    shutil.copytree(cells.runs, own.runs, ignore=trials)  # g, and the shared start.
    validate, scores = own.validate, []

    def cut(settings):
        if len(scores) == 2:
            raise KeyboardInterrupt
        scores.append(validate(settings))
        return scores[-1]

    own.validate = cut
    with pytest.raises(KeyboardInterrupt):
        tuning.tune(own, tiny.settings(seed=7))
    del own.validate
    done = {file: file.stat().st_mtime_ns for file in own.runs.glob("*/training.json")}
    assert len(done) == 3  # Of g too.
    assert tuning.tune(own, tiny.settings(seed=7)) == chosen
    assert {file: file.stat().st_mtime_ns for file in done} == done
    (other,) = own.results.glob("tuned-*.json")
    assert (
        json.loads(other.read_text())["trials"]
        == (json.loads(file.read_text())["trials"])
    )


def test_an_error_in_a_trial_comes_through(searched, tmp_path):
    cells, _, _ = searched
    own = Trainings(tiny.TASK, cells.data, tmp_path / "results", tmp_path / "runs")

    def fail(settings):
        raise UserError("the disk is full")

    own.validate = fail
    with pytest.raises(UserError, match="the disk is full"):
        tuning.tune(own, tiny.settings(seed=7))


def test_a_trial_that_diverges_scores_nothing(tmp_path):
    data = tiny.blobs(tiny.settings())
    own = Trainings(tiny.TASK, data, tmp_path / "results", tmp_path / "runs")
    assert own.validate(tiny.settings(learning_rate=1e18)) == 0


def test_a_search_in_which_all_diverge_is_an_error(tmp_path):
    data = tiny.blobs(tiny.settings())
    own = Trainings(tiny.TASK, data, tmp_path / "results", tmp_path / "runs")
    with pytest.raises(UserError, match="every trial diverged"):
        tuning.tune(own, tiny.settings(learning_rate=1e18))


def test_without_a_validation_set_nothing_is_tuned(tmp_path):
    settings = tiny.settings(protocol="field")
    own = Trainings(
        tiny.TASK, tiny.blobs(settings), tmp_path / "results", tmp_path / "runs"
    )
    with pytest.raises(UserError, match="--tune needs a validation set"):
        tuning.tune(own, settings)
