"""Trainings of tables: trained once, from what they share, and found again."""

import itertools
import json
import shutil
from dataclasses import replace

import keras
import numpy as np
import pytest

from helpers import tiny
from keras_m2m.recipes import Diverged
from tasks.experiment.errors import UserError
from tasks.experiment.settings import Settings
from tasks.records import folder_lock
from tasks.records.identity import differences
from tasks.records.records import find
from tasks.records.trainings import Trainings
from tasks.training import devices

pytestmark = pytest.mark.usefixtures("untraced")
BATCHES = 4  # Of an epoch.


def cells(path, data=None):
    data = data or tiny.blobs(tiny.settings())
    return Trainings(tiny.TASK, data, path / "results", path / "runs")


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    """Trainings of three methods on one seed, and what each came to."""
    own = cells(tmp_path_factory.mktemp("cells"))
    return own, {
        method: own.result(tiny.settings(method=method))
        for method in ("m2m", "erm", "drs")
    }


def of_the_run(result):
    ignored = {"timing", "flags", "g", "translated", "accepted", "commit"}
    return {k: v for k, v in result.items() if k not in ignored}


@pytest.mark.no_backend
def test_deferred_methods_of_a_seed_share_their_start(done):
    own, _ = done
    starts = sorted(path.name[:12] for path in (own.runs / "starts").iterdir())
    # And the one of g.
    assert starts == ["erm-ce-seed0", "erm-ce-seed1"]


@pytest.mark.no_backend
def test_g_is_the_plain_network_of_the_next_seed(done):
    own, results = done
    assert results["m2m"]["g"] == {"seeds": [1]}
    g = own.teacher(tiny.settings())
    plain = own.network(tiny.settings(method="erm", seed=1))
    for one, other in zip(g.get_weights(), plain.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.no_backend
def test_a_loss_keeps_g_that_of_cross_entropy(done):
    own, _ = done
    for focal, ce in zip(
        own.teacher(tiny.settings(loss="focal")).get_weights(),
        own.teacher(tiny.settings()).get_weights(),
        strict=True,
    ):
        np.testing.assert_array_equal(focal, ce)


@pytest.mark.no_backend
def test_what_is_done_is_not_trained_again(done, tmp_path):
    own, results = done
    elsewhere = cells(tmp_path)
    elsewhere.results = own.results
    assert elsewhere.result(tiny.settings()) == results["m2m"]
    assert not elsewhere.runs.exists()


@pytest.mark.no_backend
def test_a_network_that_is_gone_is_trained_again(done):
    own, results = done
    settings = tiny.settings(method="drs")
    before = own.network(settings).get_weights()
    shutil.rmtree(own.runs / own.name(settings))
    after = own.network(settings).get_weights()
    for one, other in zip(before, after, strict=True):
        np.testing.assert_array_equal(one, other)
    assert own.find(settings) == results["drs"]


@pytest.mark.no_backend
def test_a_network_that_was_removed_to_make_room_is_trained_again(done):
    own, _ = done
    settings = tiny.settings(method="drs")
    before = own.network(settings).get_weights()
    (own.runs / own.name(settings) / "f.keras").unlink()
    after = own.network(settings).get_weights()
    for one, other in zip(before, after, strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.no_backend
def test_a_start_of_no_epochs_is_none(tmp_path):
    result = cells(tmp_path).result(tiny.settings(method="drs", defer_epoch=0))
    assert result["tested_epoch"] in (0, 1, 2)
    assert not (tmp_path / "runs" / "tiny" / "starts").exists()


@pytest.mark.no_backend
def test_a_result_names_the_commit_that_trained_it(tmp_path, monkeypatch):
    own = cells(tmp_path)
    settings = tiny.settings(method="erm")
    monkeypatch.setattr(own, "commit", "trained")
    own.network(settings)
    monkeypatch.setattr(own, "commit", "tested")
    assert own.result(settings)["commit"] == "trained"


@pytest.fixture
def damaged(done, tmp_path):
    """Trainings of which one has half a result, and its file."""
    _, results = done
    own = cells(tmp_path)
    own.results.mkdir(parents=True)
    path = own.results / f"{own.name(tiny.settings())}.json"
    path.write_text(json.dumps(results["m2m"])[:99])
    return own, path


def test_a_damaged_result_is_named_and_not_taken_for_none(damaged, tmp_path):
    _, path = damaged
    with pytest.raises(UserError, match=f"{path.name} is damaged"):
        find(tmp_path / "results", tiny.settings())


def test_a_damaged_result_is_set_aside_to_be_made_again(damaged):
    own, path = damaged
    with pytest.warns(UserWarning, match=f"{path.name} is damaged.*made again"):
        assert own.find(tiny.settings()) is None
    assert path.with_suffix(".damaged").exists()


@pytest.mark.no_backend
def test_what_another_process_trains_is_not_trained_at_once(tmp_path):
    own = cells(tmp_path)
    own.wait = False
    settings = tiny.settings(method="erm")
    own.folder(settings).mkdir(parents=True)
    busy = pytest.raises(folder_lock.Busy, match="is in use by process")
    with folder_lock.held(own.folder(settings)), busy:
        own.result(settings)
    assert own.result(settings)["seed"] == 0


@pytest.mark.skipif(keras.backend.backend() != "jax", reason="of keras.distribution")
def test_memory_is_freed_and_the_devices_stay_chosen():
    with keras.distribution.DataParallel().scope():
        chosen = keras.distribution.distribution()
        devices.clear_session()
        assert keras.distribution.distribution() is chosen


@pytest.mark.no_backend
def test_translations_are_counted_by_classes(done):
    _, results = done
    translated, accepted = (
        np.array(results["m2m"][key]) for key in ("translated", "accepted")
    )
    assert translated.shape == accepted.shape == (3, 3)
    # gamma is 0.
    assert (translated == accepted).all()
    assert translated.sum() > 0
    assert "translated" not in results["drs"]


@pytest.mark.no_backend
def test_a_result_is_small_and_names_no_path(done, tmp_path_factory):
    own, _ = done
    for path in own.results.iterdir():
        assert path.stat().st_size < 4096
        assert str(tmp_path_factory.getbasetemp()) not in path.read_text()


@pytest.mark.parametrize(
    "change",
    [
        {"beta": 0.99},
        {"lam": 0.5},
        {"gamma": 0.9},
        {"steps": 3},
        {"step_size": 0.1},
        {"noise": 0.0},
    ],
)
def test_m2ms_flags_make_another_cell_of_m2m_alone(tmp_path, change):
    own = cells(tmp_path)
    names = {
        method: {
            own.name(tiny.settings(method=method)),
            own.name(tiny.settings(method=method, **change)),
        }
        for method in ("erm", "drs", "m2m")
    }
    assert {method: len(found) for method, found in names.items()} == {
        "erm": 1,
        "drs": 1,
        "m2m": 2,
    }


@pytest.mark.parametrize(
    "change", [{"seed": 1}, {"loss": "focal"}, {"epochs": 4}, {"learning_rate": 0.2}]
)
def test_other_flags_make_another_cell(tmp_path, change):
    own = cells(tmp_path)
    assert own.name(tiny.settings(method="erm")) != own.name(
        tiny.settings(method="erm", **change)
    )


def test_mixing_makes_another_cell_and_none_keeps_the_names_before_it(tmp_path):
    own = cells(tmp_path)
    plain, until, mixed, ended = (
        own.name(tiny.settings(method="drs", mix=mix, mix_until=epoch))
        for mix, epoch in itertools.product(["none", "mixup"], [0, 2])
    )
    assert "mix" not in " ".join(own.configuration(tiny.settings())["flags"])
    assert plain == until
    assert len({plain, mixed, ended}) == 3
    assert mixed.startswith("mixup-drs-ce-seed0-")


def test_units_make_another_cell_and_none_keeps_the_names_before_them(tmp_path):
    own = cells(tmp_path)
    named = {u: own.name(tiny.settings(units=u)) for u in ("none", "std", "auto")}
    assert len({*named.values()}) == 3
    assert "units" not in own.configuration(tiny.settings())["flags"]
    names = {own.name(tiny.settings(method="drs", units=u)) for u in ("none", "std")}
    assert len(names) == 1  # Which translates nothing.


@pytest.mark.no_backend
def test_a_record_without_units_is_of_none_whatever_the_default_is(tmp_path):
    record = {"flags": cells(tmp_path).configuration(tiny.settings())["flags"]}
    flags = dict(tiny.settings().flags)
    flags["units"] = replace(flags["units"], default="auto")
    settings = Settings("tiny", flags.values(), tiny.settings().values)
    assert differences(record, settings) == []
    (changed,) = differences(record, settings.replace(units="auto"))
    assert changed == "units: none then, auto now"


@pytest.mark.no_backend
def test_a_chosen_step_is_noted_and_translates_again(tmp_path):
    own = cells(tmp_path)
    settings = tiny.settings(step_size="auto", units="std", protocol="field")
    result = own.result(settings)
    assert result["flags"]["step_size"] == "auto"
    assert own.model(settings).step_size == result["step_size"] > 0


@pytest.mark.no_backend
def test_a_result_on_mixed_batches_is_none_of_unmixed_ones(tmp_path):
    own = cells(tmp_path)
    settings = tiny.settings(method="erm", mix="remix", epochs=1, protocol="field")
    result = own.result(settings)
    assert result["flags"]["mix"] == "remix"
    assert own.find(settings) == result
    assert own.find(settings.replace(mix="mixup")) is None
    assert own.find(settings.replace(mix="none")) is None
    # Nor under the name of one.
    path = own.results / f"{own.name(settings)}.json"
    path.rename(path.with_name(path.name.removeprefix("remix-")))
    assert own.find(settings.replace(mix="none")) is None


def test_where_data_lies_makes_no_other_cell(tmp_path):
    own = cells(tmp_path)
    assert own.name(tiny.settings()) == own.name(tiny.settings(data_dir="elsewhere"))


def test_other_data_makes_another_cell(tmp_path):
    data = tiny.blobs(tiny.settings())
    x, y = data.test
    other = replace(data, test=(x + 1, y))
    assert cells(tmp_path).name(tiny.settings()) != cells(tmp_path, other).name(
        tiny.settings()
    )


class Interrupted(Exception):
    """What a kill is to the test."""


@pytest.mark.no_backend  # test_resume kills runs on each.
@pytest.mark.parametrize("epochs", [2, 5])  # In g, and in the second phase of f.
def test_a_cell_that_was_cut_off_goes_on(done, tmp_path, epochs):
    _, results = done
    calls = []

    def cut(x, rng):
        calls.append(len(x))
        if len(calls) == epochs * BATCHES:
            raise Interrupted("cut off")
        return x

    data = tiny.blobs(tiny.settings())
    with pytest.raises(Exception, match="cut off"):
        cells(tmp_path, replace(data, augment=cut)).result(tiny.settings())
    before = len(calls)
    again = cells(tmp_path, data)
    assert again.find(tiny.settings()) is None
    result = again.result(tiny.settings())
    assert of_the_run(result) == of_the_run(results["m2m"])
    assert before < 3 * 3 * BATCHES


def test_a_training_that_diverges_is_a_result_too(tmp_path):
    own = cells(tmp_path)
    settings = tiny.settings(method="erm", learning_rate=1e18)
    result = own.result(settings)
    assert "the loss was" in result["failed"]
    assert "balanced_accuracy" not in result
    assert result["flags"]["learning_rate"] == 1e18
    with pytest.raises(Diverged, match="seed 0"):
        own.network(settings)


def test_a_g_that_diverges_fails_its_cell(tmp_path):
    own = cells(tmp_path)
    result = own.result(tiny.settings(learning_rate=1e18))
    assert result["failed"].startswith("of g, the loss was")


def test_a_method_fixes_flags_by_itself():
    # So that a cell's configuration says what it was trained with.
    from tasks.experiment.recipes import ABLATIONS

    settings = tiny.settings(lam=0.5).replace(**ABLATIONS["m2m_lam0"].flags)
    assert settings.lam == 0


@pytest.mark.no_backend
def test_a_result_is_read_by_json(done):
    own, results = done
    file = own.results / f"{own.name(tiny.settings())}.json"
    assert json.loads(file.read_text()) == results["m2m"]
