"""ResNet-50 against its twin in PyTorch, folded and not."""

import math

import keras
import numpy as np
import pytest

from helpers.gradients import to_numpy
from helpers.pictures import MEAN
from helpers.pictures import STATISTICS
from helpers.pictures import VARIANCE
from helpers.pictures import outputs
from helpers.pictures import photos
from helpers.pictures import scrambled
from keras_m2m.folding import FoldedNetwork
from keras_m2m.models import resnet50

pytest.importorskip("torch")

import torch
import torch_networks

from helpers import torch_twin

WEIGHT_DECAY = 1e-4
SIZE = 40  # Not a multiple of 32, so that every padding shows.


@pytest.fixture(scope="module")
def network():
    """One for all tests here: JAX takes long to make it."""
    keras.utils.set_random_seed(0)
    shape = (SIZE, SIZE, 3)
    return scrambled(resnet50(7, shape, weight_decay=WEIGHT_DECAY, **STATISTICS))


@pytest.fixture(scope="module")
def expected(network):
    """What PyTorch's twin of the same weights returns."""
    twin = torch_networks.resnet50(7, MEAN, VARIANCE).eval()
    torch_twin.copy_weights(network, twin)
    with torch.no_grad():
        return twin(torch_twin.images(photos(size=SIZE))).numpy()


def assert_close(actual, expected):
    atol = 1e-5 * np.abs(expected).max()
    np.testing.assert_allclose(actual, expected, rtol=1e-4, atol=atol)


def test_it_infers_as_pytorchs_does(network, expected):
    assert_close(outputs(network, photos(size=SIZE)), expected)


def test_it_has_25557032_parameters_for_1000_classes(network):
    """As torchvision's: with a head of 1000 classes instead of 7."""
    parameters = sum(math.prod(w.shape) for w in network.trainable_weights)
    assert parameters + (1000 - 7) * (2048 + 1) == 25_557_032


@pytest.mark.no_backend
def test_every_parameter_has_its_weight_decay(network):
    squares = sum(np.sum(np.square(to_numpy(w))) for w in network.trainable_weights)
    added = sum(float(to_numpy(loss)) for loss in network.losses)
    assert added == pytest.approx(WEIGHT_DECAY / 2 * squares, rel=1e-4)


@pytest.mark.no_backend
def test_its_translation_folds_every_normalisation(network, expected):
    folded = FoldedNetwork(network)
    assert folded.nests
    assert_close(to_numpy(folded.freeze()(photos(size=SIZE))), expected)
