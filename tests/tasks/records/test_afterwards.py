"""What is done after a training costs none, and stands beside its result."""

import keras
import numpy as np
import pytest
from sklearn.metrics import confusion_matrix

from helpers import tiny
from keras_m2m import heads
from keras_m2m.recipes import NOTHING
from keras_m2m.recipes import After
from keras_m2m.recipes import Diverged
from tasks.records import trainings as module
from tasks.records.trainings import Trainings
from tasks.training import afterwards

pytestmark = pytest.mark.no_backend

DATA = tiny.blobs(tiny.settings())
ERM = tiny.settings(method="erm")
EACH = {
    name: ERM.followed_by(after)
    for name, after in {
        "tau_norm": After("tau_norm"),
        "tau_norm_auto": After("tau_norm_auto"),
        "crt": After("crt"),
        "lws": After("lws"),
        "ncm": After("ncm"),
        "adjust=1": After(adjust="1"),
        "adjust=auto": After(adjust="auto"),
    }.items()
}


@pytest.fixture(scope="module")
def own(tmp_path_factory):
    """A plain training, whose record is there before anything is done after it."""
    path = tmp_path_factory.mktemp("after")
    own = Trainings(tiny.TASK, DATA, path / "results", path / "runs")
    own.result(ERM)
    return own


@pytest.fixture(scope="module")
def results(own):
    """Results of all that can be done after it, while nothing may be trained."""
    plain = own.results / f"{own.name(ERM)}.json"
    before = plain.read_bytes()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "train", None)
        patch.setattr(afterwards, "_EPOCHS", 2)
        found = {name: own.result(settings) for name, settings in EACH.items()}
    assert plain.read_bytes() == before
    return found


@pytest.mark.parametrize("name", EACH)
def test_a_result_is_found_by_what_was_done(own, results, name):
    found = own.find(EACH[name])
    assert found == results[name]
    assert {k: found["flags"][k] for k in ("head", "adjust")} == {
        "head": EACH[name].head,
        "adjust": EACH[name].adjust,
    }


def test_the_plain_result_is_found_as_before(own, results):
    found = own.find(ERM)
    assert found == own.find(EACH["crt"].followed_by(NOTHING))
    assert "head" not in found["flags"]
    assert "after" not in found


def test_a_training_is_the_same_whatever_is_done_after_it(own):
    assert {own.name(settings) for settings in EACH.values()} == {own.name(ERM)}
    assert len({own.folder_of_result(settings) for settings in EACH.values()}) == 7


def test_scores_are_those_of_the_kept_network(own, results):
    x, y = DATA.test
    for name, settings in EACH.items():
        network = own.network_of_result(settings)
        predicted = keras.ops.convert_to_numpy(network(x)).argmax(axis=1)
        expected = confusion_matrix(y, predicted).tolist()
        assert results[name]["confusion_matrix"] == expected, name


def test_logits_are_adjusted_by_the_counts_of_the_training_set(own, results):
    f = own.network(ERM)
    found = own.network_of_result(EACH["adjust=1"]).get_weights()[-1]
    shift = -np.log(DATA.class_counts / DATA.class_counts.sum())
    np.testing.assert_allclose(found, f.get_weights()[-1] + shift, rtol=1e-5)
    assert results["adjust=1"]["after"] == {"tau": 1.0}


@pytest.mark.parametrize("name", ["tau_norm_auto", "adjust=auto"])
def test_tau_is_the_best_on_validation_and_all_tried_are_said(own, results, name):
    about = results[name]["after"]
    np.testing.assert_allclose(about["taus"], np.arange(21) / 10)
    best = np.argmax(about["val_balanced_accuracy"])
    assert about["tau"] == about["taus"][best]


def test_a_new_head_says_how_it_was_trained(results):
    assert results["crt"]["after"] == {
        "epochs": 2,
        "batch_size": ERM.batch_size,
        "learning_rate": ERM.learning_rate,
        "weight_decay": ERM.weight_decay,
        "seed": 0,
    }


def test_features_are_computed_once_for_all_of_a_network(own, monkeypatch):
    seen = []

    def watched(f):
        seen.append(f.name)
        return heads.feature_network(f)

    fake = type("fake", (), {**vars(heads), "feature_network": staticmethod(watched)})
    monkeypatch.setattr(afterwards, "heads", fake)
    kept = {}
    for name in ("ncm", "adjust=auto", "tau_norm_auto", "ncm"):
        afterwards.done_after(own.network(ERM), DATA, EACH[name], kept)
    assert len(seen) == 2  # Of training and of validation samples.
    assert kept.keys() == {"train", "validation"}


def test_a_network_that_is_gone_is_made_again(own, results):
    path = own.folder_of_result(EACH["ncm"]) / "f.keras"
    before = own.network_of_result(EACH["ncm"]).get_weights()
    path.unlink()
    for one, other in zip(before, own.network_of_result(EACH["ncm"]).get_weights()):
        np.testing.assert_array_equal(one, other)
    assert path.exists()


def test_after_a_training_that_diverged_there_is_nothing(own, tmp_path, monkeypatch):
    def diverge(*arguments, **named):
        raise Diverged("erm", "loss is not finite", "")

    monkeypatch.setattr(module, "train", diverge)
    other = Trainings(tiny.TASK, DATA, tmp_path / "results", tmp_path / "runs")
    found = other.result(EACH["ncm"])
    assert found["failed"] == "loss is not finite"
    assert found["flags"]["head"] == "ncm"
