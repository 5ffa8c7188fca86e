"""Steps and noise in units of the entries."""

import keras
import numpy as np
import pytest

from helpers import mlp_oracle
from helpers import oracles
from helpers.compilation import MODES
from helpers.compilation import ONCE
from helpers.compilation import normal
from helpers.compilation import run
from helpers.gradients import to_numpy
from keras_m2m.translation import scale_noise
from keras_m2m.translation import translate

ops = keras.ops
SEED_CLASSES = np.array([0, 0, 1, 2, 1, 2])
TARGETS = np.array([1, 2, 0, 0, 2, 1])
UNITS = np.float32([3.0, 0.0, 0.01, 0.5])
X = normal(6, 4)
MOVES = {"lam": 0.5, "steps": 4, "step_size": 0.25}


def linear(kernel, bias):
    return lambda x: ops.add(ops.matmul(x, kernel), bias)


WEIGHTS = normal(4, 3), normal(3), normal(4, 3, seed=1), normal(3)


def moved(x, noise=None, kernels=WEIGHTS, **settings):
    w_g, b_g, w_f, b_f = kernels
    networks = linear(w_f, b_f), linear(w_g, b_g)
    return translate(*networks, x, SEED_CLASSES, TARGETS, noise, **settings)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("unroll", [False, True])
@pytest.mark.parametrize("bounds", [None, (-1.0, 1.0)])
def test_steps_in_units_follow_the_closed_form(mode, unroll, bounds):
    settings = {**MOVES, "bounds": bounds, "units": UNITS}
    expected = oracles.translate_linear(X, *WEIGHTS, SEED_CLASSES, TARGETS, **settings)
    result = run(mode, lambda x: moved(x, unroll=unroll, **settings), X)
    np.testing.assert_allclose(result, expected, atol=1e-5)


def test_the_closed_form_takes_a_step_of_the_length_in_units_and_downhill():
    once = {**MOVES, "steps": 1, "units": UNITS}
    step = oracles.translate_linear(X, *WEIGHTS, SEED_CLASSES, TARGETS, **once) - X
    assert not step[:, 1].any()
    lengths = np.linalg.norm(step[:, [0, 2, 3]] / UNITS[[0, 2, 3]], axis=1)
    np.testing.assert_allclose(lengths, 0.25, rtol=1e-6)


@pytest.mark.parametrize("activation", ["relu", "tanh"])
def test_units_of_x_are_no_units_of_x_in_units(activation):
    """With networks whose first layer takes the units out again."""
    units = np.float32([3.0, 20.0, 0.01, 0.5])
    f, g = (mlp_oracle.Network(4, 5, 3, activation, seed) for seed in (1, 2))
    u, noise = normal(6, 4), 0.3 * normal(6, 4, seed=3)
    bounds = -np.inf, np.inf
    expected = mlp_oracle.translate(
        *(f, g, u + noise, SEED_CLASSES, TARGETS), **MOVES, bounds=bounds
    )

    def of_x(network):
        scale = network.gamma / np.sqrt(network.variance + mlp_oracle.EPSILON)
        first = linear(
            (scale / units)[:, None] * network.w1,
            (network.beta - network.mean * scale) @ network.w1 + network.b1,
        )
        second = linear(network.w2, network.b2)

        def logits(x):
            return second(getattr(ops, activation)(first(x)))

        return logits

    def in_x(x, noise):
        networks = of_x(f), of_x(g)
        arguments = SEED_CLASSES, TARGETS, noise
        return translate(*networks, x, *arguments, units=units, **MOVES)

    result = run(ONCE, in_x, u * units, noise * units)
    np.testing.assert_allclose(result / units, expected, atol=1e-4)


def test_an_entry_of_unit_0_stays_to_the_bit():
    noise = scale_noise(ops.array(normal(6, 4, seed=2)), 0.5, UNITS)
    result = to_numpy(moved(X, noise, units=UNITS, **MOVES))
    np.testing.assert_array_equal(result[:, 1], X[:, 1])
    assert (result[:, [0, 2, 3]] != X[:, [0, 2, 3]]).all()


def test_a_gradient_along_entries_of_unit_0_alone_moves_nothing():
    kernel = np.zeros((4, 3), "float32")
    kernel[1] = [1, 2, 3]
    kernels = kernel, normal(3), kernel, normal(3)
    result = moved(X, kernels=kernels, units=UNITS, **MOVES)
    np.testing.assert_array_equal(to_numpy(result), X)


def test_units_of_one_and_no_units_are_the_same_to_the_bit():
    noise = ops.array(normal(6, 4, seed=2))
    without = to_numpy(moved(X, scale_noise(noise, 0.3), **MOVES))
    ones = np.ones(4, "float32")
    arguments = scale_noise(noise, 0.3, ones)
    np.testing.assert_array_equal(
        to_numpy(moved(X, arguments, units=ones, **MOVES)), without
    )


@pytest.mark.parametrize("shape", [(4,), (5, 5, 3)])
def test_noise_has_its_norm_in_units_over_the_entries_that_move(shape):
    units = np.abs(normal(*shape, seed=4))
    units.flat[::3] = 0
    direction = normal(16, *shape)
    noise = to_numpy(scale_noise(ops.array(direction), 0.1, units))
    where = units > 0
    assert not noise[:, ~where].any()
    in_units = noise[:, where] / units[where]
    np.testing.assert_allclose(np.linalg.norm(in_units, axis=1), 0.1, rtol=1e-5)
    parallel = direction[:, where] / np.linalg.norm(
        direction[:, where], axis=1, keepdims=True
    )
    np.testing.assert_allclose(in_units, 0.1 * parallel, rtol=1e-4, atol=1e-7)


def test_units_broadcast_to_an_image():
    units = np.float32([0.0, 2.0])
    direction = normal(3, 4, 4, 2)
    noise = to_numpy(scale_noise(ops.array(direction), 1.0, units))
    assert not noise[..., 0].any()
    lengths = np.linalg.norm(noise[..., 1].reshape(3, -1), axis=1)
    np.testing.assert_allclose(lengths, 2.0, rtol=1e-5)
