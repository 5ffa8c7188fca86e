"""The network for series, by hand and against its twin in PyTorch."""

import math

import keras
import numpy as np
import pytest

from helpers.gradients import to_numpy
from helpers.pictures import STATISTICS
from helpers.pictures import outputs
from helpers.pictures import scrambled
from keras_m2m.layers import CosineDense
from keras_m2m.models import resnet1d

pytest.importorskip("torch")

import torch
import torch_networks

from helpers import torch_twin

WEIGHT_DECAY = 2e-4


def series(n=4, length=19, channels=3):
    x = np.random.default_rng(0).normal(size=(n, length, channels))
    return x.astype("float32")


def parameters(model):
    return sum(math.prod(weight.shape) for weight in model.trainable_weights)


def block(channels, width):
    """Parameters of three convolutions, a projection and four BatchNorms."""
    convolutions = (8 * channels + 5 * width + 3 * width) * width
    projection = channels * width if channels != width else 0
    return convolutions + projection + 4 * 2 * width


@pytest.mark.parametrize("channels, classes", [(1, 5), (12, 3), (64, 2)])
def test_three_blocks_and_a_head_have_their_parameters(channels, classes):
    blocks = block(channels, 64) + block(64, 128) + block(128, 128)
    model = resnet1d(classes, (187, channels))
    assert parameters(model) == blocks + 128 * classes + classes


def test_the_network_of_the_paper_for_heartbeats_has_503493_parameters():
    assert parameters(resnet1d(5, input_shape=(187, 1))) == 503_493


@pytest.fixture(scope="module")
def narrow():
    keras.utils.set_random_seed(0)
    return scrambled(resnet1d(5, (19, 3), width=4, **STATISTICS))


@pytest.fixture
def twin(narrow):
    twin = torch_networks.resnet1d(5, *STATISTICS.values(), width=4)
    torch_twin.copy_weights(narrow, twin)
    return twin


@pytest.mark.parametrize("training", [False, True])
def test_it_computes_what_pytorchs_does(narrow, twin, training):
    with torch.no_grad():
        expected = twin.train(training)(torch_twin.images(series())).numpy()
    np.testing.assert_allclose(
        outputs(narrow, series(), training), expected, rtol=1e-4, atol=1e-4
    )


def test_running_statistics_move_as_pytorchs_do(narrow, twin):
    """Up to n / (n - 1) in the batch's part of the variance, for n values."""
    pairs = list(torch_twin.batch_norms(narrow, twin))
    before = [to_numpy(ours.moving_variance) for ours, _ in pairs]
    outputs(narrow, series(), training=True)
    twin.train()(torch_twin.images(series()))
    n = 4 * 19
    for (ours, theirs), old in zip(pairs, before, strict=True):
        np.testing.assert_allclose(
            to_numpy(ours.moving_mean), theirs.running_mean.numpy(), atol=1e-5
        )
        unbiased = theirs.running_var.numpy() - 0.9 * old
        np.testing.assert_allclose(
            to_numpy(ours.moving_variance),
            0.9 * old + unbiased * (n - 1) / n,
            rtol=1e-4,
        )


def test_every_parameter_has_its_weight_decay():
    model = scrambled(resnet1d(3, (9, 2), width=4, weight_decay=WEIGHT_DECAY))
    squares = sum(np.sum(np.square(to_numpy(w))) for w in model.trainable_weights)
    added = sum(float(to_numpy(loss)) for loss in model.losses)
    # The gradient of this is WEIGHT_DECAY * w.
    assert added == pytest.approx(WEIGHT_DECAY / 2 * squares, rel=1e-4)
    assert not resnet1d(3, (9, 2), width=4).losses


def test_kernels_are_of_he_fan_out_normal_numbers_each_drawn_anew():
    model = resnet1d(3, (9, 2))
    wide = [
        to_numpy(layer.kernel)
        for layer in model.layers
        if isinstance(layer, keras.layers.Conv1D) and layer.kernel.shape[1] == 128
    ]
    assert [kernel.shape[0] for kernel in wide] == [5, 3, 8, 5, 3]
    for kernel in wide:
        sigma = math.sqrt(2 / (len(kernel) * 128))
        assert kernel.std() == pytest.approx(sigma, rel=0.02)
    assert abs(np.corrcoef(wide[0].ravel(), wide[3].ravel())[0, 1]) < 0.02


def test_heads_are_those_of_the_other_networks():
    assert isinstance(resnet1d(3, (9, 2), 4, head="cosine").layers[-1], CosineDense)
    assert resnet1d(2, (9, 2), 4, head="logit").output_shape == (None, 1)


def test_channels_come_last_whatever_is_set(narrow, monkeypatch):
    monkeypatch.setattr(keras.config, "image_data_format", lambda: "channels_first")
    other = resnet1d(5, (19, 3), width=4, **STATISTICS)
    other.set_weights(narrow.get_weights())
    np.testing.assert_array_equal(outputs(other, series()), outputs(narrow, series()))


def test_series_may_be_of_any_length():
    model = resnet1d(3, (None, 2), width=4)
    for length in (1, 7):
        assert outputs(model, series(2, length, 2)).shape == (2, 3)


@pytest.mark.parametrize(
    "shape", [(), (187,), (187, None), (0, 1), (187, 12, 1), 187, "187"]
)
def test_a_shape_that_is_not_that_of_a_series_is_rejected(shape):
    with pytest.raises(ValueError, match="Received: input_shape="):
        resnet1d(3, shape)


@pytest.mark.parametrize(
    "arguments",
    [{"width": 0}, {"head": "softmax"}, {"mean": [0.0]}, {"weight_decay": -1}],
)
def test_arguments_out_of_range_are_rejected(arguments):
    with pytest.raises(ValueError, match="Received: "):
        resnet1d(3, (9, 2), **arguments)
