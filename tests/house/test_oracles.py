"""The oracles against cases small enough to do by hand."""

import numpy as np
import pytest

from helpers import oracles

pytestmark = pytest.mark.no_backend


def test_the_seed_oracle_draws_classes_before_rows():
    chances = oracles.seed_distribution([0, 0, 0, 1, 2], [9, 9, 1], beta=0.0)
    # Class 2 takes classes 0 and 1 with one half each, three rows to one.
    np.testing.assert_allclose(chances[4], [1 / 6, 1 / 6, 1 / 6, 1 / 2, 0])
    # Classes 0 and 1 are the largest: no seed.
    assert not chances[:4].any()


def test_the_translation_oracle_takes_steps_of_the_step_size():
    # Two classes apart along the first axis: the step to class 1 follows it.
    w_g = np.array([[-1.0, 1.0], [0.0, 0.0]])
    moved = oracles.translate_linear(
        [[0.0, 5.0]], w_g, np.zeros(2), w_g, np.zeros(2), [0], [1], 0.0, 3, 0.1
    )
    np.testing.assert_allclose(moved, [[0.3, 5.0]])


def test_the_translation_oracle_moves_away_from_the_seed_class_of_f():
    # g is blind, so only f counts: down its column 0, by 0.5 / 0.5 of a step.
    w_f = np.array([[0.0, 9.0], [1.0, 9.0]])
    moved = oracles.translate_linear(
        [[0.0, 0.0]], 0 * w_f, np.zeros(2), w_f, np.zeros(2), [0], [1], 0.5, 1, 0.1
    )
    np.testing.assert_allclose(moved, [[0.0, -0.1]])


def test_the_translation_oracle_clips_also_before_the_first_step():
    flat = np.zeros((1, 2))
    moved = oracles.translate_linear(
        [[1.5]], flat, np.zeros(2), flat, np.zeros(2), [0], [1], 0.5, 1, 0.1, (0, 1)
    )
    np.testing.assert_array_equal(moved, [[1.0]])
