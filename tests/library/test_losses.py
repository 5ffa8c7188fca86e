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
from keras_m2m.losses import FocalLoss
from keras_m2m.losses import LabelAwareSmoothing
from keras_m2m.losses import LDAMLoss
from keras_m2m.losses import LogitAdjustedLoss
from keras_m2m.losses import VSLoss

torch = pytest.importorskip("torch")

GAMMAS = [0.0, 0.5, 1.0, 2.0]
COUNTS = [20, 500, 100]
ALL = [
    FocalLoss(),
    LDAMLoss(COUNTS),
    LogitAdjustedLoss(COUNTS),
    VSLoss(COUNTS),
    LabelAwareSmoothing(COUNTS),
]


def config(loss):
    return f"{loss.get_config()}"


def torch_focal(gamma):
    def losses(logits, labels):
        cross_entropy = torch.nn.functional.cross_entropy(
            logits, labels, reduction="none"
        )
        return (1 - torch.exp(-cross_entropy)) ** gamma * cross_entropy

    return losses


def torch_ldam(logits, labels):
    margins = torch.tensor(oracles.ldam_margins(COUNTS, 0.5))
    own = torch.nn.functional.one_hot(labels, 3)
    return torch.nn.functional.cross_entropy(
        30.0 * (logits - own * margins), labels, reduction="none"
    )


# Focal loss.


def rows(values):
    """One row of these values or four; JAX compiles each operation for each length."""
    return st.one_of(*(st.lists(values, min_size=n, max_size=n) for n in (1, 4)))


@hypothesis.given(
    logits=rows(st.lists(st.floats(-50, 50, width=32), min_size=4, max_size=4)),
    gamma=st.sampled_from(GAMMAS),
    data=st.data(),
)
def test_focal_is_the_formula_in_float64(logits, gamma, data):
    size = len(logits)
    labels = data.draw(st.lists(st.integers(0, 3), min_size=size, max_size=size))
    np.testing.assert_allclose(
        each(FocalLoss(gamma))(np.array(labels), np.array(logits, "float32")),
        oracles.focal(labels, logits, gamma),
        rtol=2e-5,
        atol=1e-6,
    )


@pytest.mark.parametrize("gamma", GAMMAS)
def test_focal_is_pytorchs_textbook_formula_where_that_is_exact(gamma):
    labels, logits = batch()
    expected = torch_focal(gamma)(torch.tensor(logits), torch.tensor(labels))
    np.testing.assert_allclose(
        each(FocalLoss(gamma))(labels, logits), expected, rtol=1e-5
    )


@pytest.mark.parametrize("gamma", GAMMAS)
def test_focal_has_pytorchs_gradient(gamma):
    labels, logits = batch()
    loss = FocalLoss(gamma, reduction="sum")
    np.testing.assert_allclose(
        gradient(lambda x: loss(labels, x), logits),
        torch_gradient(torch_focal(gamma), labels, logits),
        rtol=1e-4,
        atol=1e-6,
    )


def test_focal_with_gamma_0_is_cross_entropy():
    labels, logits = batch(scale=10.0)
    loss, cross_entropy = each(FocalLoss(gamma=0)), oracles.cross_entropy
    np.testing.assert_allclose(
        loss(labels, logits), cross_entropy(labels, logits), rtol=1e-5, atol=1e-5
    )


@pytest.mark.parametrize("gamma", GAMMAS)
def test_focal_charges_a_saturated_error_in_full(gamma):
    loss = each(FocalLoss(gamma))(np.array([0]), np.array([[0.0, 40.0]], "float32"))
    # p = exp(-40): the factor is 1 and the cross entropy 40 to 1e-17.
    np.testing.assert_allclose(loss, [40.0], rtol=1e-6)


@pytest.mark.parametrize("gamma", GAMMAS)
def test_focal_pulls_at_a_saturated_error_in_full(gamma):
    loss = FocalLoss(gamma, reduction="sum")
    slope = gradient(lambda x: loss(np.array([0]), x), [[0.0, 40.0]])
    np.testing.assert_allclose(slope, [[-1.0, 1.0]], rtol=1e-6)


@pytest.mark.parametrize("gamma", [-0.1, float("nan"), "1"])
def test_focal_rejects_a_gamma_that_is_not_a_number_of_at_least_0(gamma):
    with pytest.raises(ValueError, match="Received: gamma="):
        FocalLoss(gamma)


# LDAM.


def test_ldam_margins_follow_the_fourth_root_in_any_order_of_classes():
    # 16 and 81 times the samples, half and a third of the margin.
    margins = LDAMLoss([81, 1, 16], max_margin=0.5).margins
    np.testing.assert_allclose(margins, [0.5 / 3, 0.5, 0.5 / 2], rtol=1e-6)


@hypothesis.given(
    cosines=rows(st.lists(st.floats(-1, 1, width=32), min_size=3, max_size=3)),
    class_counts=st.lists(st.integers(1, 5000), min_size=3, max_size=3),
    data=st.data(),
)
def test_ldam_is_the_formula_in_float64(cosines, class_counts, data):
    size = len(cosines)
    labels = data.draw(st.lists(st.integers(0, 2), min_size=size, max_size=size))
    np.testing.assert_allclose(
        each(LDAMLoss(class_counts))(np.array(labels), np.array(cosines, "float32")),
        oracles.ldam(labels, cosines, class_counts, max_margin=0.5, scale=30.0),
        rtol=1e-5,
        atol=1e-5,
    )


def test_ldam_has_pytorchs_value_and_gradient():
    labels, logits = batch(scale=0.3)
    loss = LDAMLoss(COUNTS, reduction="sum")
    expected = torch_ldam(torch.tensor(logits), torch.tensor(labels)).sum()
    np.testing.assert_allclose(to_numpy(loss(labels, logits)), expected, rtol=1e-5)
    np.testing.assert_allclose(
        gradient(lambda x: loss(labels, x), logits),
        torch_gradient(torch_ldam, labels, logits),
        rtol=1e-4,
        atol=1e-5,
    )


def test_ldam_without_margin_is_cross_entropy_of_scaled_cosines():
    labels, logits = batch(scale=0.3)
    np.testing.assert_allclose(
        each(LDAMLoss(COUNTS, max_margin=0.0, scale=10.0))(labels, logits),
        oracles.cross_entropy(labels, 10.0 * logits),
        rtol=1e-5,
    )


@pytest.mark.parametrize(
    "arguments",
    [
        {"class_counts": [10, 0]},
        {"class_counts": [10, 5], "max_margin": -0.1},
        {"class_counts": [10, 5], "scale": 0.0},
        {"class_counts": [10, 5], "scale": float("inf")},
    ],
)
def test_ldam_rejects_arguments_out_of_range(arguments):
    with pytest.raises(ValueError, match="Received: "):
        LDAMLoss(**arguments)


def test_ldam_rejects_logits_of_another_number_of_classes():
    with pytest.raises(ValueError, match="one column for each of 3 class counts"):
        LDAMLoss(COUNTS)(np.array([0]), np.zeros((1, 4), "float32"))


# All.


@pytest.mark.parametrize("loss", [*map(FocalLoss, GAMMAS), *ALL[1:]], ids=config)
@pytest.mark.parametrize("first, others", [(1e4, -1e4), (-1e4, 1e4), (1e4, 1e4)])
def test_value_and_gradient_are_finite_at_extreme_logits(loss, first, others):
    logits = np.full((3, 3), others, "float32")
    logits[:, 0] = first
    labels = np.arange(3)
    assert np.isfinite(each(loss)(labels, logits)).all()
    assert np.isfinite(gradient(lambda x: loss(labels, x), logits)).all()


@pytest.mark.parametrize("loss", ALL, ids=config)
def test_weighted_losses_are_averaged_over_the_batch_size(loss):
    labels, logits = batch(size=3)
    weights = np.array([0.0, 1.0, 5.0], "float32")
    np.testing.assert_allclose(
        to_numpy(loss(labels, logits, sample_weight=weights)),
        np.sum(weights * each(loss)(labels, logits)) / 3,
        rtol=1e-6,
    )


@pytest.mark.parametrize("loss", ALL, ids=config)
def test_labels_may_be_a_column(loss):
    labels, logits = batch()
    np.testing.assert_array_equal(
        each(loss)(labels[:, None], logits), each(loss)(labels, logits)
    )


@pytest.mark.parametrize("loss", ALL, ids=config)
def test_one_hot_labels_are_rejected(loss):
    labels, logits = batch()
    with pytest.raises(ValueError, match="not one-hot"):
        loss(np.eye(3)[labels], logits)


@pytest.mark.parametrize("loss", ALL, ids=config)
def test_logits_of_other_ranks_are_rejected(loss):
    with pytest.raises(ValueError, match="Received: y_pred of shape="):
        loss(np.array([0]), np.zeros((1, 2, 3), "float32"))


@pytest.mark.parametrize("loss", ALL, ids=config)
def test_float16_logits_are_computed_on_in_float32(loss):
    labels, logits = batch()
    half = logits.astype("float16")
    result = each(loss)(labels, half)
    assert result.dtype == np.float32
    np.testing.assert_array_equal(result, each(loss)(labels, half.astype("float32")))


@pytest.mark.usefixtures("float16_everywhere")
def test_labels_are_not_rounded_under_a_16_bit_floatx():
    # float16 has no 2049; a label rounded to 2048 would cost 40 instead of 0.
    logits = np.zeros((1, 2050), "float32")
    logits[0, 2049] = 40.0
    assert each(FocalLoss())(np.array([2049]), logits)[0] == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize("loss", [FocalLoss(2.0, reduction="sum"), *ALL], ids=config)
def test_losses_survive_serialisation(loss):
    restored = keras.losses.deserialize(keras.losses.serialize(loss))
    assert type(restored) is type(loss)
    assert restored.get_config() == loss.get_config()


@pytest.mark.parametrize("compiled", COMPILED)
@pytest.mark.parametrize(
    "loss, torch_loss",
    [(FocalLoss(1.0), torch_focal(1.0)), (LDAMLoss(COUNTS), torch_ldam)],
)
def test_a_training_step_descends_pytorchs_gradient(loss, torch_loss, compiled):
    labels, logits = batch(scale=0.3)
    expected = logits - torch_gradient(torch_loss, labels, logits) / len(labels)
    np.testing.assert_allclose(
        one_step(loss, labels, logits, compiled), expected, rtol=1e-4, atol=1e-5
    )
