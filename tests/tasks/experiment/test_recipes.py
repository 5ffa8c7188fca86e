"""The ablations as data: what they fix, and that they train."""

import numpy as np
import pytest

from helpers import tiny
from keras_m2m.recipes import METHODS
from keras_m2m.recipes import phases
from tasks.experiment import ablations
from tasks.experiment.recipes import ABLATIONS
from tasks.experiment.recipes import method_of
from tasks.experiment.rows import Row
from tasks.experiment.rows import read_row
from tasks.runs.sweep import Entry
from tasks.training.recipe import recipe_of
from tasks.training.recipe import training_set
from tasks.training.train import train

pytestmark = pytest.mark.no_backend  # test_ablations has their models on each.


# Those whose model is not that of `m2m`, or trained otherwise.
@pytest.mark.filterwarnings("ignore:Epoch 0. g accepted:UserWarning")
@pytest.mark.parametrize(
    "name",
    ["m2m_pool10", "m2m_clean", "m2m_rs_rand", "m2m_self", "m2m_no_reject"]
    + ["m2m_ensemble"],
)
def test_an_ablation_trains(name, tmp_path):
    settings = tiny.settings(method=name, epochs=1, defer_epoch=0, protocol="field")
    data = tiny.blobs(settings)
    networks = [
        tiny.build(data, "dense", settings) for _ in range(ABLATIONS[name].teachers)
    ]
    trained = train(tiny.TASK, data, settings, tmp_path, ablations.teacher(networks))
    assert np.isfinite(trained.history[0]["loss"])
    assert 0 <= trained.history[0]["acceptance_rate"] <= 1


def test_ablations_upon_rs_are_not_deferred():
    for name in ABLATIONS:
        found = phases.phases(recipe_of(tiny.settings(method=name)))
        assert len(found) == (1 if name in ("m2m_rs", "m2m_rs_rand") else 2)
        assert found[-1].method is ABLATIONS[name]


@pytest.mark.parametrize(
    "loss, method, label",
    [
        ("ce", "mixup-drs", "mixup-DRS"),
        ("ce", "remix-drs", "Remix-DRS"),
        ("ce", "mixup-erm", "mixup"),
        ("ldam", "remix-drw", "LDAM-Remix-DRW"),
        ("la", "m2m", "LA-M2m"),
        ("la", "erm", "LA"),
        ("ce", "erm", "ERM"),
        ("bce", "mixup-rs", "BCE-mixup-RS"),
    ],
)
def test_rows_are_called_by_loss_mixing_and_method(loss, method, label):
    row = Row(loss, method)
    assert row.label == label
    assert read_row(row.name) == row


def test_a_row_on_mixed_batches_is_a_training_with_that_flag():
    settings = Entry(tiny.TASK, []).settings(Row("la", "remix-m2m"), seed=3)
    assert (settings.method, settings.mix) == ("m2m", "remix")
    assert (settings.loss, settings.seed) == ("la", 3)


def test_the_names_of_ablations_are_no_methods_of_the_command_line():
    assert not set(ABLATIONS) & set(METHODS)
    assert method_of("m2m") is METHODS["m2m"]
    assert method_of("m2m_self") is ABLATIONS["m2m_self"]


@pytest.mark.parametrize("name", ABLATIONS)
def test_values_that_an_ablation_fixes_go_before_the_settings(name):
    settings = tiny.settings(method=name, lam=0.5, gamma=0.7)
    data = tiny.blobs(settings)
    f = tiny.untrained(data, settings)
    networks = [tiny.build(data, "dense", settings) for _ in range(2)]
    g = ablations.teacher(networks[: ABLATIONS[name].teachers])
    *_, phase = phases.phases(recipe_of(settings))
    model = phases.model_of(phase, f, g, training_set(data), recipe_of(settings))
    expected = {"m2m_lam0": (0, 0.7), "m2m_no_threshold": (0.5, 0)}
    expected["m2m_ensemble"] = (0.5, 0.99)
    assert (model.lam, model.gamma) == expected.get(name, (0.5, 0.7))
