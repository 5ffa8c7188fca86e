"""The image networks against their twins in PyTorch."""

import math

import keras
import numpy as np
import pytest

from helpers.gradients import to_numpy
from helpers.m2m_cases import LOSS
from helpers.m2m_cases import UNCOMPILED
from helpers.pictures import MEAN
from helpers.pictures import STATISTICS
from helpers.pictures import VARIANCE
from helpers.pictures import outputs
from helpers.pictures import photos
from helpers.pictures import scrambled
from keras_m2m.models import cifar_resnet
from keras_m2m.models import preact_resnet18
from keras_m2m.models import resnet32

pytest.importorskip("torch")

import torch
import torch_networks

from helpers import torch_twin

# Fifty times the paper's, so that two steps show it.
WEIGHT_DECAY = 0.01


def twin_outputs(twin, x, training=False):
    with torch.no_grad():
        return twin.train(training)(torch_twin.images(x)).numpy()


def parameters(model):
    return sum(math.prod(weight.shape) for weight in model.trainable_weights)


# ResNet-32 and its twin in PyTorch.


@pytest.fixture(scope="module")
def model():
    keras.utils.set_random_seed(0)
    model = resnet32(10, weight_decay=WEIGHT_DECAY, **STATISTICS)
    return scrambled(model)


@pytest.fixture
def twin(model):
    """The twin, with the weights that the model has now."""
    twin = torch_networks.cifar_resnet(32, 10, MEAN, VARIANCE)
    torch_twin.copy_weights(model, twin)
    return twin


def test_resnet32_has_464154_parameters_for_10_classes(model):
    assert parameters(model) == 464_154


def test_resnet32_has_470004_parameters_for_100_classes():
    assert parameters(resnet32(100)) == 470_004


def test_resnet32_infers_as_pytorchs_does(model, twin):
    np.testing.assert_allclose(
        model.predict_on_batch(photos()),
        twin_outputs(twin, photos()),
        rtol=1e-4,
        atol=1e-4,
    )


# A shallow one, for what does not depend on depth.


@pytest.fixture(scope="module")
def shallow():
    keras.utils.set_random_seed(0)
    return scrambled(cifar_resnet(8, 10, **STATISTICS))


@pytest.fixture
def shallow_twin(shallow):
    twin = torch_networks.cifar_resnet(8, 10, MEAN, VARIANCE)
    torch_twin.copy_weights(shallow, twin)
    return twin


def test_training_mode_normalises_by_the_batch_as_pytorchs_does(shallow, shallow_twin):
    np.testing.assert_allclose(
        outputs(shallow, photos(), training=True),
        twin_outputs(shallow_twin, photos(), training=True),
        rtol=1e-4,
        atol=1e-4,
    )


def test_running_statistics_move_as_pytorchs_do(shallow, shallow_twin):
    """Up to n / (n - 1) in the batch's part of the variance."""
    before = [
        to_numpy(ours.moving_variance)
        for ours, _ in torch_twin.batch_norms(shallow, shallow_twin)
    ]
    outputs(shallow, photos(), training=True)
    twin_outputs(shallow_twin, photos(), training=True)
    pairs = torch_twin.batch_norms(shallow, shallow_twin)
    for (ours, theirs), old in zip(pairs, before, strict=True):
        np.testing.assert_allclose(
            to_numpy(ours.moving_mean), theirs.running_mean.numpy(), atol=1e-5
        )
        # 4 images; a stage halves the side of 32 where it doubles 16 channels.
        n = 4 * (32 * 16 // len(old)) ** 2
        unbiased = theirs.running_var.numpy() - 0.9 * old
        np.testing.assert_allclose(
            to_numpy(ours.moving_variance),
            0.9 * old + unbiased * (n - 1) / n,
            rtol=1e-5,
        )


def test_sgd_steps_are_those_of_pytorch():
    """Two steps, so that the momentum of the first shows in the second.

    In a deep network, roundings would switch some ReLU, and gradients with it.
    """
    keras.utils.set_random_seed(0)
    model = scrambled(cifar_resnet(8, 10, weight_decay=WEIGHT_DECAY, **STATISTICS))
    optimizer = keras.optimizers.SGD(0.1, momentum=0.9)
    model.compile(optimizer, LOSS, **UNCOMPILED)
    twin = torch_networks.cifar_resnet(8, 10, MEAN, VARIANCE)
    torch_twin.copy_weights(model, twin)
    x, y = photos(8), np.arange(8)
    sgd = torch.optim.SGD(
        twin.train().parameters(), 0.1, momentum=0.9, weight_decay=WEIGHT_DECAY
    )
    for _ in range(2):
        model.train_on_batch(x, y)
        sgd.zero_grad()
        logits = twin(torch_twin.images(x))
        torch.nn.functional.cross_entropy(logits, torch.tensor(y)).backward()
        sgd.step()
    for ours, theirs in torch_twin.pairs(model, twin):
        if isinstance(theirs, torch.nn.Parameter):
            np.testing.assert_allclose(ours, theirs.detach().numpy(), atol=5e-5)


# Pre-activation ResNet-18.


@pytest.fixture(scope="module")
def preact():
    keras.utils.set_random_seed(0)
    return scrambled(preact_resnet18(7, input_shape=(8, 8, 3)))


def test_preact_resnet18_infers_as_pytorchs_does(preact):
    twin = torch_networks.preact_resnet18(7)
    torch_twin.copy_weights(preact, twin)
    expected = twin_outputs(twin, photos(size=8))
    np.testing.assert_allclose(
        preact.predict_on_batch(photos(size=8)),
        expected,
        rtol=1e-4,
        atol=1e-5 * np.abs(expected).max(),
    )


def test_preact_resnet18_has_as_many_parameters_as_pytorchs(preact):
    twin = torch_networks.preact_resnet18(7)
    assert parameters(preact) == sum(p.numel() for p in twin.parameters())


def test_convolutions_are_of_he_fan_out_normal_numbers(preact):
    convolutions = [x for x in preact.layers if isinstance(x, keras.layers.Conv2D)]
    large = [layer for layer in convolutions if math.prod(layer.kernel.shape) > 1e6]
    assert large
    for layer in large:
        kernel = to_numpy(layer.kernel)
        height, width, _, filters = kernel.shape
        sigma = math.sqrt(2 / (height * width * filters))
        # A deviation of a million numbers varies by 0.0007 of itself.
        assert kernel.std() == pytest.approx(sigma, rel=0.005)
        # 0.0027 of a normal distribution; none of one truncated at 2 sigma.
        beyond = np.mean(np.abs(kernel) > 3 * sigma)
        assert beyond == pytest.approx(0.0027, rel=0.1)
