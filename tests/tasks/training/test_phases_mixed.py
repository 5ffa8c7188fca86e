"""Phases of trainings on mixed batches, or by losses that correct for frequencies."""

from dataclasses import replace

import keras
import numpy as np
import pytest

import keras_m2m
from helpers import tiny
from keras_m2m.recipes import METHODS
from keras_m2m.recipes import phases
from tasks.experiment.errors import UserError
from tasks.experiment.task import Data
from tasks.records.teachers import teachers
from tasks.runs.data_checks import check_methods
from tasks.training import train as training
from tasks.training.recipe import recipe_of
from tasks.training.recipe import training_set

CROSS_ENTROPY = keras.losses.SparseCategoricalCrossentropy


def models(**changes):
    """The model of each phase of a training, and its network."""
    settings = tiny.settings(**changes)
    data = tiny.blobs(settings)
    f, g = (tiny.untrained(data, settings) for _ in range(2))
    made_of = training_set(data), recipe_of(settings)
    mixing = phases.mixing_model(f, *made_of)
    found = []
    for phase in phases.phases(recipe_of(settings)):
        model = phases.model_of(
            phase, f, g, training_set(data), recipe_of(settings), mixing
        )
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


def of_images(settings):
    """Three classes of 12, 5 and 4 images of 4x4 pixels."""
    x = np.random.default_rng(0).random((21, 4, 4, 1), "float32")
    part = x, np.repeat([0, 1, 2], [12, 5, 4])
    return Data(part, None, part, ["a", "b", "c"], "images", bounds=(0, 1))


def of_pixels(data, head, settings):
    layers = keras.layers.Flatten(), keras.layers.Dense(3)
    return keras.Sequential([keras.Input((4, 4, 1)), *layers])


IMAGES = replace(tiny.TASK, load=of_images, build=of_pixels)


def mixed_epochs(**changes):
    found = phases.phases(recipe_of(tiny.settings(epochs=9, defer_epoch=5, **changes)))
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
@pytest.mark.parametrize(
    "method, start, until, expected",
    [
        ("erm", 3, 6, [(3, 6)]),
        ("drs", 3, 6, [(3, 5), (5, 6)]),
        ("drs", 6, 0, [(6, 9)]),
        ("drs", 6, 3, []),
    ],
)
def test_batches_are_mixed_from_an_epoch_on(method, start, until, expected):
    changes = {"mix": "mixup", "mix_from": start, "mix_until": until}
    assert mixed_epochs(method=method, **changes) == expected


@pytest.mark.no_backend
def test_cmo_takes_foregrounds_from_class_balanced_batches():
    settings = tiny.settings(method="m2m", mix="cmo", batch_size=7)
    data = of_images(settings)
    f, g = (tiny.untrained(data, settings, IMAGES) for _ in range(2))
    made_of = training_set(data), recipe_of(settings)
    plain, balanced = phases.phases(made_of[1])
    pairs = phases.fit_arguments(plain, *made_of)["x"]
    assert (pairs.first.sampling, pairs.second.sampling) == ("instance", "class")
    assert len(pairs[0][1]) == 2 * 7
    assert phases.model_of(
        plain, f, None, training_set(data), recipe_of(settings)
    ).mixing.paired
    # Those of M2m have them.
    assert (
        len(
            phases.fit_arguments(balanced, training_set(data), recipe_of(settings))[
                "x"
            ][0][1]
        )
        == 7
    )
    assert not phases.model_of(
        balanced, f, g, training_set(data), recipe_of(settings)
    ).mixing.paired


@pytest.mark.no_backend
def test_a_method_trains_by_cmo(tmp_path):
    settings = tiny.settings(method="m2m", mix="cmo", protocol="field", batch_size=7)
    data = of_images(settings)
    g = of_pixels(data, "dense", settings)
    found = training.train(IMAGES, data, settings, tmp_path, g)
    assert np.isfinite([row["loss"] for row in found.history]).all()


@pytest.mark.no_backend
def test_cmo_is_refused_where_samples_are_no_images():
    settings = tiny.settings(method="drs", mix="cmo")
    with pytest.raises(UserError, match="--mix=cmo needs images"):
        check_methods(["drs"], settings, tiny.blobs(settings))


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
    keras.utils.set_random_seed(1)
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
@pytest.mark.parametrize(
    "changes",
    [
        {"method": "drs"},
        {"method": "drs", "mix_until": 2},
        {"method": "m2m", "mix_until": 2},  # In the middle of M2m.
        {"method": "m2m", "mix_from": 2},
    ],
)
def test_a_training_on_mixed_batches_goes_on_exactly(changes, tmp_path, monkeypatch):
    changes = {"mix": "mixup", "loss": "la", **changes}
    expected = trained(tmp_path / "peace", **changes)
    with monkeypatch.context() as patch:
        patch.setattr(training, "ResumeInFolder", Cut)
        with pytest.raises(KeyboardInterrupt):
            trained(tmp_path / "cut", **changes)
    found = trained(tmp_path / "cut", **changes)
    assert len(found.history) == 3
    for value, right in zip(found.f.get_weights(), expected.f.get_weights()):
        np.testing.assert_array_equal(value, right)
