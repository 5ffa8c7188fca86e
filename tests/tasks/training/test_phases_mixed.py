"""Phases of trainings on mixed batches, or by losses that correct for frequencies."""

import keras
import numpy as np
import pytest

import keras_m2m
from helpers import tiny
from tasks.experiment.recipes import METHODS
from tasks.records.teachers import teachers
from tasks.training import phases
from tasks.training import train as training

CROSS_ENTROPY = keras.losses.SparseCategoricalCrossentropy


def models(**changes):
    """The model of each phase of a training, and its network."""
    settings = tiny.settings(**changes)
    data = tiny.blobs(settings)
    f, g = (phases.new_network(tiny.TASK, data, settings) for _ in range(2))
    mixing = phases.mixing_model(f, data, settings)
    found = []
    for phase in phases.phases(settings):
        model = phases.model_of(phase, f, g, data, settings, mixing)
        found.append((model, type(model.loss)))
    return f, found


# A loss that corrects for class frequencies, until a method balances.


@pytest.mark.no_backend
@pytest.mark.parametrize("method", ["drs", "drw", "m2m"])
@pytest.mark.parametrize("loss", ["la", "vs"])
def test_cross_entropy_takes_the_place_of_a_correcting_loss_once_batches_balance(
    method, loss
):
    f, ((first, correcting), (second, balanced)) = models(method=method, loss=loss)
    kinds = {"la": keras_m2m.LogitAdjustedLoss, "vs": keras_m2m.VSLoss}
    assert correcting is kinds[loss]
    assert balanced is CROSS_ENTROPY
    assert first is f
    assert isinstance(second, keras_m2m.M2mModel) == (method == "m2m")
    assert second.optimizer is f.optimizer


@pytest.mark.no_backend
def test_other_losses_stay_through_both_phases():
    _, found = models(method="drs", loss="las")
    assert [kind for _, kind in found] == 2 * [keras_m2m.LabelAwareSmoothing]


# Which epochs are mixed.


def mixed_epochs(**changes):
    found = phases.phases(tiny.settings(epochs=9, defer_epoch=5, **changes))
    assert [phase.first for phase in found[1:]] == [phase.last for phase in found[:-1]]
    return [(phase.first, phase.last) for phase in found if phase.mixes]


@pytest.mark.no_backend
@pytest.mark.parametrize(
    "method, until, expected",
    [
        ("drs", 0, [(0, 5), (5, 9)]),
        ("drs", 5, [(0, 5)]),
        ("drs", 3, [(0, 3)]),
        ("drs", 7, [(0, 5), (5, 7)]),
        ("drs", 20, [(0, 5), (5, 9)]),
        ("rs", 0, [(0, 9)]),
        ("erm", 3, [(0, 3)]),
    ],
)
def test_batches_are_mixed_until_an_epoch(method, until, expected):
    assert mixed_epochs(method=method, mix="mixup", mix_until=until) == expected
    assert mixed_epochs(method=method, mix="none", mix_until=until) == []


@pytest.mark.no_backend
def test_one_model_mixes_all_plain_epochs_and_m2m_its_own():
    f, ((first, _), (second, _)) = models(method="drs", mix="remix")
    assert first is second
    assert first.f is f
    assert first.mixing.class_counts == [12, 40, 4]
    _, ((_, _), (m2m, _)) = models(method="m2m", mix="mixup")
    assert isinstance(m2m, keras_m2m.M2mModel)
    assert isinstance(m2m.mixing, keras_m2m.Mixup)


@pytest.mark.no_backend
def test_m2m_does_not_mix_where_mixing_has_ended():
    _, ((first, _), (m2m, _)) = models(method="m2m", mix="mixup", mix_until=1)
    assert isinstance(first, keras_m2m.MixingModel)
    assert m2m.mixing is None


@pytest.mark.no_backend
def test_g_is_trained_on_batches_that_are_not_mixed():
    (of_g,) = teachers(tiny.settings(method="m2m", mix="mixup", loss="la"))
    assert (of_g.mix, of_g.loss, of_g.method) == ("none", "ce", "erm")


# Trained.


def trained(folder, **changes):
    settings = tiny.settings(protocol="field", **changes)
    g = tiny.build(tiny.blobs(settings), "dense", settings)
    return training.train(tiny.TASK, tiny.blobs(settings), settings, folder, g)


@pytest.mark.parametrize("mix, method", [("mixup", "m2m"), ("remix", "drw")])
def test_a_method_trains_on_mixed_batches(mix, method, tmp_path):
    found = trained(tmp_path, mix=mix, method=method)
    assert np.isfinite([row["loss"] for row in found.history]).all()
    assert ("acceptance_rate" in found.history[-1]) == METHODS[method].translate


class Cut(keras_m2m.ExactResume):
    """Ends the process of a training, so to speak, once an epoch is saved."""

    def on_epoch_end(self, epoch, logs=None):
        super().on_epoch_end(epoch, logs)
        if epoch == 1:
            raise KeyboardInterrupt


@pytest.mark.no_backend
@pytest.mark.parametrize("changes", [{}, {"mix_until": 2}])
def test_a_training_on_mixed_batches_goes_on_exactly(changes, tmp_path, monkeypatch):
    changes = {"method": "drs", "mix": "mixup", "loss": "la", **changes}
    expected = trained(tmp_path / "peace", **changes)
    with monkeypatch.context() as patch:
        patch.setattr(keras_m2m, "ExactResume", Cut)
        with pytest.raises(KeyboardInterrupt):
            trained(tmp_path / "cut", **changes)
    found = trained(tmp_path / "cut", **changes)
    assert len(found.history) == 3
    for value, right in zip(found.f.get_weights(), expected.f.get_weights()):
        np.testing.assert_array_equal(value, right)
