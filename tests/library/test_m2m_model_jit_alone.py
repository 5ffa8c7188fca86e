"""Layers that JAX cannot compile leave the translation compiled."""

import keras
import numpy as np
import pytest
from keras import layers

from helpers.compilation import normal
from helpers.gradients import to_numpy
from helpers.m2m_cases import COMPILE
from helpers.m2m_cases import LOSS
from helpers.m2m_cases import sgd
from keras_m2m import M2mModel
from keras_m2m import Seeds
from keras_m2m import translation

on_jax = pytest.mark.skipif(keras.config.backend() != "jax", reason="JAX alone")
X, Y = normal(16, 6, 6, 3), np.arange(16) % 3


def network(seed, *first):
    keras.utils.set_random_seed(seed)
    body = [layers.Conv2D(4, 3), layers.BatchNormalization(), layers.ReLU()]
    head = [layers.GlobalAveragePooling2D(), layers.Dense(3)]
    return keras.Sequential([keras.Input((6, 6, 3)), *first, *body, *head])


def rotating(seed):
    """By nothing."""
    return network(seed, layers.RandomRotation(0.0, seed=seed))


def trained(build, mode="auto", **arguments):
    f, g = build(1), build(2)
    settings = {"gamma": 0.0, "steps": 2, "step_size": 0.1, "seed": 3}
    model = M2mModel(f, g, [10, 1000, 100], **settings, **arguments)
    model.compile(sgd(), LOSS, **COMPILE[mode])
    history = model.fit(X, Y, batch_size=8, epochs=2, shuffle=False, verbose=0).history
    return model, history


def traced(*args):
    """What `trained` returns, and the type of the seeds each time that Python ran."""
    types, translate = [], translation.translate

    def counted(f, g, seeds, *args, **kwargs):
        types.append(type(seeds).__name__)
        return translate(f, g, seeds, *args, **kwargs)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(translation, "translate", counted)
        return *trained(*args), types


@pytest.fixture(scope="module")
def alone():
    """The model, its history and the types of seeds where the step is not compiled."""
    return traced(rotating)


@pytest.fixture(scope="module")
def whole():
    """The same where it is."""
    return traced(network)


@on_jax
def test_the_translation_is_compiled_once_where_the_step_is_not(alone):
    model, _, types = alone
    assert not model.jit_compile
    # Four steps; each of the compiled sizes is traced.
    assert len(types) == len(model._plan.sizes)
    assert all("Tracer" in name for name in types)


@on_jax
def test_it_has_the_sizes_of_a_compiled_step(alone, whole):
    assert alone[0]._plan == whole[0]._plan._replace(alone=True)


@on_jax
def test_an_eager_step_stays_eager():
    _, _, types = traced(rotating, "eager")
    assert len(types) == 4
    assert not any("Tracer" in name for name in types)


@on_jax
def test_another_step_and_units_are_inputs_of_what_was_compiled(monkeypatch):
    f, g, units = rotating(1), rotating(2), np.float32([1, 0, 2])
    model = M2mModel(
        *(f, g, [10, 1000, 100]), steps=1, step_size="auto", noise=0, units=units
    )
    model.compile(sgd(), LOSS)
    assert model._plan.alone
    traces, translate = [], translation.translate
    monkeypatch.setattr(
        translation, "translate", lambda *a, **k: traces.append(1) or translate(*a, **k)
    )
    rows = np.arange(8, dtype="int32")
    seeds = Seeds(X[:8], np.ones_like(rows), rows, np.zeros_like(rows), rows >= 0)
    for step in (0.1, 0.2):
        model.keep_step_size(step)
        moved = to_numpy(model.translate(seeds)) - X[:8]
        assert not moved[..., 1].any()
        in_units = (moved[..., ::2] / units[::2]).reshape(8, -1)
        np.testing.assert_allclose(np.linalg.norm(in_units, axis=1), step, rtol=1e-4)
    assert len(traces) == len(model._plan.sizes)


def test_training_is_that_of_a_network_without_such_layers(alone, whole):
    (model, history, _), (plain, expected, _) = alone, whole
    np.testing.assert_allclose(history["loss"], expected["loss"], rtol=1e-5)
    assert history["replaced_rate"] == expected["replaced_rate"]
    for value, other in zip(
        model.f.trainable_weights, plain.f.trainable_weights, strict=True
    ):
        value, other = (keras.ops.convert_to_numpy(v) for v in (value, other))
        np.testing.assert_allclose(value, other, rtol=1e-4, atol=1e-5)


class LooksAtValues(layers.Layer):
    """Python code that needs numbers, in inference mode too."""

    def __init__(self):
        super().__init__()
        self.supports_jit = False

    def call(self, x):
        return x if float(x[0, 0, 0, 0]) < 100.0 else -x

    def compute_output_spec(self, x):
        return x


@on_jax
def test_what_cannot_be_compiled_even_alone_is_trained_op_by_op():
    _, history, types = traced(lambda seed: network(seed, LooksAtValues()))
    assert np.isfinite(history["loss"]).all()
    assert types
