import keras
import numpy as np
import pytest

from keras_m2m.callbacks import BestWeights
from keras_m2m.callbacks import ExactResume
from keras_m2m.callbacks import WatchAcceptance
from keras_m2m.callbacks import checkpoint_files
from keras_m2m.callbacks import exact_resume
from keras_m2m.metrics import BalancedAccuracy
from keras_m2m.models import mlp


def network():
    return mlp(2, input_shape=(1,), hidden=1)


def live_through(best, values, first_epoch=0):
    """Ends epochs of these values; the weights after epoch e are all e."""
    for epoch, value in enumerate(values, first_epoch):
        weights = best.network.get_weights()
        best.network.set_weights([np.full_like(w, epoch) for w in weights])
        best.on_epoch_end(epoch, {best.monitor: value})


def epoch_of_weights(model):
    (epoch,) = set(np.concatenate([w.ravel() for w in model.get_weights()]))
    return epoch


@pytest.mark.parametrize(
    "values, expected",
    [
        ([0.1, 0.5, 0.3], 1),
        ([0.9, 0.5, 0.3], 0),
        ([0.1, 0.5, 0.5, 0.2], 2),
        ([0.0, 0.0], 1),
        ([0.1, float("nan"), 0.0], 0),
    ],
)
def test_the_best_epoch_is_kept_the_later_of_equals(values, expected):
    best = BestWeights(network())
    live_through(best, values)
    best.restore()
    assert best.epoch == epoch_of_weights(best.network) == expected
    assert best.value == values[expected]


@pytest.mark.parametrize("second, expected", [([0.4, 0.2], 1), ([0.4, 0.6], 3)])
def test_the_best_of_two_fits_is_kept(second, expected):
    best = BestWeights(network())
    live_through(best, [0.1, 0.5])
    best.on_train_begin()
    live_through(best, second, first_epoch=2)
    best.restore()
    assert best.epoch == epoch_of_weights(best.network) == expected


def test_weights_stay_as_they_are_before_the_first_epoch():
    model = network()
    before = model.get_weights()
    BestWeights(model).restore()
    for one, other in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("logs", [{"loss": 1.0, "accuracy": 0.5}, {}, None])
def test_a_monitor_that_is_not_in_the_logs_is_an_error_with_those_that_are(logs):
    best = BestWeights(network(), monitor="val_accuracy")
    with pytest.raises(ValueError, match="Received: monitor='val_accuracy'") as error:
        best.on_epoch_end(0, logs)
    assert str(sorted(logs or [])) in str(error.value)


def test_in_fit_the_weights_come_back_that_validated_best():
    # Both classes look the same until the weights are told apart by hand.
    model = mlp(2, input_shape=(2,), hidden=2)
    x, y = np.eye(2, dtype="float32"), np.array([0, 1])
    none, right = np.zeros(2, "float32"), np.eye(2, dtype="float32")
    kernels = [0 * right, right, right, right[::-1]]
    assign = keras.callbacks.LambdaCallback(
        on_epoch_begin=lambda e, _: model.set_weights([right, none, kernels[e], none])
    )
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    # At a rate this small the weights stay those of the epoch.
    model.compile(keras.optimizers.SGD(1e-6), loss, metrics=[BalancedAccuracy(2)])
    best = BestWeights(model)
    model.fit(
        x, y, epochs=4, validation_data=(x, y), callbacks=[assign, best], verbose=0
    )
    assert (best.epoch, best.value) == (2, 1.0)
    best.restore()
    assert model.predict(x, verbose=0).argmax(axis=1).tolist() == [0, 1]


@pytest.mark.parametrize("other", [None, "f", keras.Model])
def test_what_is_no_network_is_rejected(other, tmp_path):
    for make in (BestWeights, lambda network: ExactResume(tmp_path, network)):
        with pytest.raises(ValueError, match="`network` must be a keras"):
            make(other)


def test_the_best_weights_are_no_number(tmp_path):
    with pytest.raises(ValueError, match="`best` must be a BestWeights"):
        ExactResume(tmp_path, network(), best=0.9)


@pytest.mark.parametrize("names", [5, "cat", {"cat", "dog"}])
def test_names_that_are_no_sequence_are_rejected(names):
    with pytest.raises(ValueError, match="`class_names` must be a sequence"):
        WatchAcceptance(class_names=names)


@pytest.mark.parametrize(
    "least_seconds, expected",
    [
        (0.0, [1, 2, 3, 4, 5, 6]),
        # An epoch takes 2 seconds; the last of each of two fits is saved anyway.
        (3.0, [1, 3, 5, 6]),
        (1e9, [1, 3, 6]),
    ],
)
def test_checkpoints_are_some_seconds_apart(
    least_seconds, expected, tmp_path, monkeypatch
):
    saved, clock = [], [0]
    monkeypatch.setattr(
        checkpoint_files, "write", lambda folder, epochs, *_: saved.append(epochs)
    )
    monkeypatch.setattr(exact_resume.time, "monotonic", lambda: clock[0])
    model = network()
    model.compile(keras.optimizers.SGD(), "mse")
    resume = ExactResume(tmp_path, model, least_seconds=least_seconds)
    resume.set_model(model)
    for first in (0, 3):
        for epoch in range(first, first + 3):
            clock[0] += 2
            resume.on_epoch_end(epoch, {"loss": 1.0})
        resume.on_train_end()
    assert saved == expected


def test_one_of_several_processes_reads_checkpoints_and_writes_none(tmp_path):
    model = network()
    model.compile(keras.optimizers.SGD(), "mse")
    for saves, epoch in ((True, 0), (False, 1)):
        resume = ExactResume(tmp_path, model, saves=saves)
        resume.set_model(model)
        resume.on_epoch_end(epoch, {"loss": 1.0})
        resume.on_train_end()
        assert resume.epochs_done == epoch + 1
    assert ExactResume(tmp_path, model, saves=False).epochs_done == 1
