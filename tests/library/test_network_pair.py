"""g never changes, settings are fixed, and a pair is saved with all that follows."""

import keras
import numpy as np
import pytest

from helpers.compilation import normal
from helpers.gradients import to_numpy
from helpers.m2m_cases import COUNTS
from helpers.m2m_cases import LABELS
from helpers.m2m_cases import LOSS
from helpers.m2m_cases import UNCOMPILED
from helpers.m2m_cases import linear
from helpers.m2m_cases import regularised
from helpers.m2m_cases import sgd
from keras_m2m import M2mModel

X = normal(5, 4)


def pair(f=None, g=None, **arguments):
    moves = {"noise": 0.3, "steps": 2, "step_size": 0.1}
    arguments = {"gamma": 0, "seed": 3, **moves, **arguments}
    return M2mModel(f or linear(1), g or linear(2), COUNTS, **arguments)


def fit(model, epochs=1):
    return model.fit(X, LABELS, epochs=epochs, shuffle=False, verbose=0)


def compiled(model, optimizer=None):
    model.compile(optimizer or sgd(), LOSS, **UNCOMPILED)
    return model


# g is frozen, whatever is set.


def unfreeze(model):
    model.trainable = True


def unfreeze_g(model):
    model.g.trainable = True
    for layer in model.g.layers:
        layer.trainable = True


def freeze_and_unfreeze(model):
    model.trainable = False
    model.trainable = True


@pytest.mark.parametrize("change", [unfreeze, unfreeze_g, freeze_and_unfreeze])
def test_g_stays_to_the_bit_whatever_is_set_to_be_trainable(change):
    model = pair(g=regularised(2))
    before, f_before = model.g.get_weights(), model.f.get_weights()
    for _ in range(2):
        change(model)
        fit(compiled(model))
    for value, expected in zip(model.g.get_weights(), before, strict=True):
        np.testing.assert_array_equal(value, expected)
    assert np.abs(model.f.get_weights()[0] - f_before[0]).max() > 1e-3


def test_an_unfrozen_g_adds_nothing_to_the_loss():
    logs = []
    for change in (lambda model: None, unfreeze):
        model = pair(g=regularised(2))
        change(model)
        logs.append(fit(compiled(model)).history["loss"])
    assert logs[0] == pytest.approx(logs[1], rel=1e-6)


def test_g_stays_after_a_copy_was_loaded_unfrozen_and_trained(tmp_path):
    def ready(model):
        compiled(model).optimizer.build(model.trainable_variables)
        return model

    model, path = ready(pair()), tmp_path / "pair.weights.h5"
    fit(model)
    before = model.g.get_weights()
    model.save_weights(path)
    other = pair(g=linear(4))
    other.trainable = True
    ready(other).load_weights(path)
    other = ready(keras.models.clone_model(other))
    other.load_weights(path)
    fit(other)
    for value, expected in zip(other.g.get_weights(), before, strict=True):
        np.testing.assert_array_equal(value, expected)


# What is fixed.


@pytest.mark.parametrize("name", ["lam", "gamma", "steps", "step_size", "bounds", "f"])
def test_a_setting_cannot_be_assigned_again(name):
    model = pair()
    with pytest.raises(AttributeError, match=f"`{name}` of a M2mModel is fixed"):
        setattr(model, name, getattr(model, name))


# Losses.

LOSSES_OF_PROBABILITIES = {
    "name": "sparse_categorical_crossentropy",
    "class name": "SparseCategoricalCrossentropy",
    "function": keras.losses.sparse_categorical_crossentropy,
    "object": keras.losses.SparseCategoricalCrossentropy(),
    "binary": "binary_crossentropy",
    "in a list": ["sparse_categorical_crossentropy"],
}


@pytest.mark.parametrize(
    "loss", LOSSES_OF_PROBABILITIES.values(), ids=LOSSES_OF_PROBABILITIES
)
def test_a_loss_of_probabilities_is_refused(loss):
    with pytest.raises(ValueError, match=r"takes probabilities.*from_logits=True"):
        pair().compile("sgd", loss)


def of_logits(y_true, y_pred):
    return keras.ops.sum(y_pred, axis=-1)


@pytest.mark.parametrize("loss", [LOSS, of_logits, None])
def test_a_loss_of_logits_is_welcome(loss):
    pair().compile("sgd", loss)


def test_16_bit_floats_throughout_are_refused():
    keras.config.set_floatx("float16")
    try:
        with pytest.raises(ValueError, match=r'set_global_policy."mixed_float16"'):
            pair()
    finally:
        keras.config.set_floatx("float32")


# Saving.


@pytest.mark.parametrize("own", [False, True])
def test_a_loaded_pair_goes_on_with_optimizer_and_draws(own, tmp_path):
    model = pair()
    compiled(model.f, None if own else sgd())
    fit(model.f)
    compiled(model, sgd() if own else model.f.optimizer)
    fit(model, epochs=2)
    model.save(tmp_path / "pair.keras")
    other = keras.saving.load_model(tmp_path / "pair.keras")
    steps = 2 if own else 3
    assert int(to_numpy(other.optimizer.iterations)) == steps
    assert (other.optimizer is other.f.optimizer) != own
    for each in (model, other):
        fit(each, epochs=2)
    for value, expected in zip(other.f.get_weights(), model.f.get_weights()):
        np.testing.assert_allclose(value, expected, rtol=1e-6, atol=1e-7)


def test_a_pair_of_a_trained_g_is_loaded_without_a_warning(tmp_path):
    # Of an optimizer for the weights of g, which are frozen in the file.
    g = compiled(linear(2), keras.optimizers.SGD(0.1, momentum=0.9))
    fit(g)
    model = compiled(pair(g=g))
    fit(model)
    model.save(tmp_path / "pair.keras")
    other = keras.saving.load_model(tmp_path / "pair.keras")
    np.testing.assert_array_equal(
        other.g.predict(X, verbose=0), g.predict(X, verbose=0)
    )


@pytest.mark.parametrize("name", ["pair.h5", "pair"])
def test_a_pair_is_saved_as_a_keras_file_alone(name, tmp_path):
    with pytest.raises(ValueError, match=r"saved as a .keras file.*f alone.*Received"):
        pair().save(tmp_path / name)


@pytest.mark.skipif(keras.config.backend() == "torch", reason="needs torch_xla")
def test_to_export_a_pair_is_to_export_f(tmp_path):
    pytest.importorskip("tensorflow")
    model = pair()
    model.export(tmp_path / "exported", verbose=False)
    assert (tmp_path / "exported" / "saved_model.pb").exists()
    if keras.config.backend() == "tensorflow":
        served = keras.layers.TFSMLayer(tmp_path / "exported", call_endpoint="serve")
        np.testing.assert_allclose(to_numpy(served(X)), to_numpy(model.f(X)), rtol=1e-5)


def test_a_pair_shows_the_inputs_and_outputs_of_f():
    model = pair()
    assert model.inputs == model.f.inputs
    assert model.outputs == model.f.outputs


# Draws.


def drawn(seed, count):
    model = pair(seed=seed)
    return [to_numpy(model.draw_numbers(4)) for _ in range(count)]


def test_seeds_nearby_share_no_draws():
    draws = [d for seed in (0, 1, 2, 4) for d in drawn(seed, 6)]
    assert len({d.tobytes() for d in draws}) == len(draws)


def test_one_seed_draws_the_same_twice():
    for one, other in zip(drawn(5, 3), drawn(5, 3), strict=True):
        np.testing.assert_array_equal(one, other)
