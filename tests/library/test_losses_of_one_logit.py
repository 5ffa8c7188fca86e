"""Losses of a network that has one logit for two classes."""

import hypothesis
import keras
import numpy as np
import pytest
from hypothesis import strategies as st

from helpers import oracles
from helpers.gradients import gradient
from helpers.gradients import to_numpy
from keras_m2m.losses import FocalLoss
from keras_m2m.losses import LDAMLoss

torch = pytest.importorskip("torch")

GAMMAS = [0.0, 0.5, 1.0, 2.0]
LABELS = np.array([0, 1, 1, 0, 1])
LOGITS = np.array([[-2.0], [0.5], [-1.5], [3.0], [0.0]], "float32")


def each(gamma, labels, logits):
    loss = FocalLoss(gamma, reduction=None)
    return to_numpy(loss(np.array(labels), np.array(logits, "float32")))


@hypothesis.given(
    samples=st.lists(
        st.tuples(st.integers(0, 1), st.floats(-60, 60, width=32)),
        min_size=4,
        max_size=4,
    ),
    gamma=st.sampled_from(GAMMAS),
)
def test_focal_of_one_logit_is_the_formula_in_float64(samples, gamma):
    labels, logits = zip(*samples)
    np.testing.assert_allclose(
        each(gamma, labels, np.array(logits)[:, None]),
        oracles.binary_focal(labels, logits, gamma),
        rtol=2e-5,
        atol=1e-6,
    )


@pytest.mark.parametrize("gamma", GAMMAS)
def test_focal_of_one_logit_is_that_of_the_two_it_stands_for(gamma):
    two = np.concatenate([-LOGITS / 2, LOGITS / 2], axis=1)
    np.testing.assert_allclose(
        each(gamma, LABELS, LOGITS), oracles.focal(LABELS, two, gamma), rtol=1e-5
    )


def test_focal_of_one_logit_with_gamma_0_is_binary_cross_entropy():
    expected = keras.losses.BinaryCrossentropy(from_logits=True, reduction=None)
    np.testing.assert_allclose(
        each(0, LABELS, LOGITS), to_numpy(expected(LABELS[:, None], LOGITS)), rtol=1e-5
    )


@pytest.mark.parametrize("gamma", GAMMAS)
def test_focal_of_one_logit_has_pytorchs_gradient(gamma):
    x = torch.tensor(LOGITS, dtype=torch.float64, requires_grad=True)
    target = torch.tensor(LABELS[:, None], dtype=torch.float64)
    entropy = torch.nn.functional.binary_cross_entropy_with_logits(
        x, target, reduction="none"
    )
    ((1 - torch.exp(-entropy)) ** gamma * entropy).sum().backward()
    loss = FocalLoss(gamma, reduction="sum")
    np.testing.assert_allclose(
        gradient(lambda z: loss(LABELS, z), LOGITS), x.grad.numpy(), rtol=1e-4
    )


@pytest.mark.parametrize("gamma", GAMMAS)
@pytest.mark.parametrize("label, sign", [(0, 1.0), (1, -1.0)])
def test_a_saturated_logit_costs_and_pulls_in_full(gamma, label, sign):
    # A probability of exp(-10000): the factor is 1, and the cross entropy 10,000.
    wrong = np.array([[sign * 1e4]], "float32")
    assert each(gamma, [label], wrong) == pytest.approx([1e4])
    loss = FocalLoss(gamma, reduction="sum")
    slope = gradient(lambda z: loss(np.array([label]), z), wrong)
    np.testing.assert_allclose(slope, [[sign]], rtol=1e-6)


@pytest.mark.parametrize("label, sign", [(0, -1.0), (1, 1.0)])
def test_a_saturated_logit_that_is_right_costs_nothing(label, sign):
    right = np.array([[sign * 1e4]], "float32")
    loss = FocalLoss(reduction="sum")
    assert each(1.0, [label], right) == pytest.approx([0.0], abs=1e-6)
    slope = gradient(lambda z: loss(np.array([label]), z), right)
    np.testing.assert_allclose(slope, [[0.0]], atol=1e-6)


def test_a_network_of_one_unit_learns_by_the_focal_loss():
    keras.utils.set_random_seed(0)
    x = np.linspace(-1, 1, 32, dtype="float32")[:, None]
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    model.compile(keras.optimizers.SGD(5.0), FocalLoss(), metrics=["accuracy"])
    y = (x[:, 0] > 0).astype(int)
    model.fit(x, y, epochs=10, batch_size=32, verbose=0)
    assert ((model.predict(x, verbose=0)[:, 0] > 0) == y).mean() > 0.9


def test_margins_need_a_column_for_each_class():
    with pytest.raises(ValueError, match=r"use CosineDense\(2\)"):
        LDAMLoss([20, 5])(LABELS, LOGITS)
