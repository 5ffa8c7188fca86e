"""Every method with every loss, in this process, on a tiny data set."""

import dataclasses
import itertools

import keras
import numpy as np
import pytest

from helpers import tiny
from keras_m2m.recipes import LOSSES
from keras_m2m.recipes import METHODS
from tasks.training.train import train

pytestmark = pytest.mark.no_backend


@pytest.fixture(scope="module")
def g():
    return tiny.build(tiny.blobs(tiny.settings()), "dense", tiny.settings())


@pytest.fixture(scope="module")
def g_of_two():
    return tiny.build(tiny.two_blobs(tiny.settings()), "logit", tiny.settings())


def marks(method, loss):
    """Each backend tries all methods and all losses; the last one all pairs of them."""
    # Translations see the head of a network, and nothing else of a loss.
    with_loss = "erm" if LOSSES[loss].head == "dense" else "m2m"
    everywhere = loss == "ce" or (method == with_loss and loss not in NEWER)
    return () if everywhere else pytest.mark.no_backend


# Of the losses after the paper one pair each: what they may not go with is refused.
NEWER = {"la": "drw", "vs": "m2m", "las": "m2m"}
PAIRS = [
    pytest.param(*pair, marks=marks(*pair))
    for pair in itertools.product(METHODS, LOSSES)
    if NEWER.get(pair[1], pair[0]) == pair[0]
]


@pytest.mark.parametrize("method, loss", PAIRS)
def test_every_method_trains_with_every_loss(method, loss, g, g_of_two, tmp_path):
    settings = tiny.settings(method=method, loss=loss)
    data, own_g = tiny.blobs(settings), g
    if loss == "bce":
        data, own_g = tiny.two_blobs(settings), g_of_two
    trained = train(tiny.TASK, data, settings, tmp_path, own_g)
    assert [row["epoch"] for row in trained.history] == [0, 1, 2]
    assert all(np.isfinite(row["loss"]) for row in trained.history)
    phases = 2 if METHODS[method].deferred else 1
    assert len(trained.seconds) == phases
    assert ("acceptance_rate" in trained.history[-1]) == (method == "m2m")


def test_the_learning_rate_follows_warm_up_and_drops_across_both_phases(g, tmp_path):
    settings = tiny.settings(drops=["2:0.1"])
    trained = train(tiny.TASK, tiny.blobs(settings), settings, tmp_path, g)
    rates = [row["learning_rate"] for row in trained.history]
    np.testing.assert_allclose(rates, [0.1 * 1 / 5, 0.1 * 2 / 5, 0.1 * 3 / 5 * 0.1])


def test_the_optimizer_of_the_first_phase_goes_on_in_the_second(g, tmp_path):
    settings = tiny.settings(batch_size=16)  # The last batch is half as large.
    data = tiny.blobs(settings)
    trained = train(tiny.TASK, data, settings, tmp_path, g)
    steps_per_epoch = -(-len(data.train[1]) // settings.batch_size)
    assert int(trained.model.optimizer.iterations) == 3 * steps_per_epoch
    assert trained.model.optimizer is trained.f.optimizer


def test_a_deferred_method_begins_as_plain_training(tmp_path):
    runs = [
        train(
            tiny.TASK,
            tiny.blobs(tiny.settings()),
            tiny.settings(method=method, defer_epoch=2),
            tmp_path / method,
        )
        for method in ("erm", "drs", "drw")
    ]
    losses = np.array([[row["loss"] for row in run.history] for run in runs])
    np.testing.assert_allclose(losses[1:, :2], losses[[0, 0], :2], rtol=1e-6)
    assert not np.allclose(losses[1:, 2], losses[0, 2], rtol=1e-6)


def test_the_same_settings_give_the_same_weights_and_another_seed_does_not(tmp_path):
    weights = [
        train(
            tiny.TASK,
            tiny.blobs(tiny.settings()),
            tiny.settings(method="rs", seed=seed),
            tmp_path / str(run),
        ).f.get_weights()
        for run, seed in enumerate([0, 0, 1])
    ]
    assert all((a == b).all() for a, b in zip(weights[0], weights[1], strict=True))
    assert not np.allclose(weights[0][0], weights[2][0])


def test_protocol_m2m_tests_the_best_validation_epoch(tmp_path):
    settings = tiny.settings(method="erm", epochs=6)
    data = tiny.blobs(settings)
    trained = train(tiny.TASK, data, settings, tmp_path)
    values = [row["val_balanced_accuracy"] for row in trained.history]
    assert trained.tested_epoch == max(
        epoch for epoch, value in enumerate(values) if value == max(values)
    )
    logs = trained.f.evaluate(*data.validation, verbose=0, return_dict=True)
    assert logs["balanced_accuracy"] == pytest.approx(max(values))


@pytest.mark.no_backend
def test_few_validation_samples_choose_an_epoch_only_where_data_says_so(tmp_path):
    settings = tiny.settings(method="erm", epochs=6)
    data = tiny.blobs(settings)
    x, y = data.validation
    few = x, (y + 1) % len(data.class_names)  # Wrong labels, which fit ever worse.
    tested = {}
    for by_few in (True, False):
        own = dataclasses.replace(data, validation=few, by_few=by_few)
        trained = train(tiny.TASK, own, settings, tmp_path / str(by_few))
        tested[by_few] = trained.tested_epoch
    assert tested[True] < 5
    assert tested[False] == 5


def test_protocol_field_tests_the_last_epoch(tmp_path):
    settings = tiny.settings(method="erm", protocol="field")
    trained = train(tiny.TASK, tiny.blobs(settings), settings, tmp_path)
    assert trained.tested_epoch == settings.epochs - 1
    assert "val_loss" not in trained.history[-1]


@pytest.mark.parametrize("method, first", [("rw", 0), ("drw", 1)])
def test_class_weights_multiply_the_loss_sum_over_the_batch_size(
    method, first, tmp_path
):
    # One epoch of one batch that holds every sample once: its loss is a formula.
    settings = tiny.settings(
        method=method, epochs=first + 1, defer_epoch=first, batch_size=56
    )
    settings = settings.replace(weight_decay=0.0)
    data = tiny.blobs(settings)
    keras.utils.set_random_seed(settings.seed)
    untrained = tiny.build(data, "dense", settings)
    trained = train(tiny.TASK, data, settings, tmp_path)
    if first:
        return_epoch = train(
            tiny.TASK,
            data,
            settings.replace(method="erm", epochs=1, protocol="field"),
            tmp_path / "erm",
        )
        untrained = return_epoch.f
    logits = untrained.predict(data.train[0], verbose=0).astype("float64")
    labels, counts = data.train[1], data.class_counts
    losses = np.log(np.exp(logits).sum(1)) - logits[np.arange(len(labels)), labels]
    beta = 0.9999
    weights = {"rw": 1 / counts, "drw": (1 - beta) / (1 - beta**counts)}[method]
    weights = weights * 3 / weights.sum()
    expected = (weights[labels] * losses).sum() / len(labels)
    assert trained.history[first]["loss"] == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize(
    "name, begun_as, said",
    [("a", None, "going on after 2 epochs"), ("b", "a", "epochs 1 to 2 are those of")],
)
def test_what_a_training_takes_up_is_said(name, begun_as, said, tmp_path, capsys):
    begun = tiny.settings(method="erm", epochs=2, defer_epoch=2)
    data = tiny.blobs(begun)
    for settings, names in (
        (begun, ["a"]),
        (begun.replace(epochs=3), [name, begun_as]),
    ):
        capsys.readouterr()
        train(tiny.TASK, data, settings, tmp_path, None, *names)
    assert f"{tmp_path}: {said}" in capsys.readouterr().out


def test_a_finished_start_is_taken_up_without_a_word(tmp_path, capsys):
    settings = tiny.settings(method="erm", epochs=1)
    for _ in range(2):
        capsys.readouterr()
        train(tiny.TASK, tiny.blobs(settings), settings, tmp_path)
    assert capsys.readouterr().out == ""


def test_a_training_cut_off_after_its_last_epoch_knows_what_was_translated(g, tmp_path):
    settings, data = tiny.settings(), tiny.blobs(tiny.settings())
    whole, again = (
        train(tiny.TASK, data, settings, tmp_path, g).translations for _ in range(2)
    )
    assert np.sum(whole[0]) > 0
    np.testing.assert_array_equal(again, whole)
