"""Logit adjustment, VS-loss and label-aware smoothing: the papers' formulas."""

import functools

import hypothesis
import keras
import numpy as np
import pytest
from hypothesis import strategies as st

from helpers import oracles
from helpers.gradients import gradient
from helpers.gradients import to_numpy
from helpers.losses import COMPILED
from helpers.losses import batch
from helpers.losses import each
from helpers.losses import one_step
from helpers.losses import torch_gradient
from helpers.m2m_cases import linear
from keras_m2m import M2mModel
from keras_m2m.losses import FocalLoss
from keras_m2m.losses import LabelAwareSmoothing
from keras_m2m.losses import LDAMLoss
from keras_m2m.losses import LogitAdjustedLoss
from keras_m2m.losses import VSLoss

torch = pytest.importorskip("torch")

COUNTS = [20, 500, 100]
TEXTBOOK = [
    (LogitAdjustedLoss(COUNTS, tau=1.5), oracles.logit_adjusted, {"tau": 1.5}),
    (VSLoss(COUNTS, 0.3, 1.0), oracles.vector_scaling, {"gamma": 0.3, "tau": 1.0}),
    (
        LabelAwareSmoothing(COUNTS, 0.4, 0.1),
        oracles.label_aware_smoothing,
        {"head": 0.4, "tail": 0.1},
    ),
]
BY_NAME = pytest.mark.parametrize(
    "loss, oracle, values", TEXTBOOK, ids=["adjusted", "VS", "smoothing"]
)


def cross_entropies(logits, labels, weights=None):
    return torch.nn.functional.cross_entropy(
        logits, labels, weight=weights, reduction="none"
    )


def torch_adjusted(tau, logits, labels):
    prior = torch.tensor(COUNTS, dtype=torch.float64) / sum(COUNTS)
    return cross_entropies(logits + torch.log(prior**tau), labels)


def torch_vs(gamma, tau, logits, labels):
    share = torch.tensor(COUNTS, dtype=torch.float64) / max(COUNTS)
    return torch_adjusted(tau, logits * share**gamma, labels)


def torch_smoothed(head, tail, logits, labels):
    """A mixture of cross entropy and of PyTorch's own smoothing over all classes."""
    e = torch.tensor(oracles.smoothing(COUNTS, head, tail))[labels] * 3 / 2
    even = torch.nn.functional.cross_entropy(
        logits, labels, reduction="none", label_smoothing=1.0
    )
    return (1 - e) * cross_entropies(logits, labels) + e * even


TORCH = [
    (TEXTBOOK[0][0], functools.partial(torch_adjusted, 1.5)),
    (TEXTBOOK[1][0], functools.partial(torch_vs, 0.3, 1.0)),
    (TEXTBOOK[2][0], functools.partial(torch_smoothed, 0.4, 0.1)),
]
IN_TORCH = pytest.mark.parametrize(
    "loss, torch_loss", TORCH, ids=["adjusted", "VS", "smoothing"]
)


@BY_NAME
@hypothesis.given(
    logits=st.lists(
        st.lists(st.floats(-50, 50, width=32), min_size=3, max_size=3),
        min_size=4,
        max_size=4,
    ),
    labels=st.lists(st.integers(0, 2), min_size=4, max_size=4),
)
@hypothesis.settings(max_examples=25)
def test_losses_are_the_formulas_in_float64(loss, oracle, values, logits, labels):
    np.testing.assert_allclose(
        each(loss)(np.array(labels), np.array(logits, "float32")),
        oracle(labels, logits, COUNTS, **values),
        rtol=2e-5,
        atol=1e-5,
    )


@BY_NAME
@pytest.mark.parametrize("first, others", [(1e4, -1e4), (-1e4, 1e4), (1e4, 1e4)])
def test_losses_are_right_at_extreme_logits(loss, oracle, values, first, others):
    logits = np.full((3, 3), others)
    logits[:, 0] = first
    np.testing.assert_allclose(
        each(loss)(np.arange(3), logits.astype("float32")),
        oracle(np.arange(3), logits, COUNTS, **values),
        rtol=1e-6,
        atol=1e-3,  # A last digit of 1e4 in float32.
    )


@IN_TORCH
def test_losses_have_pytorchs_gradient(loss, torch_loss):
    labels, logits = batch()
    np.testing.assert_allclose(
        gradient(lambda x: loss(labels, x), logits) * len(labels),
        torch_gradient(torch_loss, labels, logits),
        rtol=1e-4,
        atol=1e-6,
    )


@IN_TORCH
@pytest.mark.parametrize("compiled", COMPILED)
def test_a_training_step_descends_pytorchs_gradient(loss, torch_loss, compiled):
    labels, logits = batch(scale=0.3)
    expected = logits - torch_gradient(torch_loss, labels, logits) / len(labels)
    np.testing.assert_allclose(
        one_step(loss, labels, logits, compiled), expected, rtol=1e-4, atol=1e-5
    )


# What they are in special cases.


@pytest.mark.parametrize(
    "loss",
    [
        LogitAdjustedLoss([7, 7, 7], tau=1.3),
        LogitAdjustedLoss(COUNTS, tau=0),
        VSLoss([7, 7, 7]),
        VSLoss(COUNTS, gamma=0, tau=0),
        LabelAwareSmoothing(COUNTS, head=0, tail=0),
        LabelAwareSmoothing([7, 7, 7], head=0),
    ],
    ids=lambda loss: f"{loss.get_config()}",
)
def test_what_corrects_nothing_is_cross_entropy(loss):
    labels, logits = batch(scale=3.0)
    np.testing.assert_allclose(
        each(loss)(labels, logits), oracles.cross_entropy(labels, logits), rtol=1e-5
    )


def test_logit_adjustment_of_tau_1_is_the_balanced_softmax():
    # Ren et al., eq. (4): n_y e^z_y over the sum of n_k e^z_k.
    labels, logits = batch()
    powers = np.array(COUNTS) * np.exp(np.float64(logits))
    expected = -np.log(powers[np.arange(12), labels] / powers.sum(axis=1))
    loss = each(LogitAdjustedLoss(COUNTS))
    np.testing.assert_allclose(loss(labels, logits), expected, rtol=1e-5)


def test_vs_loss_of_gamma_0_is_logit_adjustment():
    vs, adjusted = VSLoss(COUNTS, gamma=0, tau=0.8), LogitAdjustedLoss(COUNTS, 0.8)
    np.testing.assert_array_equal(each(vs)(*batch()), each(adjusted)(*batch()))


def test_vs_loss_of_tau_0_divides_logits_by_temperatures():
    # Ye et al.: a_k = (N_max / N_k) ** gamma, here 5, 1 and sqrt(5).
    labels, logits = batch()
    expected = oracles.cross_entropy(labels, logits / [5, 1, np.sqrt(5)])
    np.testing.assert_allclose(
        each(VSLoss(COUNTS, gamma=0.5, tau=0))(labels, logits), expected, rtol=1e-5
    )


def test_smoothing_of_classes_of_one_size_is_ordinary_label_smoothing():
    labels, logits = batch()
    own = each(LabelAwareSmoothing([7, 7, 7], head=0.2))(labels, logits)
    # PyTorch and Keras spread their share over all classes, the label's too.
    smoothed = torch.nn.functional.cross_entropy(
        torch.tensor(logits),
        torch.tensor(labels),
        reduction="none",
        label_smoothing=0.3,
    )
    np.testing.assert_allclose(own, smoothed, rtol=1e-5)


def test_smoothing_rises_like_a_quarter_of_a_sine():
    # A third of the way, and half of the height.
    smoothing = LabelAwareSmoothing([400, 10, 140], head=0.4, tail=0.1).smoothing
    np.testing.assert_allclose(smoothing, [0.4, 0.1, 0.25])


# One logit for two classes.


@pytest.mark.parametrize("tau", [1.0, 0.6])
def test_one_adjusted_logit_is_binary_cross_entropy_of_the_shifted_logit(tau):
    labels, logits = np.array([0, 1, 1]), np.array([[-2.0], [0.5], [9.0]], "float32")
    shifted = torch.tensor(logits[:, 0]) + tau * np.log(5 / 20)
    expected = torch.nn.functional.binary_cross_entropy_with_logits(
        shifted, torch.tensor([0.0, 1.0, 1.0]), reduction="none"
    )
    np.testing.assert_allclose(
        each(LogitAdjustedLoss([20, 5], tau))(labels, logits),
        expected,
        rtol=1e-5,
        atol=1e-6,
    )


def test_one_smoothed_logit_has_the_smoothed_target():
    labels, logits = np.array([0, 1]), np.array([[-2.0], [0.5]], "float32")
    expected = torch.nn.functional.binary_cross_entropy_with_logits(
        torch.tensor(logits[:, 0]), torch.tensor([0.4, 0.9]), reduction="none"
    )
    loss = LabelAwareSmoothing([20, 5], head=0.4, tail=0.1)
    np.testing.assert_allclose(each(loss)(labels, logits), expected, rtol=1e-5)


def test_vs_loss_has_a_scale_for_each_class():
    with pytest.raises(ValueError, match=r"a head of two logits\. Received: y_pred"):
        VSLoss([20, 5])(np.array([0]), np.zeros((1, 1), "float32"))


@pytest.mark.parametrize("columns", [1, 2, 4])
@pytest.mark.parametrize("kind", [LogitAdjustedLoss, VSLoss, LabelAwareSmoothing])
def test_logits_of_another_number_of_classes_are_refused(kind, columns):
    with pytest.raises(ValueError, match=rf"3 class counts.*shape=\(1, {columns}\)"):
        kind(COUNTS)(np.array([0]), np.zeros((1, columns), "float32"))


# Arguments.


@pytest.mark.parametrize(
    "kind, arguments",
    [
        (LogitAdjustedLoss, {"class_counts": [10, 0]}),
        (LogitAdjustedLoss, {"class_counts": COUNTS, "tau": -1}),
        (VSLoss, {"class_counts": [10, 0]}),
        (VSLoss, {"class_counts": COUNTS, "gamma": float("nan")}),
        (VSLoss, {"class_counts": COUNTS, "tau": "1"}),
        (LabelAwareSmoothing, {"class_counts": [10]}),
        (LabelAwareSmoothing, {"class_counts": COUNTS, "head": 1.1}),
        (LabelAwareSmoothing, {"class_counts": COUNTS, "head": 0.1, "tail": 0.2}),
    ],
)
def test_arguments_out_of_range_are_refused(kind, arguments):
    with pytest.raises(ValueError, match="Received: "):
        kind(**arguments)


def test_a_loss_saved_before_it_had_a_file_of_its_own_is_loaded():
    saved = {
        "module": "keras_m2m.losses",
        "class_name": "LDAMLoss",
        "config": {"name": "ldam_loss", "reduction": "sum", "class_counts": [20, 5]},
        "registered_name": "keras_m2m>LDAMLoss",
    }
    assert keras.losses.deserialize(saved).class_counts == [20, 5]


# The prior of a loss is that of the batches.


@pytest.mark.parametrize(
    "loss",
    [
        LogitAdjustedLoss(COUNTS),
        LogitAdjustedLoss(COUNTS, tau=0.1),
        VSLoss(COUNTS),
        [VSLoss(COUNTS)],
    ],
)
def test_m2m_refuses_a_loss_that_corrects_for_frequencies(loss):
    model = M2mModel(linear(1), linear(2), COUNTS)
    with pytest.raises(
        ValueError, match="frequencies twice: use it on batches as they"
    ):
        model.compile("sgd", loss)


@pytest.mark.parametrize(
    "loss",
    [
        LogitAdjustedLoss([7, 7, 7]),
        LogitAdjustedLoss(COUNTS, tau=0),
        VSLoss(COUNTS, gamma=0.3, tau=0),
        LabelAwareSmoothing(COUNTS),
        LDAMLoss(COUNTS),
        FocalLoss(),
    ],
    ids=lambda loss: f"{loss.get_config()}",
)
def test_m2m_takes_a_loss_that_corrects_for_no_frequencies(loss):
    model = M2mModel(linear(1), linear(2), COUNTS)
    model.compile("sgd", loss)
    assert model.loss is loss


def test_weights_of_samples_multiply_the_corrected_losses():
    labels, logits = batch(size=3)
    loss, weights = LogitAdjustedLoss(COUNTS), np.array([0.0, 1.0, 5.0], "float32")
    expected = np.sum(weights * oracles.logit_adjusted(labels, logits, COUNTS, 1.0)) / 3
    result = to_numpy(loss(labels, logits, sample_weight=weights))
    np.testing.assert_allclose(result, expected, rtol=1e-5)
