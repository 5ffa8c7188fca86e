"""Runs and tables with --loss=bce: one logit for two classes."""

import pathlib

import keras
import numpy as np
import pytest

import keras_m2m
from helpers import tiny
from tasks.experiment.errors import UserError
from tasks.experiment.rows import Row
from tasks.experiment.task import Data
from tasks.records.trainings import Trainings
from tasks.runs import pictures
from tasks.runs import runner
from tasks.runs.data_checks import check_data
from tasks.training.evaluation import evaluate

pytestmark = pytest.mark.no_backend


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    settings = tiny.settings(loss="bce", out_dir=str(tmp_path_factory.mktemp("run")))
    return settings, runner.run(tiny.TWO_CLASSES, settings)["m2m"]


def test_a_run_trains_f_and_g_with_one_logit_each(run):
    settings, _ = run
    for name in "fg":
        path = f"{settings.out_dir}/{name}.keras"
        assert keras.saving.load_model(path).output_shape == (None, 1)


def test_a_run_scores_the_classes_that_the_sign_of_the_logit_says(run):
    settings, result = run
    samples, labels = tiny.two_blobs(settings).test
    f = keras.saving.load_model(f"{settings.out_dir}/f.keras")
    right = (f.predict(samples, verbose=0)[:, 0] > 0) == labels
    expected = [right[labels == k].mean() for k in (0, 1)]
    assert result["per_class_recall"] == pytest.approx(expected)
    assert result["balanced_accuracy"] == pytest.approx(np.mean(expected))


def test_g_of_a_cell_is_trained_by_the_same_loss(run):
    settings, _ = run
    kept = pathlib.Path(settings.out_dir)
    data = tiny.two_blobs(settings)
    own = Trainings(tiny.TWO_CLASSES, data, kept / "records", kept / "trainings")
    assert own.result(settings)["g"] == {"seeds": [1]}
    g = own.network(settings.replace(method="erm", seed=1))
    assert own.teacher(settings).output_shape == (None, 1)
    for one, other in zip(own.teacher(settings).get_weights(), g.get_weights()):
        np.testing.assert_array_equal(one, other)


def test_one_logit_trains_as_the_two_that_it_stands_for():
    """A network of two logits whose weights are the halves, of either sign."""
    settings = tiny.settings(method="erm", loss="bce", weight_decay=0.0)
    data = tiny.two_blobs(settings)
    one = tiny.untrained(data, settings)
    two = tiny.untrained(data, settings.replace(loss="ce"))
    kernel, bias = one.get_weights()[-2:]
    signs = np.array([-0.5, 0.5], "float32")
    two.set_weights([*one.get_weights()[:-2], kernel * signs, bias * signs])
    # Either unit makes the step of one, and their difference twice that.
    for network, rate in ((one, 0.1), (two, 0.05)):
        network.layers[-2].trainable = False
        network.compile(keras.optimizers.SGD(rate), network.loss)
        network.fit(*data.train, batch_size=52, epochs=3, shuffle=False, verbose=0)
    logits = two.predict(data.test[0], verbose=0)
    np.testing.assert_allclose(
        one.predict(data.test[0], verbose=0)[:, 0],
        logits[:, 1] - logits[:, 0],
        rtol=1e-4,
        atol=1e-5,
    )


def test_cross_entropy_is_logged_as_for_two_logits(run):
    settings, _ = run
    samples, labels = tiny.two_blobs(settings).validation
    f = tiny.untrained(tiny.two_blobs(settings), settings)
    logs = f.evaluate(samples, labels, verbose=0, return_dict=True)
    logit = f.predict(samples, verbose=0)[:, 0].astype("float64")
    expected = np.logaddexp(0, np.where(labels == 1, -logit, logit)).mean()
    assert logs["cross_entropy"] == pytest.approx(expected, rel=1e-5)


def test_evaluation_takes_two_logits_as_well():
    settings = tiny.settings()
    data = tiny.two_blobs(settings)
    one = tiny.build(data, "logit", settings)
    inputs = keras.Input((2,))
    logit = one(inputs)
    two = keras.Model(inputs, keras.layers.Concatenate()([-logit / 2, logit / 2]))
    of_one, of_two = (evaluate(f, *data.test, data.class_counts) for f in (one, two))
    assert of_one == of_two


@pytest.mark.parametrize("dry_run", [False, True])
def test_a_run_on_three_classes_is_refused_before_training(dry_run, tmp_path):
    settings = tiny.settings(
        loss="bce", compare=["erm"], dry_run=dry_run, out_dir=str(tmp_path / "run")
    )
    with pytest.raises(UserError, match="--loss=bce needs two classes"):
        runner.run(tiny.TASK, settings)
    assert not list(tmp_path.rglob("*.keras"))


def test_a_table_on_three_classes_is_refused_before_its_first_cell():
    rows = [Row("ce", "erm"), Row("bce", "m2m")]
    with pytest.raises(UserError, match="tiny: BCE-M2m needs two classes"):
        check_data("tiny", tiny.blobs(tiny.settings()), rows, tune=False)
    check_data("tiny", tiny.two_blobs(tiny.settings()), rows, tune=False)


def test_a_panel_of_translations_shows_the_probabilities_of_one_logit(monkeypatch):
    images = np.random.default_rng(0).random((60, 4, 4, 3), "float32")
    if keras.config.image_data_format() == "channels_first":
        images = np.moveaxis(images, -1, 1)
    labels = np.repeat([0, 1], [50, 10])
    data = Data((images, labels), None, (images, labels), ["no", "yes"], "noise")
    f, g = (keras_m2m.mlp(2, images.shape[1:], head="logit") for _ in "fg")
    model = keras_m2m.M2mModel(f, g, data.class_counts, gamma=0.0, bounds=(0, 1))
    shown = {}

    def panel(before, after, seeds, targets, confidences):
        shown.update(after=after, targets=targets, confidences=confidences)

    monkeypatch.setattr(pictures.plots, "translation_panel", panel)
    pictures.translations(model, data)
    after = shown["after"]
    if keras.config.image_data_format() == "channels_first":
        after = np.moveaxis(after, -1, 1)
    logits = g.predict(after, verbose=0)[:, 0].astype("float64")
    signs = np.where(np.array(shown["targets"]) == "yes", 1, -1)
    np.testing.assert_allclose(
        shown["confidences"], 1 / (1 + np.exp(-signs * logits)), rtol=1e-5
    )
