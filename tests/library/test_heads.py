"""What is true of everything that is done after training."""

import keras
import numpy as np
import pytest

from helpers.gradients import to_numpy
from helpers.pictures import outputs
from helpers.pictures import scrambled
from keras_m2m import CosineDense
from keras_m2m import heads
from keras_m2m import mlp

BACKEND = keras.backend.backend()
RNG = np.random.default_rng(0)
X = RNG.normal(size=(30, 4)).astype("float32")
Y = np.arange(30) % 3
COUNTS = [60, 30, 10]
SHORT = {"epochs": 1, "batch_size": 15}
HEADS = {
    "adjusted": lambda f: heads.adjust_logits(f, COUNTS),
    "of a prior": lambda f: heads.with_prior(f, COUNTS, test_prior=[1, 2, 3]),
    "by temperature": lambda f: heads.temperature_scaled(f, temperature=3.0),
    "tau-normalised": heads.tau_normalised,
    "retrained": lambda f: heads.retrained_head(f, X, Y, **SHORT),
    "scaled": lambda f: heads.scaled_head(f, X, Y, **SHORT),
    "of means": lambda f: heads.nearest_class_mean(f, X, Y),
}
OF_COSINES = HEADS.keys() - {"tau-normalised"}


def small(head):
    """A network with BatchNorm, whose statistics and weights all matter."""
    inputs = keras.Input((4,))
    x = keras.layers.Dense(8, activation="relu", bias_initializer="uniform")(inputs)
    x = keras.layers.BatchNormalization()(x)
    x = keras.layers.Dropout(0.5)(x)
    return scrambled(keras.Model(inputs, head(x), name="f"))


@pytest.fixture(scope="module")
def f():
    return small(keras.layers.Dense(3, bias_initializer="uniform", name="logits"))


@pytest.fixture(scope="module")
def of_cosines():
    return small(CosineDense(3, scale=30.0, name="logits"))


@pytest.fixture(scope="module")
def made(f):
    """What each function makes of f, and f's weights and config before all of them."""
    before = f.get_weights(), f.get_config()
    return before, {name: make(f) for name, make in HEADS.items()}


def test_f_stays_as_it_is(f, made):
    (weights, config), _ = made
    for one, other in zip(weights, f.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
    assert f.get_config() == config


@pytest.mark.parametrize("name", HEADS)
def test_the_new_network_is_no_larger_and_shares_nothing(f, made, name):
    new = made[1][name]
    assert new.count_params() <= f.count_params()
    assert {id(v) for v in new.variables}.isdisjoint(id(v) for v in f.variables)
    assert [layer.name for layer in new.layers] == [layer.name for layer in f.layers]


@pytest.mark.parametrize("name", HEADS)
def test_only_the_head_is_another(f, made, name):
    features = outputs(heads.feature_network(f), X)
    new = outputs(heads.feature_network(made[1][name]), X)
    np.testing.assert_array_equal(new, features)


@pytest.mark.parametrize("name", sorted(OF_COSINES))
def test_a_network_of_cosines_is_taken_too(of_cosines, name):
    new = HEADS[name](of_cosines)
    assert outputs(new, X).shape == (30, 3)
    # Of a new dense head, its bias is more; of cosines nothing is.
    assert new.count_params() <= of_cosines.count_params() + 3


@pytest.mark.no_backend
@pytest.mark.parametrize("name", ["retrained", "scaled", "of means"])
def test_features_that_are_given_are_those_of_the_samples(f, name):
    features = heads.features(f, X)
    make = {
        "retrained": lambda x: heads.retrained_head(f, x, Y, **SHORT),
        "scaled": lambda x: heads.scaled_head(f, x, Y, **SHORT),
        "of means": lambda x: heads.nearest_class_mean(f, x, Y),
    }[name]
    for one, other in zip(make(X).get_weights(), make(features).get_weights()):
        np.testing.assert_array_equal(one, other)


def test_features_are_what_the_last_layer_turns_into_the_output(f):
    values = heads.features(f, X, batch_size=7).values
    assert values.shape == (30, 8)
    np.testing.assert_allclose(to_numpy(f.layers[-1](values)), outputs(f, X), atol=1e-6)


@pytest.fixture(scope="module")
def of_lists(of_cosines):
    """Cosines with a factor and an offset for each class, in the layer's config."""
    scaled = heads.scaled_head(of_cosines, X, Y, **SHORT)
    return heads.adjust_logits(scaled, COUNTS)


def test_what_was_found_is_saved_and_loaded(of_lists, tmp_path):
    of_lists.save(tmp_path / "f.keras")
    loaded = keras.saving.load_model(tmp_path / "f.keras")
    np.testing.assert_array_equal(outputs(loaded, X), outputs(of_lists, X))


@pytest.mark.skipif(BACKEND == "torch", reason="PyTorch's export needs torch_xla")
def test_what_was_found_is_exported(of_lists, tmp_path):
    tensorflow = pytest.importorskip("tensorflow")

    of_lists.export(str(tmp_path / "f"), format="tf_saved_model", verbose=False)
    served = tensorflow.saved_model.load(str(tmp_path / "f"))
    expected = outputs(of_lists, X)
    np.testing.assert_allclose(served.serve(X).numpy(), expected, atol=1e-5)


def test_cosines_are_read_before_offsets_existed():
    config = CosineDense(3, scale=30.0).get_config()
    del config["offset"]
    assert CosineDense.from_config(config).offset == 0


@pytest.mark.parametrize("name", ["scale", "offset"])
@pytest.mark.parametrize("value", [[1.0, 2.0], [1.0, 2.0, np.nan], "large"])
def test_numbers_of_a_cosine_head_are_one_or_one_each(name, value):
    with pytest.raises(ValueError, match=f"`{name}` must be"):
        CosineDense(3, **{name: value})


@pytest.fixture
def bfloat16_computations():
    keras.config.set_dtype_policy("mixed_bfloat16")
    yield
    keras.config.set_dtype_policy("float32")


@pytest.mark.parametrize("name", ["adjusted", "retrained"])
def test_networks_that_compute_in_16_bits_are_taken_too(bfloat16_computations, name):
    f = mlp(3, (4,), hidden=8)
    assert heads.features(f, X).values.dtype == "float32"
    new = HEADS[name](f)
    assert {str(weight.dtype) for weight in new.weights} == {"float32"}
    assert new.layers[-1].compute_dtype == "bfloat16"
    assert np.isfinite(outputs(new, X).astype("float32")).all()
