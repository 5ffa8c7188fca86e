"""The ablations of Tables 3, 4 and 5, each in every way that a step is run."""

import keras
import numpy as np
import pytest

import keras_m2m
from helpers.compilation import normal
from helpers.gradients import to_numpy
from helpers.m2m_cases import COMPILE
from helpers.m2m_cases import COUNTS
from helpers.m2m_cases import LABELS
from helpers.m2m_cases import LOSS
from helpers.m2m_cases import SHAPES
from helpers.m2m_cases import assert_one_sgd_step
from helpers.m2m_cases import convolutional
from helpers.m2m_cases import image_shape
from helpers.m2m_cases import linear
from helpers.m2m_cases import sgd
from helpers.m2m_cases import translations
from keras_m2m import M2mModel
from tasks.experiment import ablations

ops = keras.ops
MOVES = {"lam": 0.7, "steps": 2, "step_size": 0.4, "noise": 0, "gamma": 0, "seed": 0}
# 600 rows of 5 classes, whose second number tells their class. Not for TensorFlow's
# XLA, which compiles M2m of so many rows for minutes on a CPU.
COUNTS_OF_5 = [1, 50, 100, 2, 20]
LABELS_OF_5 = np.arange(600) % 5
TAGGED = np.stack([np.arange(600), LABELS_OF_5], axis=1).astype("float32")


class Recorded(M2mModel):
    """Keeps the batch that f was trained on, and each row's seed class or label."""

    def __init__(self, *arguments, rows, **named):
        super().__init__(*arguments, **named)
        shape = (rows, *self.f.inputs[0].shape[1:])
        self.x = self.add_weight(shape=shape, trainable=False, name="x")
        self.y, self.classes = (
            self.add_weight((rows,), "zeros", "int32", trainable=False, name=name)
            for name in ("y", "classes")
        )

    def replace(self, x, labels, seeds, translated, accepted):
        classes = ops.where(accepted, seeds.classes, ops.take(labels, seeds.rows))
        self.classes.assign(ops.scatter_update(labels, seeds.rows[:, None], classes))
        x, labels = super().replace(x, labels, seeds, translated, accepted)
        self.x.assign(x)
        self.y.assign(labels)
        return x, labels


def fit_one_batch(model, x, y, mode):
    """The logs of one step of plain gradient descent."""
    model.compile(keras.optimizers.SGD(1.0), LOSS, **COMPILE[mode])
    history = model.fit(x, y, batch_size=len(x), shuffle=False, verbose=0).history
    return {key: value for key, (value,) in history.items()}


def trained_on(variant, mode, **named):
    """The tagged rows, labels and seed classes of one step of a variant."""
    f, g = linear_of_5(), linear_of_5()
    named = {**MOVES, "steps": 1, "beta": 0.9, **named}
    model = variant(f, g, COUNTS_OF_5, rows=600, **named)
    fit_one_batch(model, TAGGED, LABELS_OF_5, mode)
    return (to_numpy(kept) for kept in (model.x, model.y, model.classes))


def linear_of_5():
    return keras.Sequential([keras.Input((2,)), keras.layers.Dense(5)])


def assert_uniform(values, members):
    """That each member came, and no oftener or rarer than chance has it."""
    share = 1 / len(members)
    counts = np.array([np.count_nonzero(values == member) for member in members])
    assert counts.sum() == len(values)
    assert counts.min() > 0
    deviation = np.sqrt(len(values) * share * (1 - share))
    assert np.abs(counts - len(values) * share).max() < 5 * deviation


# The pool.


class Pooled(Recorded, ablations.FromPool, ablations.Clean):
    """Shows the seeds in the batch."""


@pytest.mark.parametrize("mode", SHAPES[:1])
def test_seeds_are_members_of_the_pool_of_the_class_that_m2m_drew(mode):
    # Pools of 1, 2, 3, 4 and 5 members, numbered 1000 k + member.
    labels = np.repeat(np.arange(5), np.arange(1, 6))
    number = 1000 * labels + np.concatenate([np.arange(n) for n in range(1, 6)])
    pool = np.stack([10_000 + number, labels], axis=1).astype("float32")
    x, _, classes = trained_on(Pooled, mode, samples=pool, labels=labels)
    replaced = classes != LABELS_OF_5
    np.testing.assert_array_equal(x[:, 1], classes)
    np.testing.assert_array_equal(x[~replaced], TAGGED[~replaced])
    for k in (1, 2, 4):  # Class 3 has too few samples to be drawn often.
        assert_uniform(x[replaced & (classes == k), 0], pool[labels == k, 0])


def test_a_pool_has_so_many_samples_of_each_class_and_all_of_a_small_one():
    y = np.random.default_rng(0).permutation(np.repeat([0, 1, 2], [30, 4, 12]))
    samples, labels = ablations.draw_pool(np.arange(46), y, 12, seed=0)
    np.testing.assert_array_equal(labels, np.repeat([0, 1, 2], [12, 4, 12]))
    np.testing.assert_array_equal(y[samples], labels)
    assert len(set(samples)) == 28


def test_a_pool_follows_from_its_seed_and_holds_the_smaller_ones():
    y = np.repeat([0, 1], [40, 30])
    small, large, other = (
        set(ablations.draw_pool(np.arange(70), y, size, seed)[0])
        for size, seed in [(5, 0), (20, 0), (5, 1)]
    )
    assert small < large
    assert small != other
    assert small == set(ablations.draw_pool(np.arange(70), y, 5, 0)[0])


# What is put into the batch.


class Both(Recorded, ablations.FromPool, ablations.RandomLabels, ablations.Clean):
    """Leaves no choice in a pool of one sample a class, and of three classes."""


@pytest.mark.parametrize("mode", SHAPES)
def test_a_pool_of_one_and_the_only_other_label_leave_no_choice(mode):
    pool, x, expected = normal(3, 4, seed=1), normal(5, 4), normal(5, 4)
    named = {**MOVES, "rows": 5, "samples": pool, "labels": [0, 1, 2]}
    model = Both(linear(1), linear(2), COUNTS, **named)
    fit_one_batch(model, x, LABELS, mode)
    expected[LABELS != 1] = pool[1]
    np.testing.assert_array_equal(to_numpy(model.x), expected)
    np.testing.assert_array_equal(to_numpy(model.y), np.array([2, 1, 0])[LABELS])


@pytest.mark.parametrize("mode", SHAPES[:1])  # `Both` is Clean in either.
def test_clean_inserts_the_seed_where_a_translation_was_accepted(mode):
    class Model(Recorded, ablations.Clean):
        def accept(self, seeds, translated):
            far = ops.any(ops.abs(translated - seeds.samples) > 0.01, axis=1)
            return ops.logical_and(far, ops.equal(seeds.targets, 0))

    x, expected = normal(5, 4), normal(5, 4)
    model = Model(linear(1), linear(2), COUNTS, rows=5, **MOVES)
    logs = fit_one_batch(model, x, LABELS, mode)
    expected[LABELS == 0] = x[0]
    np.testing.assert_array_equal(to_numpy(model.x), expected)
    assert logs["acceptance_rate"] == 0.5


class NotForClass0(Recorded, ablations.RandomLabels):
    def accept(self, seeds, translated):
        return ops.not_equal(seeds.targets, 0)


@pytest.mark.parametrize("mode", SHAPES[:1])
def test_random_labels_are_uniform_over_the_rest_of_the_classes(mode):
    _, y, seeds = trained_on(NotForClass0, mode)
    accepted = seeds != LABELS_OF_5
    assert not accepted[LABELS_OF_5 == 0].any()
    np.testing.assert_array_equal(y[~accepted], LABELS_OF_5[~accepted])
    for target, seed in [(3, 1), (3, 2), (3, 4), (1, 2), (4, 2)]:
        rows = accepted & (target == LABELS_OF_5) & (seeds == seed)
        assert_uniform(y[rows], sorted({0, 1, 2, 3, 4} - {target, seed}))


def test_random_labels_need_three_classes():
    f, g = (keras_m2m.mlp(2, (4,)) for _ in range(2))
    with pytest.raises(ValueError, match="2 classes"):
        ablations.RandomLabels(f, g, [10, 1])


# f in place of g.


@pytest.mark.parametrize("mode", SHAPES)
def test_self_translates_against_f_as_it_is_at_the_start_of_the_step(mode):
    f, x = linear(1), normal(5, 4)
    model = ablations.Self(f, None, COUNTS, **MOVES)
    f.set_weights(linear(3).get_weights())  # After g was made.
    before, rows, new = f.get_weights(), LABELS != 1, np.float64(x)
    moves = {key: MOVES[key] for key in ("lam", "steps", "step_size")}
    new[rows] = translations(f, f, x[[0] * 4], LABELS[rows], **moves)
    logs = fit_one_batch(model, x, LABELS, mode)
    assert_one_sgd_step(f, before, new, LABELS)
    assert logs["acceptance_rate"] == 1


@pytest.mark.parametrize("mode", SHAPES[:1])  # The test above copies f in either.
def test_after_a_step_g_is_f_of_before_it_moving_statistics_included(mode):
    x, y = normal(10, *image_shape()), np.tile(LABELS, 2)
    arguments = {"batch_size": 5, "shuffle": False, "verbose": 0}
    runs = []
    for parts in ([slice(0, 5), slice(5, 10)], [slice(0, 10)]):
        f = convolutional(1)
        f.layers[0].trainable = False  # A weight that no step changes.
        model = ablations.Self(f, None, COUNTS, **{**MOVES, "steps": 1})
        model.compile(sgd(), LOSS, **COMPILE[mode])
        for part in parts:
            before = f.get_weights()
            model.fit(x[part], y[part], **arguments)
        runs.append((f.get_weights(), model.g.get_weights(), before))
    (f_weights, g_weights, before), (f_at_once, g_at_once, _) = runs
    for value, expected in zip(g_weights, before, strict=True):
        np.testing.assert_array_equal(value, expected)
    # Scale, offset, mean and variance are the first four that change.
    assert all((a != b).any() for a, b in zip(f_weights[2:], g_weights[2:]))
    for several, at_once in [(f_weights, f_at_once), (g_weights, g_at_once)]:
        for value, expected in zip(at_once, several, strict=True):
            np.testing.assert_allclose(value, expected, rtol=1e-5, atol=1e-6)


# Without R.


def replaced_rate(variant, mode):
    # R rejects a translation from class 1 but for one in a million.
    model = variant(linear(1), linear(2), COUNTS, **MOVES, beta=1 - 1e-15)
    return fit_one_batch(model, normal(5, 4), LABELS, mode)["replaced_rate"]


@pytest.mark.parametrize("mode", SHAPES)
def test_no_reject_keeps_what_r_rejects(mode):
    assert replaced_rate(ablations.NoReject, mode) == pytest.approx(4 / 5)


def test_r_rejects_what_no_reject_keeps():
    assert replaced_rate(M2mModel, SHAPES[0]) == 0


def test_no_reject_draws_candidates_and_seeds_as_m2m_does():
    arguments = [ops.convert_to_tensor(array) for array in (TAGGED, LABELS_OF_5)]
    plain, all_kept = (
        variant(*(keras_m2m.mlp(5, (2,)) for _ in "fg"), COUNTS_OF_5, 0.97, seed=0)
        for variant in (M2mModel, ablations.NoReject)
    )
    chosen, kept = (m.draw_seeds(*arguments) for m in (plain, all_kept))
    seed_of, kept_of = (
        {
            int(row): sample.tobytes()
            for row, sample, wanted in zip(
                *map(to_numpy, (s.rows, s.samples, s.wanted))
            )
            if wanted
        }
        for s in (chosen, kept)
    )
    assert len(seed_of) < 0.9 * len(kept_of)
    assert seed_of.items() <= kept_of.items()
    # The same numbers again: candidates by section 2.3, and all of them have a seed.
    fresh = M2mModel(plain.f, plain.g, COUNTS_OF_5, seed=0)
    generated = to_numpy(fresh.draw_numbers(600))[0]
    expected = generated < 1 - np.array(COUNTS_OF_5)[LABELS_OF_5] / 100
    assert set(kept_of) == set(np.flatnonzero(expected))
