import keras
import numpy as np
import pytest

from helpers.compilation import normal
from helpers.gradients import to_numpy
from helpers.m2m_cases import COMPILE
from helpers.m2m_cases import COUNTS
from helpers.m2m_cases import LABELS
from helpers.m2m_cases import LOSS
from helpers.m2m_cases import SHAPES
from helpers.m2m_cases import convolutional
from helpers.m2m_cases import image_shape
from helpers.m2m_cases import linear
from helpers.m2m_cases import loss_gradients
from helpers.m2m_cases import regularised
from helpers.m2m_cases import sgd
from helpers.m2m_cases import translations
from helpers.m2m_cases import twin
from helpers.m2m_cases import undecided
from keras_m2m import M2mModel
from keras_m2m import ResampledDataset
from keras_m2m import Seeds

MOVES = {"lam": 0.7, "steps": 2, "step_size": 0.4}


def rejecting(f, g, **arguments):
    """M2m that translates two thirds of a batch and accepts none of it."""
    return M2mModel(f, undecided(g), COUNTS, gamma=0.99, **{**MOVES, **arguments})


def accepting(f, g, **arguments):
    return M2mModel(f, g, COUNTS, gamma=0, noise=0, **{**MOVES, **arguments})


def data(batches, *shape):
    """Batches of 5 rows, one of them of class 1."""
    return normal(5 * batches, *shape), np.tile(LABELS, batches)


def fit_twice(model, plain, x, y=None, mode="eager", **arguments):
    """The histories of both, trained alike; accuracy is a metric."""
    arguments = {"batch_size": 5, "shuffle": False, "verbose": 0, **arguments}
    histories = []
    for network, how in ((model, mode), (plain, "once")):
        network.compile(sgd(), LOSS, metrics=["accuracy"], **COMPILE[how])
        histories.append(network.fit(x, y, **arguments).history)
    return histories


def assert_same_weights(network, other):
    for value, expected in zip(network.get_weights(), other.get_weights()):
        np.testing.assert_allclose(value, expected, rtol=1e-4, atol=1e-5)


# Where nothing is accepted, this is ordinary training.


@pytest.mark.parametrize("mode", SHAPES)
def test_rejected_translations_leave_f_and_its_moving_statistics_alone(mode):
    f, x_y = convolutional(1), data(2, *image_shape())
    plain = twin(f)
    model = rejecting(f, convolutional(2), steps=1)
    logs, expected = fit_twice(model, plain, *x_y, mode, epochs=2)
    assert_same_weights(f, plain)
    assert logs["loss"] == pytest.approx(expected["loss"], rel=1e-5)
    assert logs["acceptance_rate"] == logs["replaced_rate"] == [0, 0]


def test_a_balanced_set_has_nothing_to_translate():
    f, x_y = linear(1), data(2, 4)
    plain = twin(f)
    model = M2mModel(f, linear(2), [9, 9, 9], gamma=0, steps=1, step_size=0.1)
    logs, _ = fit_twice(model, plain, *x_y, "auto")
    assert_same_weights(f, plain)
    assert logs["acceptance_rate"] == logs["replaced_rate"] == [0]


def test_losses_and_draws_of_layers_come_from_the_ordinary_step_alone():
    f, x_y = regularised(1), data(2, 4)
    plain = twin(f)
    logs, expected = fit_twice(rejecting(f, regularised(2)), plain, *x_y, "auto")
    assert_same_weights(f, plain)
    assert logs["loss"] == pytest.approx(expected["loss"], rel=1e-5)


@pytest.mark.parametrize(
    "weights",
    [{"class_weight": {0: 2.0, 1: 0.5, 2: 0.0}}, {"sample_weight": np.arange(10.0)}],
    ids=["class", "sample"],
)
def test_weights_of_rows_are_those_of_ordinary_training(weights):
    f, x_y = linear(1), data(2, 4)
    plain = twin(f)
    logs, expected = fit_twice(rejecting(f, linear(2)), plain, *x_y, **weights)
    assert_same_weights(f, plain)
    assert logs["loss"] == pytest.approx(expected["loss"], rel=1e-5)


def test_class_weights_go_with_a_resampled_dataset():
    f, x_y = linear(1), data(2, 4)
    plain = twin(f)
    batches = ResampledDataset(*x_y, batch_size=5, sampling="class", epochs=2)
    arguments = {"class_weight": {0: 2.0, 1: 0.5, 2: 0.0}, **batches.fit_arguments}
    fit_twice(rejecting(f, linear(2)), plain, batch_size=None, **arguments)
    assert_same_weights(f, plain)


def test_a_batch_of_one_row_has_no_seed():
    f, x = linear(1), normal(1, 4)
    plain = twin(f)
    logs, _ = fit_twice(accepting(f, linear(2)), plain, x, np.array([0]), "auto")
    assert_same_weights(f, plain)
    assert logs["acceptance_rate"] == [0]


def test_accepted_translations_change_what_f_learns():
    f, x_y = linear(1), data(1, 4)
    plain = twin(f)
    fit_twice(accepting(f, linear(2)), plain, *x_y)
    assert np.abs(f.get_weights()[0] - plain.get_weights()[0]).max() > 0.01


# What Keras offers around a step.


def trained(**arguments):
    x, y = data(2, 4)
    model = accepting(linear(1), linear(2))
    model.compile(sgd(), LOSS, metrics=["accuracy"], run_eagerly=True)
    return model, model.fit(x, y, batch_size=5, verbose=0, **arguments)


def test_the_rates_are_logged_in_training_and_not_in_validation():
    _, history = trained(validation_data=data(1, 4))
    assert set(history.history) == {
        *("loss", "accuracy", "acceptance_rate", "replaced_rate"),
        *("val_loss", "val_accuracy"),
    }


def test_the_rates_come_with_every_batch():
    seen = []
    callback = keras.callbacks.LambdaCallback(
        on_train_batch_end=lambda batch, logs: seen.append(logs["acceptance_rate"])
    )
    trained(callbacks=[callback], shuffle=False)
    assert seen == [1, 1]


def test_evaluate_and_predict_are_those_of_f():
    model, _ = trained()
    model.f.compile(loss=LOSS, metrics=["accuracy"], run_eagerly=True)
    x, y = data(1, 4)
    assert model.evaluate(x, y, verbose=0) == pytest.approx(
        model.f.evaluate(x, y, verbose=0)
    )
    assert set(model.evaluate(x, y, verbose=0, return_dict=True)) == {
        "loss",
        "accuracy",
    }
    np.testing.assert_allclose(
        model.predict(x, verbose=0), model.f.predict(x, verbose=0), rtol=1e-6
    )


def test_single_batches_can_be_trained_and_tested_by_hand():
    model, _ = trained()
    x, y = data(1, 4)
    logs = model.train_on_batch(x, y, return_dict=True)
    assert logs["acceptance_rate"] == 1
    assert set(model.test_on_batch(x, y, return_dict=True)) == {"loss", "accuracy"}


@pytest.fixture
def bfloat16():
    keras.config.set_dtype_policy("mixed_bfloat16")
    yield
    keras.config.set_dtype_policy("float32")


def test_networks_of_mixed_precision_train(bfloat16):
    f, g = convolutional(1), convolutional(2)
    before = f.get_weights()
    model = accepting(f, g, steps=1)
    model.compile(sgd(), LOSS)
    history = model.fit(*data(1, *image_shape()), verbose=0).history
    assert np.isfinite(history["loss"]).all()
    assert history["acceptance_rate"] == [1]
    assert np.abs(f.get_weights()[0] - before[0]).max() > 0


@pytest.mark.parametrize("mode", SHAPES)
@pytest.mark.parametrize("network", [linear, convolutional])
def test_samples_move_in_float32_under_mixed_precision(bfloat16, network, mode):
    # Near 0, so that the length is not lost in the rounding of the samples.
    f, g, length = network(1), network(2), 0.125
    x = 1e-3 * normal(5, *f.input_shape[1:])
    model = accepting(f, g, steps=1, step_size=length)
    model.compile(sgd(), LOSS, **COMPILE[mode])
    moved = to_numpy(model.translate(seeds_of_all(x)))
    assert moved.dtype == "float32"
    distances = np.sqrt(((moved - x) ** 2).reshape(5, -1).sum(axis=1))
    np.testing.assert_allclose(distances, length, rtol=1e-6)


def test_confidence_is_compared_in_float32_under_mixed_precision(bfloat16):
    # A probability of about 0.9 has a neighbour 0.004 away in bfloat16.
    f, g = linear(1), undecided(linear(2))
    g.layers[-1].bias.assign([2.0, -1.0, -1.0])
    probability = np.exp(2) / (np.exp(2) + 2 * np.exp(-1))
    for distance, expected in ((-1e-4, True), (1e-4, False)):
        model = M2mModel(f, g, COUNTS, gamma=probability + distance)
        x = normal(5, 4)
        accepted = to_numpy(
            model.accept(seeds_of_all(x), keras.ops.convert_to_tensor(x))
        )
        assert accepted.tolist() == [expected] * 5


def seeds_of_all(x):
    """Every sample wanted as one of class 0."""
    rows = np.arange(len(x), dtype="int32")
    return Seeds(x, np.ones_like(rows), rows, np.zeros_like(rows), wanted=rows >= 0)


# Deferral.


def test_the_momentum_of_ordinary_training_goes_on():
    f, g, x, optimizer = linear(1), linear(2), normal(5, 4), sgd()
    weights = f.get_weights()
    first = loss_gradients(*weights, x, LABELS)
    f.compile(optimizer, LOSS, run_eagerly=True)
    f.fit(x, LABELS, batch_size=5, shuffle=False, verbose=0)

    weights = [w - 0.1 * d for w, d in zip(weights, first)]
    new, rows = np.float64(x), LABELS != 1
    new[rows] = translations(f, g, x[[0] * 4], LABELS[rows], **MOVES)
    second = loss_gradients(*weights, new, LABELS)
    model = accepting(f, g)
    model.compile(optimizer, LOSS, run_eagerly=True)
    model.fit(x, LABELS, batch_size=5, shuffle=False, verbose=0)
    for value, w, d, e in zip(f.get_weights(), weights, first, second):
        expected = w - 0.1 * (0.9 * d + e)
        np.testing.assert_allclose(value, expected, rtol=1e-5, atol=1e-5)
    assert int(optimizer.iterations) == 2


def test_a_schedule_of_the_learning_rate_goes_on():
    f, (x, y), optimizer = linear(1), data(1, 4), sgd()
    schedule = keras.callbacks.LearningRateScheduler(lambda epoch: 0.1 / (epoch + 1))
    f.compile(optimizer, LOSS, run_eagerly=True)
    f.fit(x, y, verbose=0, callbacks=[schedule])
    model = accepting(f, linear(2))
    model.compile(optimizer, LOSS, run_eagerly=True)
    history = model.fit(
        x, y, epochs=3, initial_epoch=1, verbose=0, callbacks=[schedule]
    )
    assert history.epoch == [1, 2]
    assert history.history["learning_rate"] == pytest.approx([0.1 / 2, 0.1 / 3])
