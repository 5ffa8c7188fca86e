"""Two classes by one logit: p = sigmoid(z), in f, in g, or in both."""

import keras
import numpy as np
import pytest

from helpers import oracles
from helpers.compilation import normal
from helpers.gradients import to_numpy
from helpers.m2m_cases import COMPILE
from helpers.m2m_cases import LOSS
from helpers.m2m_cases import SHAPES
from keras_m2m import M2mModel
from keras_m2m import translation

BINARY = keras.losses.BinaryCrossentropy(from_logits=True)
X, Y = normal(8, 4), np.array([0, 1, 0, 1, 0, 1, 0, 1])
# Every row of class 1 is translated from class 0, in float32 for certain.
COUNTS = [10**9, 1]


def linear(units, seed):
    """x w + b, of one logit z, or of the two logits -z/2 and z/2."""
    kernel, bias = normal(4, 1, seed=seed), normal(1, seed=seed + 9)
    if units == 2:
        kernel, bias = (
            np.concatenate([-v / 2, v / 2], axis=-1) for v in (kernel, bias)
        )
    network = keras.Sequential([keras.Input((4,)), keras.layers.Dense(units)])
    network.set_weights([kernel, bias])
    return network


def moved_by_oracle(x, seed_classes, targets, lam, steps, step_size):
    """Equation (2) for one logit: CE is softplus(-s z_g), f_k0 is s0 z_f / 2."""
    (w_g, _), (w_f, _) = (linear(1, seed).get_weights() for seed in (2, 1))
    b_g = linear(1, 2).get_weights()[1]
    rows = []
    for row, k0, k in zip(np.float64(x), seed_classes, targets, strict=True):
        sign, sign_0 = 2 * k - 1, 2 * k0 - 1
        for _ in range(steps):
            z = row @ w_g[:, 0] + b_g[0]
            gradient = -sign / (1 + np.exp(sign * z)) * w_g[:, 0]
            gradient = gradient + lam * sign_0 * w_f[:, 0] / 2
            row = row - step_size * gradient / np.linalg.norm(gradient)
        rows.append(row)
    return np.array(rows)


@pytest.mark.parametrize("units", [(1, 1), (1, 2), (2, 1), (2, 2)])
def test_a_translation_is_that_of_the_formula(units):
    f, g = (linear(n, seed) for n, seed in zip(units, (1, 2), strict=True))
    seed_classes, targets = 1 - Y, Y
    moves = {"lam": 0.7, "steps": 3, "step_size": 0.2}
    moved = translation.translate(f, g, X, seed_classes, targets, **moves)
    expected = moved_by_oracle(X, seed_classes, targets, **moves)
    np.testing.assert_allclose(to_numpy(moved), expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("units", [1, 2])
def test_g_accepts_what_its_sigmoid_is_sure_of(units):
    kernel, bias = linear(1, 2).get_weights()
    p = 1 / (1 + np.exp(-(X @ kernel + bias)[:, 0]))
    sure = np.where(Y == 1, p, 1 - p) >= 0.7
    assert 0 < sure.sum() < len(Y)
    accepted = translation.accept(linear(units, 2), X, Y, gamma=0.7)
    np.testing.assert_array_equal(to_numpy(accepted), sure)


def trained(units, mode, shape=(8,)):
    """A step on labels of which one alone is of class 0: there is no other seed."""
    y = np.minimum(np.arange(8), 1).reshape(shape)
    f, g = (linear(n, seed) for n, seed in zip(units, (1, 2), strict=True))
    settings = {"gamma": 0.3, "noise": 0, "seed": 0, "steps": 3, "step_size": 0.3}
    model = M2mModel(f, g, COUNTS, **settings)
    model.compile(
        keras.optimizers.SGD(0.5), BINARY if units[0] == 1 else LOSS, **COMPILE[mode]
    )
    history = model.fit(X, y, batch_size=8, shuffle=False, verbose=0).history
    return model, history


@pytest.fixture(scope="module")
def two_logits():
    return trained((2, 2), "once")


@pytest.mark.parametrize(
    "mode, shape", [*((mode, (8,)) for mode in SHAPES), ("eager", (8, 1))]
)
def test_a_step_is_that_of_the_two_logits(mode, shape, two_logits):
    one, logs = trained((1, 1), mode, shape)
    two, expected = two_logits
    assert logs["acceptance_rate"][0] > 0
    assert logs["acceptance_rate"] == expected["acceptance_rate"]
    assert logs["loss"] == pytest.approx(expected["loss"], rel=1e-5)
    # z = z_2 - z_1: a step of z's own weights is half that of the difference.
    kernel, start = one.f.get_weights()[0], linear(1, 1).get_weights()[0]
    both = two.f.get_weights()[0]
    np.testing.assert_allclose(
        2 * (kernel - start)[:, 0], both[:, 1] - both[:, 0] - start[:, 0], rtol=1e-4
    )


def test_lam_holds_back_seeds_of_either_class():
    f, g = linear(1, 1), linear(1, 2)
    for target in (0, 1):
        near, held = (
            to_numpy(
                translation.translate(f, g, X, [1 - target] * 8, [target] * 8, lam=lam)
            )
            for lam in (0.0, 5.0)
        )
        sign = 2 * (1 - target) - 1
        z_near, z_held = (to_numpy(f(x))[:, 0] * sign for x in (near, held))
        assert (z_held < z_near).all()


def test_an_oracle_of_probabilities_agrees():
    logits = to_numpy(translation._logits(linear(1, 1), X))
    z = to_numpy(linear(1, 1)(X))[:, 0]
    for row, value in zip(logits, z, strict=True):
        assert oracles.softmax(np.float64(row))[1] == pytest.approx(
            1 / (1 + np.exp(-value)), rel=1e-5
        )
