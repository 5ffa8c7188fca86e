"""Training on mixed batches, without M2m and with it."""

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
from helpers.m2m_cases import linear
from helpers.m2m_cases import loss_gradients
from helpers.m2m_cases import regularised
from helpers.m2m_cases import sgd
from helpers.m2m_cases import translations
from helpers.m2m_cases import twin
from keras_m2m import ExactResume
from keras_m2m import LogitAdjustedLoss
from keras_m2m import M2mModel
from keras_m2m import MixingModel
from keras_m2m import Mixup
from keras_m2m import Remix
from keras_m2m import ResampledDataset

X = normal(5, 4)
TENSORS = keras.ops.convert_to_tensor(X), keras.ops.array(LABELS, "int32")
# JAX would compile each operation of an eager step.
QUICK = {"run_eagerly": keras.backend.backend() != "jax"}
ORDER = [0.5, 0.1, 0.9, 0.2, 0.7]
PARTNERS = np.argsort(ORDER)
MOVES = {"lam": 0.7, "steps": 2, "step_size": 0.4}


@keras.saving.register_keras_serializable(package="tests")
class Always(Mixup):
    """Mixup of a share that is not drawn, and always the same partners."""

    def __init__(self, share=0.8, alpha=1.0):
        super().__init__(alpha)
        self.share = share

    def __call__(self, x, labels, seed):
        half = 2 * self.share - 1
        draws = [1 - half**2, 0.0 if half > 0 else 0.5, *ORDER]
        return self.mix(x, labels, np.array(draws, "float32"))


def fit(model, x=X, y=LABELS, **arguments):
    arguments = {"batch_size": 5, "shuffle": False, "verbose": 0, **arguments}
    return model.fit(x, y, **arguments).history


def compiled(model, mode=None, loss=LOSS, **arguments):
    how = COMPILE.get(mode, QUICK)
    model.compile(keras.optimizers.SGD(1.0), loss, **how, **arguments)
    return model


def assert_one_mixed_step(f, before, x, share, weights=None):
    """That f went one step of gradient descent on both labels of mixed rows."""
    weights = np.ones(5) if weights is None else weights
    mixed = share * x + (1 - share) * x[PARTNERS]
    own = loss_gradients(*before, mixed, LABELS, share * weights)
    of_partners = (1 - share) * weights[PARTNERS]
    others = loss_gradients(*before, mixed, LABELS[PARTNERS], of_partners)
    for value, start, *gradients in zip(f.get_weights(), before, own, others):
        np.testing.assert_allclose(value, start - sum(gradients), rtol=1e-4, atol=1e-5)


def assert_same_weights(network, other):
    for value, expected in zip(network.get_weights(), other.get_weights(), strict=True):
        np.testing.assert_allclose(value, expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("mode", SHAPES)
@pytest.mark.parametrize("share", [0.8, 0.3])
def test_a_step_descends_the_loss_of_both_labels(mode, share):
    f = linear(1)
    before = f.get_weights()
    fit(compiled(MixingModel(f, Always(share)), mode))
    assert_one_mixed_step(f, before, X, share)


@pytest.mark.parametrize("column", [False, True])
def test_class_weights_follow_each_label(column):
    f, weights = linear(1), np.array([2.0, 0.5, 3.0])
    before = f.get_weights()
    labels = LABELS[:, None] if column else LABELS
    by_class = dict(enumerate(weights.tolist()))
    fit(compiled(MixingModel(f, Always())), y=labels, class_weight=by_class)
    assert_one_mixed_step(f, before, X, 0.8, weights[LABELS])


def test_sample_weights_follow_each_row():
    f, weights = linear(1), np.array([1.0, 0.0, 2.0, 5.0, 0.5])
    before = f.get_weights()
    fit(compiled(MixingModel(f, Always())), sample_weight=weights)
    assert_one_mixed_step(f, before, X, 0.8, weights)


def test_a_share_of_1_is_ordinary_training():
    f = regularised(1)
    plain = twin(f)
    logs = fit(compiled(MixingModel(f, Always(1.0))), epochs=2)
    expected = fit(compiled(plain), epochs=2)
    assert logs["loss"] == pytest.approx(expected["loss"], rel=1e-6)
    assert_same_weights(f, plain)


@pytest.mark.parametrize("share, labels", [(0.8, LABELS), (0.3, LABELS[PARTNERS])])
def test_metrics_of_training_are_by_the_label_of_the_larger_share(share, labels):
    f = linear(1)
    predicted = to_numpy(f(share * X + (1 - share) * X[PARTNERS])).argmax(axis=1)
    weights = np.array([1.0, 2.0, 3.0])
    accuracy = keras.metrics.SparseCategoricalAccuracy(name="accuracy")
    weighted = keras.metrics.SparseCategoricalAccuracy(name="weighted")
    model = compiled(
        MixingModel(f, Always(share)), metrics=[accuracy], weighted_metrics=[weighted]
    )
    logs = fit(model, class_weight=dict(enumerate(weights.tolist())))
    right, own = predicted == labels, weights[labels]
    assert logs["accuracy"] == pytest.approx([right.mean()])
    assert logs["weighted"] == pytest.approx([(right * own).sum() / own.sum()])


@pytest.fixture(scope="module")
def trained():
    """A model of Remix after an epoch of two batches, validated."""
    keras.utils.set_random_seed(0)
    model = MixingModel(linear(1), Remix([30, 10, 9]), seed=3)
    model.compile(sgd(), LOSS, metrics=["accuracy"], **QUICK)
    x, y = np.tile(X, (2, 1)), np.tile(LABELS, 2)
    return model, fit(model, x, y, validation_data=(X, LABELS))


def test_validation_and_predictions_are_those_of_f(trained):
    model, history = trained
    logits = to_numpy(model.f(X))
    np.testing.assert_allclose(model.predict(X, verbose=0), logits, rtol=1e-5)
    right = logits.argmax(axis=1) == LABELS
    assert history["val_accuracy"] == pytest.approx([right.mean()])
    assert history["val_loss"] == pytest.approx([float(LOSS(LABELS, logits))], rel=1e-5)


def test_a_loaded_model_goes_on_as_the_saved_one(trained, tmp_path):
    model, _ = trained
    model.save(tmp_path / "model.keras")
    other = keras.saving.load_model(tmp_path / "model.keras")
    assert other.mixing.get_config() == model.mixing.get_config()
    for each in (model, other):
        fit(each, epochs=2)
    assert_same_weights(other.f, model.f)


def test_the_next_batch_is_mixed_by_other_draws(trained):
    model, _ = trained
    first, second = (to_numpy(model.mixed(*TENSORS)[0]) for _ in range(2))
    assert np.abs(first - second).max() > 0.01


# With M2m.


@pytest.mark.parametrize("mode", SHAPES)
def test_m2m_mixes_what_it_has_translated(mode):
    f, g = linear(1), linear(2)
    before, x, rows = f.get_weights(), np.float64(X), LABELS != 1
    x[rows] = translations(f, g, X[[0] * 4], LABELS[rows], **MOVES)
    model = M2mModel(f, g, COUNTS, gamma=0, noise=0, mixing=Always(), **MOVES)
    logs = fit(compiled(model, mode))
    assert_one_mixed_step(f, before, x, 0.8)
    assert logs["acceptance_rate"] == [1]
    assert logs["replaced_rate"] == pytest.approx([0.8])


def test_mixing_leaves_the_draws_of_translations_alone():
    plain = M2mModel(linear(1), linear(2), COUNTS, seed=3)
    mixing = M2mModel(linear(1), linear(2), COUNTS, seed=3, mixing=Mixup())
    mixing.mixed(*TENSORS)
    for _ in range(2):
        one, other = (to_numpy(m.draw_numbers(4)) for m in (plain, mixing))
        np.testing.assert_array_equal(one, other)


def test_a_saved_m2m_of_mixed_batches_goes_on(tmp_path):
    f, g = linear(1), linear(2)
    model = M2mModel(f, g, COUNTS, gamma=0, mixing=Remix(COUNTS), **MOVES)
    compiled(model)
    fit(model)
    model.save(tmp_path / "model.keras")
    other = keras.saving.load_model(tmp_path / "model.keras")
    for each in (model, other):
        fit(each)
    assert_same_weights(other.f, model.f)


# Resumed.


class Killed(keras.callbacks.Callback):
    def __init__(self, epoch):
        super().__init__()
        self.epoch = epoch

    def on_epoch_begin(self, epoch, logs=None):
        if epoch == self.epoch:
            raise KeyboardInterrupt


def phases(f):
    """Plain training on mixed batches, then M2m on unmixed ones: two epochs each."""
    yield MixingModel(f, Mixup(), seed=3), 0, 2
    yield M2mModel(f, linear(2), COUNTS, gamma=0, noise=0.3, seed=3, **MOVES), 2, 4


def run(folder, killed_at=None):
    """f after all phases, or as they are when the run is killed."""
    f = linear(1)
    f.compile(sgd(), LOSS)
    resume = ExactResume(folder, f)
    for model, first, last in phases(f):
        model.compile(f.optimizer, LOSS, **QUICK)
        resume.restore(model)
        callbacks = [resume] if killed_at is None else [resume, Killed(killed_at)]
        if resume.epochs_done < last:
            first = max(first, resume.epochs_done)
            epochs = {"initial_epoch": first, "epochs": last}
            fit(model, callbacks=callbacks, **epochs)
    return f


@pytest.fixture(scope="module")
def in_peace(tmp_path_factory):
    return run(tmp_path_factory.mktemp("peace")).get_weights()


@pytest.mark.parametrize("epoch", [1, 3])
def test_a_run_that_was_killed_in_either_phase_ends_as_one_in_peace(
    epoch, in_peace, tmp_path
):
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path, killed_at=epoch)
    for value, expected in zip(run(tmp_path).get_weights(), in_peace, strict=True):
        np.testing.assert_array_equal(value, expected)


# Refused.


def refused(message, call, *args, **kwargs):
    with pytest.raises(ValueError, match=message):
        call(*args, **kwargs)


@pytest.mark.parametrize("mixing", [Mixup, "mixup", 0.5])
def test_what_cannot_mix_is_refused(mixing):
    refused("`mixing` must be a Mixup.*Received", MixingModel, linear(1), mixing)
    refused(
        "`mixing` must be a Mixup.*Received",
        *(M2mModel, linear(1), linear(2), COUNTS),
        mixing=mixing,
    )


def test_a_mixing_model_without_mixing_is_refused():
    refused("fit f itself", MixingModel, linear(1), None)


def test_a_network_that_is_not_built_is_refused():
    f = keras.Sequential([keras.layers.Dense(3)])
    refused("`f` must be built", MixingModel, f, Mixup())


def test_a_loss_that_divides_by_the_weights_is_refused():
    loss = keras.losses.SparseCategoricalCrossentropy(
        from_logits=True, reduction="mean_with_sample_weight"
    )
    model = MixingModel(linear(1), Mixup())
    refused("divides by the weights", model.compile, "sgd", loss)


@pytest.mark.parametrize(
    "x, y, message",
    [
        (X.astype(int), LABELS, "Samples must be floating point"),
        (X, np.eye(3)[LABELS], "not one-hot"),
        (X, None, "y=None"),
    ],
)
def test_data_that_cannot_be_mixed_is_refused(x, y, message):
    model = MixingModel(linear(1), Mixup())
    model.compile("sgd", LOSS, **QUICK)
    refused(message, fit, model, x, y)


def test_a_correcting_loss_is_refused_on_balanced_batches_alone():
    model = MixingModel(linear(1), Mixup())
    compiled(model, loss=LogitAdjustedLoss([30, 10, 9]))
    balanced = ResampledDataset(X, LABELS, 5, "class")
    refused("frequencies twice", model.fit, **balanced.fit_arguments)
    refused("frequencies twice", fit, model, class_weight={0: 1.0, 1: 2.0, 2: 3.0})
    assert np.isfinite(fit(model)["loss"]).all()


def test_a_correcting_loss_is_refused_where_remix_changes_the_labels():
    loss = LogitAdjustedLoss([30, 10, 9])
    refused(
        "frequencies twice: use it on batches as they",
        MixingModel(linear(1), Remix([30, 10, 9])).compile,
        "sgd",
        loss,
    )


def test_mixup_keeps_the_class_frequencies_of_a_batch_and_remix_does_not():
    labels, frequencies = np.repeat([0, 1, 2], [300, 100, 90]).astype("int32"), {}
    order = np.random.default_rng(0).random(len(labels))
    draws = np.array([0.99, 0.5, *order], "float32")  # A share of 0.45.
    for mixing in (Mixup(), Remix([30, 10, 9])):
        found = mixing.mix(np.zeros((len(labels), 1), "float32"), labels, draws)
        _, a, b, share, *_ = map(to_numpy, found)
        weights = np.concatenate([share, 1 - share])
        frequencies[mixing.keeps_prior] = np.bincount(np.append(a, b), weights)
    np.testing.assert_allclose(frequencies[True], [300, 100, 90], rtol=1e-5)
    # Where class 0 is beside another, in about 3/5 * 2/5 of the rows, it loses 0.45.
    assert frequencies[False][0] == pytest.approx(300 - 0.45 * 490 * 0.24, rel=0.05)


@pytest.mark.parametrize("name", ["mixing", "f", "seed"])
def test_a_setting_cannot_be_assigned_again(name):
    model = MixingModel(linear(1), Mixup())
    with pytest.raises(AttributeError, match=f"`{name}` of a MixingModel is fixed"):
        setattr(model, name, None)
