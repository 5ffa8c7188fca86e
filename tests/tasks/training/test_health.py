"""What stops or warns when a run goes wrong, and what may be loaded."""

import re
import warnings
from dataclasses import replace

import keras
import numpy as np
import pytest

import keras_m2m
from helpers import tiny
from keras_m2m.recipes import Diverged
from keras_m2m.recipes.health import StopAtNonFiniteLoss
from keras_m2m.recipes.health import WarnOfExplosion
from tasks.experiment.errors import UserError
from tasks.runs import runner
from tasks.training.train import train


@pytest.mark.no_backend
@pytest.mark.parametrize(
    "method, cause", [("erm", "learning rate is too high"), ("rw", "class weights")]
)
def test_a_loss_that_is_not_finite_stops_the_run_with_the_likely_cause(
    method, cause, tmp_path
):
    settings = tiny.settings(
        method=method, out_dir=str(tmp_path), learning_rate=1e18, epochs=20
    )
    with pytest.raises(Diverged) as raised:
        runner.run(tiny.TASK, settings)
    assert "the loss was nan in epoch" in str(raised.value)
    assert cause in str(raised.value)
    assert not (tmp_path / "result.json").exists()


def test_m2m_whose_loss_is_not_finite_names_unscaled_entries_too():
    stop = StopAtNonFiniteLoss("runs/x", weighted=False, translated=True)
    with pytest.raises(Diverged, match=r"unscaled entries.*or the learning rate is"):
        stop.on_epoch_end(48, {"loss": np.nan})


@pytest.mark.no_backend
def test_a_run_that_diverged_says_so_again_at_once(tmp_path, capsys):
    settings = tiny.settings(method="erm", out_dir=str(tmp_path), learning_rate=1e18)
    for _ in range(2):
        capsys.readouterr()
        with pytest.raises(Diverged, match=r"erm from seed 0: the loss was .*rate"):
            runner.run(tiny.TASK, settings)
    assert "Epoch" not in capsys.readouterr().out


def stubborn():
    """A g that is sure of the largest class, 1, whatever it sees."""
    g = tiny.build(tiny.blobs(tiny.settings()), "dense", tiny.settings())
    *others, last = g.get_weights()
    g.set_weights([*others[:-1], others[-1] * 0, np.array([0, 50, 0], last.dtype)])
    return g


@pytest.mark.no_backend
@pytest.mark.parametrize("validate", [True, False])
def test_an_epoch_without_accepted_translations_warns_of_the_classes(validate):
    data = tiny.blobs(tiny.settings())
    f = tiny.build(data, "dense", tiny.settings())
    model = keras_m2m.M2mModel(
        f, stubborn(), data.class_counts, beta=0.5, gamma=0.9, steps=1, step_size=0.1
    )
    model.compile("sgd", keras.losses.SparseCategoricalCrossentropy(True))
    batches = keras_m2m.ResampledDataset(*data.train, 32, sampling="class", epochs=1)
    watch = keras_m2m.WatchAcceptance(class_names=data.class_names)
    # Not pytest.warns, which hands other warnings on without their module.
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model.fit(
            **batches.fit_arguments,
            validation_data=data.validation if validate else None,
            callbacks=[watch],
            verbose=0,
        )
    (message,) = [str(w.message) for w in caught if w.category is UserWarning]
    into = "Not one into classes 'right', 'top'. Scale samples"
    assert re.search(f"accepted 0 of .* translations. {into}", message)
    # Classes of 12 and 4 samples are made from larger ones alone.
    assert watch.translated[0, 1] > 0
    assert watch.translated[2, :2].min() > 0
    assert watch.translated.sum() == watch.translated[[0, 2, 2], [1, 0, 1]].sum()
    assert watch.accepted.sum() == 0


class Counted:
    """A model of which every epoch has the same translations."""

    def __init__(self, translated, accepted):
        self.translation_counts = self
        self.by_class = lambda: (np.array(translated), np.array(accepted))


def warnings_of(watch, epochs, translated, accepted, gamma=0.9):
    watch.set_model(Counted(translated, accepted))
    watch.model.gamma = gamma
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        watch.on_train_begin()
        for epoch in range(epochs):
            watch.on_epoch_begin(epoch)
            watch.on_epoch_end(epoch)
        watch.on_train_end()
    return [str(warning.message) for warning in caught]


@pytest.mark.no_backend
def test_a_training_warns_once_and_counts_such_epochs_at_its_end():
    watch = keras_m2m.WatchAcceptance(class_names=["0", "1"], once=True)
    first, last = warnings_of(watch, 12, [[0, 9], [0, 0]], [[0, 0], [0, 0]])
    assert "accepted 0 of 9 translations. Not one into class '0'. Scale" in first
    assert last.startswith("In 12 of 12 epochs g accepted hardly a translation")
    assert warnings_of(watch, 3, [[0, 9], [0, 0]], [[0, 9], [0, 0]]) == []


@pytest.mark.no_backend
@pytest.mark.parametrize(
    "accepted, advice",
    [
        (49, "4.9 % of 3000 translations. M2m hardly differs.*longer or shorter"),
        (1000, "100 % of 3000 translations. g may be convinced too.*shorter step_size"),
    ],
)
def test_a_training_that_accepts_few_or_all_says_at_its_end_what_to_try(
    accepted, advice
):
    watch = keras_m2m.WatchAcceptance(once=True)
    (message,) = warnings_of(watch, 3, [[0, 1000], [0, 0]], [[0, accepted], [0, 0]])
    assert re.search(f"g accepted {advice}", message)


@pytest.mark.no_backend
def test_two_hundred_translations_show_that_few_are_accepted():
    watch = keras_m2m.WatchAcceptance(once=True)
    (message,) = warnings_of(watch, 1, [[0, 200]], [[0, 9]])
    assert "g accepted 4.5 % of 200 translations" in message


@pytest.mark.no_backend
@pytest.mark.parametrize(
    "gamma, tried, accepted",
    [
        *((0.9, 1000, 50), (0.9, 199, 5), (0.9, 1000, 999), (0.9, 999, 999)),
        (0, 9999, 9999),
    ],
)
def test_other_rates_chance_and_no_threshold_are_left_alone(gamma, tried, accepted):
    watch, counts = (
        keras_m2m.WatchAcceptance(once=True),
        ([[0, tried]], [[0, accepted]]),
    )
    assert warnings_of(watch, 1, *counts, gamma=gamma) == []
    other = keras_m2m.WatchAcceptance()
    assert warnings_of(other, 3, [[0, 1000]], [[0, 1000]]) == []


@pytest.mark.no_backend
def test_a_training_of_a_task_warns_of_hardly_accepting_once(tmp_path):
    settings = tiny.settings(gamma=0.9, beta=0.5)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        train(tiny.TASK, tiny.blobs(settings), settings, tmp_path, stubborn())
    found = [str(w.message) for w in caught if "accepted" in str(w.message)]
    assert [text.partition(" g accepted")[0] for text in found] == [
        *("Epoch 1:", "In 2 of 2 epochs")
    ]


@pytest.mark.no_backend
def test_of_many_classes_the_first_are_named():
    tried = np.ones((8, 8), int)
    (message,) = warnings_of(keras_m2m.WatchAcceptance(), 1, tried, 0 * tried)
    assert "Not one into classes '0', '1', '2', '3', '4' and 3 more. " in message


@pytest.mark.no_backend
def test_an_epoch_without_any_translation_warns():
    data = tiny.blobs(tiny.settings())
    f = tiny.build(data, "dense", tiny.settings())
    # R rejects with probability 0.9999999 ** 36 at least.
    rare = {"beta": 0.9999999, "step_size": 0.1}
    model = keras_m2m.M2mModel(f, stubborn(), data.class_counts, **rare)
    model.compile("sgd", keras.losses.SparseCategoricalCrossentropy(True))
    batches = keras_m2m.ResampledDataset(*data.train, 56, sampling="class", epochs=1)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        callbacks = [keras_m2m.WatchAcceptance()]
        model.fit(**batches.fit_arguments, callbacks=callbacks, verbose=0)
    (message,) = [str(w.message) for w in caught if w.category is UserWarning]
    assert "nothing was translated" in message


def explosion(*losses, before=0.01):
    """Warnings of epochs of these losses, of ten classes."""
    watch = WarnOfExplosion({"cross_entropy": before}, num_classes=10)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for epoch, loss in enumerate(losses, 48):
            watch.on_epoch_end(epoch, {"cross_entropy": loss})
    return [str(warning.message) for warning in caught]


def test_a_loss_that_explodes_when_m2m_begins_warns_once_of_scales_and_steps():
    (message,) = explosion(2.0, 600.0, 700.0)
    assert message.startswith("Epoch 49: the cross entropy of training is 600, and was")
    assert "0.01 before M2m began" in message
    assert "unscaled ones are the usual cause" in message
    assert "lower the step_size" in message


def test_a_loss_as_guessing_has_it_or_as_before_does_not_warn():
    guessing = np.log(10)
    assert explosion(guessing, 9.9 * guessing) == []
    assert explosion(99.0, before=10.0) == []
    assert len(explosion(101.0, before=10.0)) == 1


@pytest.mark.no_backend
def test_a_run_whose_samples_have_entries_out_of_proportion_warns(tmp_path):
    """An entry that a step moves by a million of its spreads."""

    def shrunk(settings):
        data = tiny.blobs(settings)
        parts = [(x * np.float32([1, 1e-5]), y) for x, y in (data.train, data.test)]
        return replace(data, train=parts[0], validation=None, test=parts[1])

    def build(data, head, settings):
        x = data.train[0]
        return keras_m2m.mlp(3, (2,), hidden=8, mean=x.mean(0), variance=x.var(0))

    task = replace(tiny.TASK, load=shrunk, build=build)
    settings = tiny.settings(
        out_dir=str(tmp_path), protocol="field", epochs=2, learning_rate=1e-3
    )
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        runner.run(task, settings)
    messages = [str(warning.message) for warning in caught]
    assert sum("before M2m began" in message for message in messages) == 1


class CodeOnLoad(keras.layers.Layer):
    """Would be named in the file of a model, and is unknown to the project."""

    def call(self, x):
        return x


@pytest.mark.parametrize("layer", [keras.layers.Lambda(lambda x: x), CodeOnLoad()])
def test_a_g_with_code_in_its_file_is_refused(layer, tmp_path):
    path = tmp_path / "g.keras"
    keras.Sequential([keras.Input((2,)), layer, keras.layers.Dense(3)]).save(path)
    settings = tiny.settings(out_dir=str(tmp_path / "out"), g=str(path))
    with pytest.raises(UserError, match="is no model that Keras loads"):
        runner.run(tiny.TASK, settings)
