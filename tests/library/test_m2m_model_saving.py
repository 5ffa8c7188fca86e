import keras
import numpy as np

from helpers.compilation import normal
from helpers.gradients import to_numpy
from helpers.m2m_cases import COUNTS
from helpers.m2m_cases import LABELS
from helpers.m2m_cases import LOSS
from helpers.m2m_cases import linear
from helpers.m2m_cases import sgd
from keras_m2m import M2mModel


def trained():
    """M2m after one step with momentum, in which all translations were accepted."""
    model = M2mModel(
        linear(1), linear(2), COUNTS, gamma=0, noise=0, steps=2, step_size=0.1
    )
    model.compile(sgd(), LOSS, metrics=["accuracy"], run_eagerly=True)
    model.fit(normal(5, 4), LABELS, verbose=0)
    return model


def reloaded(model, folder):
    model.save(folder / "model.keras")
    return keras.saving.load_model(folder / "model.keras")


def test_a_loaded_model_predicts_the_same(tmp_path):
    model = trained()
    x = normal(5, 4, seed=5)
    np.testing.assert_allclose(
        to_numpy(reloaded(model, tmp_path)(x)), to_numpy(model(x)), rtol=1e-6
    )


def test_a_loaded_model_goes_on_training_as_the_saved_one(tmp_path):
    model = trained()
    other, x = reloaded(model, tmp_path), normal(5, 4, seed=5)
    before = model.f.get_weights()
    for network in (model, other):
        network.fit(x, LABELS, shuffle=False, verbose=0)
    for value, expected, start in zip(
        other.f.get_weights(), model.f.get_weights(), before
    ):
        np.testing.assert_allclose(value, expected, rtol=1e-5, atol=1e-6)
        assert np.abs(value - start).max() > 1e-3


def test_g_is_frozen_in_a_loaded_model(tmp_path):
    model = trained()
    other = reloaded(model, tmp_path)
    assert not other.g.trainable
    for value, expected in zip(other.g.get_weights(), model.g.get_weights()):
        np.testing.assert_array_equal(value, expected)


def test_all_arguments_are_in_the_configuration():
    arguments = {
        "beta": 0.9,
        "lam": 0.1,
        "gamma": 0.8,
        "steps": 3,
        "step_size": 0.2,
        "bounds": (0.0, 1.0),
        "noise": 0.3,
        "unroll": True,
        "compilation": {"branches": False},
        "seed": 4,
        "units": [1.0, 0.0, 2.0, 0.5],
        "name": "changed",
    }
    model = M2mModel(linear(1), linear(2), [10, 100, 20], **arguments)
    config = M2mModel.from_config(model.get_config()).get_config()
    assert config["class_counts"] == [10, 100, 20]
    assert {key: config[key] for key in arguments} == arguments
    assert set(config) == {*arguments, "class_counts", "f", "g", "mixing"}


def test_f_is_saved_without_anything_of_this_library(tmp_path):
    model = trained()
    f, x = reloaded(model.f, tmp_path), normal(5, 4, seed=5)
    assert type(f) is keras.Sequential
    np.testing.assert_allclose(to_numpy(f(x)), to_numpy(model.f(x)), rtol=1e-6)
