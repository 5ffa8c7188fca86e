"""Two classifiers as one g, by their mean probabilities."""

import keras
import numpy as np
import pytest

from helpers import oracles
from helpers.compilation import MODES
from helpers.compilation import normal
from helpers.compilation import run
from helpers.gradients import gradient
from helpers.gradients import to_numpy
from helpers.m2m_cases import convolutional
from helpers.m2m_cases import image_shape
from helpers.m2m_cases import linear
from keras_m2m.folding import FoldedNetwork
from tasks.experiment import ablations

ops = keras.ops


def log_probabilities(networks, x):
    """Of each network, in float64: `(networks, rows, classes)`."""
    logits = np.array([x @ k + b for k, b in (n.get_weights() for n in networks)])
    return logits - np.logaddexp.reduce(logits, axis=-1, keepdims=True)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("scale", [1, 1000])
def test_an_ensemble_returns_the_logarithm_of_the_mean_softmax(scale, mode):
    networks, x = [linear(1), linear(2)], scale * normal(5, 4)
    logs = log_probabilities(networks, np.float64(x))
    expected = np.logaddexp.reduce(logs, axis=0) - np.log(2)
    found = run(mode, ablations.ensemble(networks), x)
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5)
    rows = [[oracles.softmax(logits) for logits in network] for network in logs]
    np.testing.assert_allclose(np.exp(found), np.mean(rows, axis=0), atol=1e-5)


@pytest.mark.parametrize("scale", [1, 1000])
def test_the_gradient_of_an_ensemble_is_that_of_the_mean_softmax(scale):
    networks, x, k = [linear(1), linear(2)], scale * normal(5, 4), 0
    logs = log_probabilities(networks, np.float64(x))
    shares = np.exp(logs[..., k] - np.logaddexp.reduce(logs[..., k], axis=0))
    expected = sum(
        share[:, None] * (kernel[:, k] - np.exp(log) @ kernel.T)
        for share, log, (kernel, _) in zip(
            shares, logs, (network.get_weights() for network in networks)
        )
    )
    model = ablations.ensemble(networks)
    found = gradient(lambda x: ops.sum(model(x)[:, k]), x)
    np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-4)


def test_the_networks_of_an_ensemble_are_folded():
    networks, x = [convolutional(1), convolutional(2)], normal(5, *image_shape())
    twins = [keras.Model(n.inputs[0], n.outputs[0], name="same") for n in networks]
    model = ablations.ensemble(twins)
    folded = FoldedNetwork(model)
    assert folded.nests
    found = to_numpy(folded.freeze()(ops.convert_to_tensor(x)))
    np.testing.assert_allclose(found, to_numpy(model(x)), rtol=1e-4, atol=1e-5)
