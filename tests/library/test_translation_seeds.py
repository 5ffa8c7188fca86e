import numpy as np
import pytest
import scipy.stats

from helpers import oracles
from helpers.compilation import MODES
from helpers.compilation import compiled
from helpers.gradients import to_numpy
from keras_m2m.imbalance import acceptance_by_size
from keras_m2m.imbalance import acceptance_probability
from keras_m2m.imbalance import generation_probability
from keras_m2m.translation import choose_seeds

JUST_BELOW_ONE = np.nextafter(np.float32(1), np.float32(0))
# The largest class is now the last, now the first, now in the middle.
COUNTS = [[3, 40, 7, 100], [100, 7, 40, 3], [7, 100, 40, 3]]
LABELS = np.array([2, 0, 3, 1, 3, 0, 1, 1, 2, 3, 0])
BETA = 0.95


def chooser(labels, class_counts, mode=MODES[-1]):
    """A compiled function from draws `(3, batch)` to `(rows, wanted)`."""
    generation = generation_probability(class_counts).astype("float32")
    acceptance = acceptance_probability(class_counts, BETA).astype("float32")
    fn = compiled(
        mode, lambda draws: tuple(choose_seeds(labels, draws, generation, acceptance))
    )
    return lambda draws: [to_numpy(value) for value in fn(np.float32(draws))]


def rows_by_even_draws(labels, class_counts, n):
    """Seed rows `(n, batch)`, for seed draws in the middle of n equal parts."""
    choose, shape = chooser(labels, class_counts), (3, len(labels))
    draws = (np.arange(n) + 0.5) / n
    return np.array([choose(np.full(shape, draw))[0] for draw in draws])


@pytest.mark.parametrize("class_counts", COUNTS)
def test_seed_rows_come_as_often_as_the_paper_says(class_counts):
    n = 400
    rows = rows_by_even_draws(LABELS, class_counts, n)
    expected = oracles.seed_distribution(LABELS, class_counts, BETA)
    for i in np.flatnonzero(expected.sum(axis=1)):
        share = np.bincount(rows[:, i], minlength=len(LABELS)) / n
        # An interval holds the middles of n equal parts to within one of them.
        np.testing.assert_allclose(share, expected[i], atol=1.01 / n)


@pytest.mark.parametrize("class_counts", COUNTS)
def test_rows_are_wanted_as_often_as_generation_and_rejection_allow(class_counts):
    n, batch = 800, len(LABELS)
    choose, rng = chooser(LABELS, class_counts), np.random.default_rng(0)
    results = [choose(rng.random((3, batch), "float32")) for _ in range(n)]
    rows, wanted = (np.array(values) for values in zip(*results))
    seeds = oracles.seed_distribution(LABELS, class_counts, BETA)
    kept = oracles.acceptance(class_counts, BETA)[LABELS][:, LABELS]
    expected = oracles.generation(class_counts)[LABELS][:, None] * seeds * kept
    for i in range(batch):
        possible = np.flatnonzero(expected[i])
        observed = np.bincount(rows[wanted[:, i], i], minlength=batch)
        assert observed.sum() == observed[possible].sum()
        if len(possible):
            observed = [*observed[possible], n - observed.sum()]
            chances = [*expected[i, possible], 1 - expected[i].sum()]
            test = scipy.stats.chisquare(observed, n * np.array(chances))
            assert test.pvalue > 1e-3


def test_a_class_with_more_rows_in_the_batch_is_no_likelier():
    labels = np.array([0, 0, 2, 0, 0, 1, 0])
    rows = rows_by_even_draws(labels, [100, 100, 1], n=100)
    assert np.mean(labels[rows[:, 2]] == 1) == pytest.approx(0.5, abs=0.01)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("seed_draw", [0.0, 0.5, JUST_BELOW_ONE])
def test_a_row_without_a_larger_class_in_the_batch_is_never_wanted(mode, seed_draw):
    # Class 1 is generated, but has no seed: class 0 is missing here.
    labels, class_counts = np.array([1, 2, 1]), [100, 10, 3]
    draws = np.zeros((3, 3))
    draws[1] = seed_draw
    rows, wanted = chooser(labels, class_counts, mode)(draws)
    assert wanted.tolist() == [False, True, False]
    assert rows[1] in (0, 2)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("seed_draw", [0.0, JUST_BELOW_ONE])
def test_seed_rows_stay_inside_the_batch(mode, seed_draw):
    draws = np.full((3, len(LABELS)), seed_draw)
    rows, _ = chooser(LABELS, COUNTS[0], mode)(draws)
    assert rows.min() >= 0
    assert rows.max() < len(LABELS)


def test_the_extreme_draws_choose_the_first_and_the_last_eligible_row():
    labels = np.array([1, 0, 1, 0, 1])
    rows = [
        chooser(labels, [100, 1])(np.full((3, 5), draw))[0]
        for draw in (0.0, JUST_BELOW_ONE)
    ]
    assert [row[2] for row in rows] == [1, 3]


def test_the_largest_class_is_never_generated():
    _, wanted = chooser(LABELS, COUNTS[0])(np.zeros((3, len(LABELS))))
    assert (wanted == (LABELS != 3)).all()


def test_seeds_by_sizes_of_classes_are_those_by_classes():
    class_counts = [7, 100, 40, 7]
    table, size_of = acceptance_by_size(class_counts, BETA)
    generation = generation_probability(class_counts).astype("float32")
    acceptance = acceptance_probability(class_counts, BETA).astype("float32")
    draws = np.random.default_rng(0).random((3, len(LABELS)), "float32")
    by_classes = choose_seeds(LABELS, draws, generation, acceptance)
    tables = table.astype("float32"), size_of.astype("int32")
    by_sizes = choose_seeds(LABELS, draws, generation, *tables)
    for found, expected in zip(by_sizes, by_classes, strict=True):
        np.testing.assert_array_equal(to_numpy(found), to_numpy(expected))
