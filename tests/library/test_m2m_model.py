import keras
import numpy as np
import pytest

from helpers.compilation import MODES
from helpers.compilation import normal
from helpers.gradients import to_numpy
from helpers.m2m_cases import COMPILE
from helpers.m2m_cases import COUNTS
from helpers.m2m_cases import LABELS
from helpers.m2m_cases import LOSS
from helpers.m2m_cases import SHAPES
from helpers.m2m_cases import assert_one_sgd_step
from helpers.m2m_cases import confidences
from helpers.m2m_cases import convolutional
from helpers.m2m_cases import image_shape
from helpers.m2m_cases import linear
from helpers.m2m_cases import regularised
from helpers.m2m_cases import translations
from helpers.m2m_cases import twin
from keras_m2m import M2mModel
from keras_m2m import Seeds

ops = keras.ops
X = normal(5, 4)
MOVES = {"lam": 0.7, "steps": 2, "step_size": 0.4}


def linear_model(cls=M2mModel, counts=COUNTS, **arguments):
    """M2m without noise that accepts everything, unless told otherwise."""
    arguments = {"gamma": 0, "noise": 0, "seed": 0, **MOVES, **arguments}
    return cls(linear(1), linear(2), counts, **arguments)


def fit_one_batch(model, x, y, mode="eager", **arguments):
    """One step of plain gradient descent; returns the logs."""
    model.compile(keras.optimizers.SGD(1.0), LOSS, **COMPILE[mode])
    arguments = {"batch_size": len(x), "shuffle": False, "verbose": 0, **arguments}
    history = model.fit(x, y, **arguments).history
    return {key: value for key, (value,) in history.items()}


def rewritten(f, g, x, **moves):
    """The batch of `LABELS`, each row of a small class translated from row 0."""
    new = np.float64(x)
    rows = LABELS != 1
    starts = np.repeat(x[:1], rows.sum(), axis=0)
    new[rows] = translations(f, g, starts, LABELS[rows], **(moves or MOVES))
    return new


def seeds_of(samples, classes, targets):
    n = len(samples)
    wanted = np.ones(n, bool)
    return Seeds(samples, np.array(classes), np.arange(n), np.array(targets), wanted)


# The step, by hand.


@pytest.mark.parametrize(
    "mode, largest", [*((mode, 1) for mode in MODES), ("graph", 0), ("eager", 2)]
)
def test_a_step_trains_f_on_the_translations_that_g_believes(mode, largest):
    order = np.roll([0, 1, 2], 1 - largest)  # Class k of the case is order[k] here.
    counts, y = np.ones(3, int), order[LABELS]
    counts[largest] = 10**9
    f, g, x = linear(1), linear(2), normal(5, 4)
    before, rows = f.get_weights(), np.flatnonzero(y != largest)
    new = np.float64(x)
    new[rows] = translations(f, g, x[[0] * 4], y[rows], largest, **MOVES)
    believed = confidences(g, new[rows], y[rows])
    gamma = (believed.min() + believed.max()) / 2
    kept = believed >= gamma
    new[rows[~kept]] = x[rows[~kept]]

    model = M2mModel(f, g, counts, gamma=gamma, noise=0, **MOVES)
    logs = fit_one_batch(model, x, y, mode)
    assert_one_sgd_step(f, before, new, y)
    assert logs["acceptance_rate"] == pytest.approx(kept.sum() / 4)
    assert logs["replaced_rate"] == pytest.approx(kept.sum() / 5)


@pytest.mark.parametrize("mode", SHAPES)
def test_a_step_is_ordinary_training_on_the_rewritten_batch(mode):
    f, g = convolutional(1), convolutional(2)
    plain, x = twin(f), normal(5, *image_shape())
    model = M2mModel(f, g, COUNTS, gamma=0, noise=0, steps=1, step_size=0.5)
    seeds = model.draw_seeds(ops.convert_to_tensor(x), ops.convert_to_tensor(LABELS))
    new, _ = model.replace(x, LABELS, seeds, model.translate(seeds), seeds.wanted)
    assert np.abs(to_numpy(new) - x).max() > 0.1
    fit_one_batch(model, x, LABELS, mode)
    fit_one_batch(plain, to_numpy(new), LABELS, "once")
    for value, expected in zip(f.get_weights(), plain.get_weights()):
        np.testing.assert_allclose(value, expected, rtol=1e-4, atol=1e-5)


def test_g_stays_bit_for_bit_what_it_was():
    f, g = convolutional(1), convolutional(2)
    before, x = g.get_weights(), normal(5, *image_shape())
    accepting = M2mModel(f, g, COUNTS, gamma=0, steps=1, step_size=0.1)
    logs = fit_one_batch(accepting, x, LABELS, "auto")
    assert logs["acceptance_rate"] == 1
    for value, expected in zip(g.get_weights(), before):
        np.testing.assert_array_equal(value, expected)


def test_g_is_set_to_not_trainable():
    model = linear_model()
    assert not model.g.trainable
    assert len(model.trainable_variables) == len(model.f.trainable_variables) == 2


@pytest.mark.parametrize("mode", ["eager", "auto"])
def test_labels_may_have_any_integer_dtype_and_a_second_axis(mode):
    model, x = linear_model(), normal(5, 4)
    before, new = model.f.get_weights(), rewritten(model.f, model.g, x)
    fit_one_batch(model, x, LABELS.astype("uint8")[:, None], mode)
    assert_one_sgd_step(model.f, before, new, LABELS)


def test_a_class_weight_goes_with_the_label_of_a_translation():
    model, x, weights = linear_model(), normal(5, 4), np.array([2.0, 0.5, 0.0])
    before, new = model.f.get_weights(), rewritten(model.f, model.g, x)
    fit_one_batch(model, x, LABELS, class_weight=dict(enumerate(weights)))
    assert_one_sgd_step(model.f, before, new, LABELS, weights[LABELS])


def test_a_sample_weight_stays_with_its_row():
    model, x, weights = linear_model(), normal(5, 4), np.linspace(0, 2, 5)
    before, new = model.f.get_weights(), rewritten(model.f, model.g, x)
    fit_one_batch(model, x, LABELS, sample_weight=weights)
    assert_one_sgd_step(model.f, before, new, LABELS, weights)


# Rates.


class ForClass0(M2mModel):
    def accept(self, seeds, translated):
        return ops.equal(seeds.targets, 0)


@pytest.mark.parametrize("mode", SHAPES)
def test_rates_are_of_all_rows_of_an_epoch_not_means_over_batches(mode):
    batches = [[1, 0, 2, 2, 2], [1, 1, 1, 1, 0], [1, 2]]
    y = np.concatenate(batches)
    logs = fit_one_batch(linear_model(ForClass0), normal(12, 4), y, mode, batch_size=5)
    accepted, translated = 1 + 1 + 0, 4 + 1 + 1
    assert logs["acceptance_rate"] == pytest.approx(accepted / translated)
    assert logs["replaced_rate"] == pytest.approx(accepted / 12)


def test_gamma_0_accepts_every_translation():
    model = linear_model(counts=[10, 40, 20], beta=0.9)
    logs = fit_one_batch(model, normal(24, 4), np.arange(24) % 3, "once")
    assert logs["acceptance_rate"] == 1
    assert 0 < logs["replaced_rate"] < 2 / 3


# Translation with the model's own draws.


@pytest.mark.parametrize("norm", [0.1, 2.0])
def test_the_random_start_has_the_given_norm(norm):
    model = linear_model(noise=norm, steps=1, step_size=1e-6)
    x = normal(5, 4)
    moved = to_numpy(model.translate(seeds_of(x, [1] * 5, [0] * 5))) - x
    np.testing.assert_allclose(np.sqrt((moved**2).sum(axis=1)), norm, rtol=1e-4)


def test_translations_stay_inside_the_bounds_and_would_leave_them():
    x = np.random.default_rng(0).uniform(size=(5, 4)).astype("float32")
    seeds = seeds_of(x, [1] * 5, [0] * 5)
    free, held = (
        to_numpy(linear_model(bounds=bounds, noise=4.0).translate(seeds))
        for bounds in (None, (0, 1))
    )
    assert free.min() < 0
    assert free.max() > 1
    assert held.min() == 0
    assert held.max() == 1


def test_dropout_does_not_act_on_translations():
    f, g, x = regularised(1), regularised(2), normal(5, 4)
    model = M2mModel(f, g, COUNTS, noise=0, **MOVES)
    first, second = (
        to_numpy(model.translate(seeds_of(x, [1] * 5, [0] * 5))) for _ in range(2)
    )
    np.testing.assert_array_equal(first, second)


def test_dropout_does_not_act_on_acceptance():
    f, g, x, k = linear(1), regularised(2), normal(5, 4), [0] * 5
    believed = to_numpy(ops.softmax(g(x)))[:, 0]
    gamma = float(np.sort(believed)[1:3].mean())
    accepted = M2mModel(f, g, COUNTS, gamma=gamma).accept(seeds_of(x, k, k), x)
    np.testing.assert_array_equal(to_numpy(accepted), believed >= gamma)


def weights_after_training(seed):
    model = linear_model(noise=0.5, seed=seed)
    fit_one_batch(model, normal(5, 4), LABELS)
    return np.concatenate([weight.ravel() for weight in model.f.get_weights()])


def test_one_seed_gives_one_result():
    np.testing.assert_array_equal(weights_after_training(3), weights_after_training(3))


def test_another_seed_gives_other_draws():
    y = np.array([0, 1, 1, 1, 1])  # One of four seeds, eight times.
    first, second = (
        [to_numpy(model.draw_seeds(X, y).samples).tolist() for _ in range(8)]
        for model in (linear_model(seed=seed) for seed in (3, 4))
    )
    assert first != second


def test_every_step_draws_anew():
    model, seeds = linear_model(noise=1.0), seeds_of(normal(5, 4), [1] * 5, [0] * 5)
    first, second = (to_numpy(model.translate(seeds)) for _ in range(2))
    assert np.abs(first - second).max() > 0.1


# The methods to override, by the paper's ablations.


def test_without_lam_the_network_being_trained_has_no_say():
    seeds = seeds_of(normal(5, 4), [1] * 5, [0] * 5)
    alone, other = (
        M2mModel(linear(k), linear(2), COUNTS, noise=0, lam=0, step_size=0.1)
        for k in (1, 3)
    )
    np.testing.assert_array_equal(
        to_numpy(alone.translate(seeds)), to_numpy(other.translate(seeds))
    )


class Clean(M2mModel):
    def translate(self, seeds):
        return seeds.samples


def test_seeds_can_be_inserted_as_they_are():
    model, x = linear_model(Clean), normal(5, 4)
    before = model.f.get_weights()
    fit_one_batch(model, x, LABELS)
    assert_one_sgd_step(model.f, before, x[[0] * 5], LABELS)


class Pooled(M2mModel):
    pool = normal(5, 4, seed=9)

    def draw_seeds(self, x, labels):
        seeds = super().draw_seeds(x, labels)
        return seeds._replace(samples=ops.take(self.pool, seeds.rows, axis=0))


def test_seeds_can_come_from_outside_the_batch():
    model, x = linear_model(Pooled), normal(5, 4)
    before, rows, new = model.f.get_weights(), LABELS != 1, np.float64(x)
    new[rows] = translations(model.f, model.g, Pooled.pool[rows], LABELS[rows], **MOVES)
    fit_one_batch(model, x, LABELS)
    assert_one_sgd_step(model.f, before, new, LABELS)


def test_what_is_accepted_can_be_decided_otherwise():
    model, x = linear_model(ForClass0), normal(5, 4)
    before, new = model.f.get_weights(), rewritten(model.f, model.g, x)
    new[LABELS == 2] = x[LABELS == 2]
    logs = fit_one_batch(model, x, LABELS)
    assert_one_sgd_step(model.f, before, new, LABELS)
    assert logs["acceptance_rate"] == 0.5


class Relabelled(M2mModel):
    def replace(self, x, labels, seeds, translated, accepted):
        new = ops.where(accepted, seeds.classes, ops.take(labels, seeds.rows))
        return x, ops.scatter_update(labels, seeds.rows[:, None], new)


@pytest.mark.parametrize("mode", SHAPES)
def test_labels_can_be_replaced_instead_of_samples(mode):
    model, x = linear_model(Relabelled), normal(5, 4)
    before = model.f.get_weights()
    fit_one_batch(model, x, LABELS, mode)
    assert_one_sgd_step(model.f, before, x, np.ones(5, int))
