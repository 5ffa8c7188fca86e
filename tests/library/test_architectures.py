"""M2m works with networks of many architectures."""

import keras
import numpy as np
import pytest

from helpers import architectures
from helpers.compilation import ONCE
from helpers.compilation import normal
from helpers.compilation import run
from helpers.gradients import to_numpy
from helpers.m2m_cases import LOSS
from helpers.m2m_cases import sgd
from keras_m2m import M2mModel
from keras_m2m import translation
from keras_m2m.folding import FoldedNetwork

# The large ones take minutes to compile: benchmarks/architectures.py has them all.
NAMES = [
    *architectures.SMALL,
    pytest.param("MobileNetV2", marks=pytest.mark.no_backend),
]


def shaken(network):
    """With moving statistics, scales and offsets off their first values."""
    rng = np.random.default_rng(0)
    for variable in network.variables:
        if len(variable.shape) == 1 and "float" in str(variable.dtype):
            noise = rng.uniform(0.1, 0.4, size=variable.shape)
            variable.assign(to_numpy(variable) + noise)
    return network


@pytest.mark.parametrize("name", NAMES)
def test_folded_it_computes_what_it_does_plainly(name):
    network = shaken(architectures.network(name, seed=1))
    x = normal(4, *architectures.shape(network))
    expected = run(ONCE, lambda x: network(x, training=False), x)
    found = run(ONCE, FoldedNetwork(network).freeze(), x)
    scale = np.abs(expected).max()
    np.testing.assert_allclose(found / scale, expected / scale, atol=1e-4)


class Trained:
    """What three steps of M2m did."""

    def __init__(self, name, monkeypatch):
        self.traces, translate = [], translation.translate

        def counted(*args, **kwargs):
            self.traces.append(name)
            return translate(*args, **kwargs)

        monkeypatch.setattr(translation, "translate", counted)
        f, g = (architectures.network(name, seed) for seed in (1, 2))
        self.before = [to_numpy(v) for net in (f, g) for v in net.variables]
        settings = {"gamma": 0.0, "steps": 1, "step_size": 0.1, "seed": 3}
        model = M2mModel(f, g, [10, 1000, 100], **settings)
        model.compile(sgd(), LOSS)
        x, y = normal(4, *architectures.shape(f)), np.array([0, 1, 2, 1])
        self.logs, self.counted = [], []
        for _ in range(3):
            self.logs.append(model.train_on_batch(x, y, return_dict=True))
            self.counted.append(len(self.traces))
        self.f, self.g = ([to_numpy(v) for v in net.variables] for net in (f, g))


# Under TensorFlow and JAX one recurrent layer is a loop as another is.
ONE_BACKEND = dict.fromkeys(["GRU, Conv1D", "LSTM, Masking"], pytest.mark.no_backend)
SMALL = [pytest.param(n, marks=ONE_BACKEND.get(n, ())) for n in architectures.SMALL]


@pytest.fixture(scope="module", params=SMALL)
def trained(request):
    with pytest.MonkeyPatch.context() as monkeypatch:
        yield Trained(request.param, monkeypatch)


def test_f_is_trained_on_translations(trained):
    assert np.isfinite([log["loss"] for log in trained.logs]).all()
    assert any(log["acceptance_rate"] == 1.0 for log in trained.logs)
    before = trained.before[: len(trained.f)]
    assert any((a != b).any() for a, b in zip(before, trained.f, strict=True))


def test_g_stays_as_it_was_to_the_bit(trained):
    before = trained.before[len(trained.f) :]
    for value, other in zip(before, trained.g, strict=True):
        np.testing.assert_array_equal(value, other)


@pytest.mark.skipif(keras.config.backend() == "torch", reason="not compiled")
def test_no_step_after_the_first_is_traced_again(trained):
    first, *later = trained.counted
    assert later == [first, first]
