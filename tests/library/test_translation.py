import keras
import numpy as np
import pytest

from helpers import mlp_oracle
from helpers import oracles
from helpers.compilation import MODES
from helpers.compilation import normal
from helpers.compilation import run
from helpers.gradients import to_numpy
from keras_m2m.translation import accept
from keras_m2m.translation import scale_noise
from keras_m2m.translation import translate

POLICIES = ["float16", "mixed_float16", "mixed_bfloat16"]

# Six samples of four entries, three classes.
SEED_CLASSES = np.array([0, 0, 1, 2, 1, 2])
TARGETS = np.array([1, 2, 0, 0, 2, 1])


def starts(*shape):
    return np.random.default_rng(1).random(shape or (6, 4)).astype("float32")


def linear(kernel, bias):
    return lambda x: keras.ops.add(keras.ops.matmul(x, kernel), bias)


def network(oracle, dtype=None):
    """The Keras model of an `mlp_oracle.Network`."""
    d, hidden = oracle.w1.shape
    inputs = keras.Input((d,))
    norm = keras.layers.BatchNormalization(epsilon=mlp_oracle.EPSILON, dtype=dtype)
    first = keras.layers.Dense(hidden, oracle.activation, dtype=dtype)
    second = keras.layers.Dense(len(oracle.b2), dtype=dtype)
    model = keras.Model(inputs, second(first(norm(inputs))))
    norm.set_weights([oracle.gamma, oracle.beta, oracle.mean, oracle.variance])
    first.set_weights([oracle.w1, oracle.b1])
    second.set_weights([oracle.w2, oracle.b2])
    return model


@pytest.fixture(scope="module")
def oracle_networks():
    return (
        mlp_oracle.Network(4, 5, 3, "relu", seed=1),
        mlp_oracle.Network(4, 5, 3, "tanh", seed=2),
    )


@pytest.fixture(scope="module")
def networks(oracle_networks):
    return tuple(network(oracle) for oracle in oracle_networks)


def inference(model):
    return lambda x: model(x, training=False)


def translated(networks, x, seed_classes=SEED_CLASSES, targets=TARGETS, **arguments):
    f, g = (inference(model) for model in networks)
    return to_numpy(translate(f, g, x, seed_classes, targets, **arguments))


def lengths(vectors):
    return np.sqrt(np.sum(np.square(vectors, dtype="float64").reshape(6, -1), axis=1))


# translate.


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("unroll", [False, True])
@pytest.mark.parametrize("bounds, noisy", [(None, False), ((0.0, 1.0), True)])
def test_linear_networks_follow_the_closed_form(mode, unroll, bounds, noisy):
    w_g, b_g, w_f, b_f = normal(4, 3), normal(3), normal(4, 3, seed=1), normal(3)
    noise = 0.3 * normal(6, 4, seed=2) if noisy else np.zeros((6, 4), "float32")
    settings = {"lam": 0.5, "steps": 4, "step_size": 0.25, "bounds": bounds}

    def moved(seeds, seed_classes, targets, noise):
        f, g = linear(w_f, b_f), linear(w_g, b_g)
        noise = noise if noisy else None
        return translate(
            f, g, seeds, seed_classes, targets, noise, unroll=unroll, **settings
        )

    x = starts()
    expected = oracles.translate_linear(
        x + noise, w_g, b_g, w_f, b_f, SEED_CLASSES, TARGETS, **settings
    )
    result = run(mode, moved, x, SEED_CLASSES, TARGETS, noise)
    np.testing.assert_allclose(result, expected, atol=1e-5)


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("unroll", [False, True])
def test_all_backends_give_what_numpy_gives(mode, unroll, oracle_networks, networks):
    x, noise = starts(), 0.3 * normal(6, 4)
    settings = {"lam": 0.5, "steps": 4, "step_size": 0.25, "bounds": (0.0, 1.0)}

    def moved(*arguments):
        f, g = (inference(model) for model in networks)
        return translate(f, g, *arguments, unroll=unroll, **settings)

    expected = mlp_oracle.translate(
        *oracle_networks, x + noise, SEED_CLASSES, TARGETS, **settings
    )
    result = run(mode, moved, x, SEED_CLASSES, TARGETS, noise)
    np.testing.assert_allclose(result, expected, atol=1e-5)


def test_reordered_rows_are_moved_the_same_way(networks):
    order = np.array([3, 0, 5, 1, 4, 2])
    x = starts()
    np.testing.assert_allclose(
        translated(networks, x[order], SEED_CLASSES[order], TARGETS[order]),
        translated(networks, x)[order],
        atol=1e-6,
    )


def test_a_row_is_moved_the_same_way_without_the_others(networks):
    x = starts()
    np.testing.assert_allclose(
        translated(networks, x[2:4], SEED_CLASSES[2:4], TARGETS[2:4]),
        translated(networks, x)[2:4],
        atol=1e-6,
    )


@pytest.mark.parametrize("step_size", [0.1, 1.0])
def test_an_unbounded_step_has_the_step_size_as_length(networks, step_size):
    x = starts()
    moved = translated(networks, x, steps=1, step_size=step_size)
    np.testing.assert_allclose(lengths(moved - x), step_size, rtol=1e-5)


def test_the_length_of_a_step_is_over_all_axes_of_an_image():
    kernel = normal(48, 3)

    def f(x):
        return keras.ops.matmul(keras.ops.reshape(x, (-1, 48)), kernel)

    x = starts(6, 4, 4, 3)
    moved = to_numpy(translate(f, f, x, SEED_CLASSES, TARGETS, steps=1, step_size=0.1))
    np.testing.assert_allclose(lengths(moved - x), 0.1, rtol=1e-5)


def test_two_steps_are_one_step_and_another(networks):
    once = translated(networks, starts(), steps=1)
    np.testing.assert_allclose(
        translated(networks, starts(), steps=2),
        translated(networks, once, steps=1),
        atol=1e-6,
    )


def test_values_stay_inside_the_bounds_and_reach_them(networks):
    moved = translated(networks, starts(), steps=10, step_size=1.0, bounds=(0.2, 0.7))
    assert moved.min() == np.float32(0.2)
    assert moved.max() == np.float32(0.7)


@pytest.mark.parametrize("policy", POLICIES)
def test_steps_are_of_float32_under_any_policy(policy):
    # Gradients of about 2 ** -11: their squares underflow in float16, and a
    # sample near 1 rounded to 16 bits moves by multiples of 0.0005.
    kernel = 2.0**-10 * np.sign(normal(4, 3))
    head = keras.layers.Dense(3, use_bias=False, dtype=policy)
    head.build((None, 4))
    head.set_weights([kernel])
    x = starts()
    moved = translate(head, head, x, SEED_CLASSES, TARGETS, steps=1, step_size=0.01)
    assert keras.backend.standardize_dtype(moved.dtype) == "float32"
    np.testing.assert_allclose(lengths(to_numpy(moved) - x), 0.01, rtol=1e-4)


@pytest.mark.parametrize("lam", [0.0, 0.5])
def test_a_gradient_of_zero_leaves_the_sample_where_it_is(lam):
    f = linear(np.zeros((4, 3), "float32"), normal(3))
    moved = translate(f, f, starts(), SEED_CLASSES, TARGETS, lam=lam)
    np.testing.assert_array_equal(to_numpy(moved), starts())


def test_moving_statistics_stay_as_they_are(networks):
    before = [value for model in networks for value in model.get_weights()]
    translated(networks, starts())
    after = [value for model in networks for value in model.get_weights()]
    for one, other in zip(before, after):
        np.testing.assert_array_equal(one, other)


@pytest.mark.skipif(
    keras.backend.backend() != "torch", reason="only PyTorch keeps gradients in weights"
)
def test_no_gradient_is_left_in_the_weights(networks):
    translated(networks, starts())
    weights = [weight for model in networks for weight in model.trainable_weights]
    assert all(weight.value.requires_grad for weight in weights)
    assert all(weight.value.grad is None for weight in weights)


# scale_noise.


@pytest.mark.parametrize("batch", [1, 16, 128])
@pytest.mark.parametrize("shape", [(4,), (5, 5, 3)])
def test_noise_has_its_norm_whatever_the_batch_size(batch, shape):
    noise = to_numpy(scale_noise(keras.ops.array(normal(batch, *shape)), 0.1))
    norms = np.linalg.norm(noise.reshape(batch, -1), axis=1)
    np.testing.assert_allclose(norms, 0.1, rtol=1e-5)


def test_noise_keeps_its_direction():
    direction = normal(6, 4)
    noise = to_numpy(scale_noise(keras.ops.array(direction), 0.1))
    expected = 0.1 * direction / np.linalg.norm(direction, axis=1, keepdims=True)
    np.testing.assert_allclose(noise, expected, rtol=1e-5)


# accept.

LOGITS = 3.0 * normal(60, 3)
CLASSES = np.arange(60) % 3


def accepted(logits, classes, gamma):
    # g is the identity: its input is the logits.
    return to_numpy(accept(lambda x: x, keras.ops.array(logits), classes, gamma))


@pytest.mark.parametrize("gamma", [0.3, 0.9, 0.99])
def test_accepted_is_who_has_at_least_gamma_probability(gamma):
    p = [oracles.softmax(np.float64(z))[k] for z, k in zip(LOGITS, CLASSES)]
    expected = np.array(p) >= gamma
    assert 0 < expected.sum() < len(expected)
    assert (accepted(LOGITS, CLASSES, gamma) == expected).all()


def test_gamma_0_accepts_what_has_no_probability_left():
    assert accepted(np.array([[0.0, 1e4]], "float32"), np.array([0]), 0.0).all()


@pytest.mark.parametrize("c", [0.1, 1.0])
def test_a_limit_on_the_loss_is_a_limit_on_the_probability(c):
    expected = oracles.cross_entropy(CLASSES, LOGITS) <= c
    assert 0 < expected.sum() < len(expected)
    assert (accepted(LOGITS, CLASSES, np.exp(-c)) == expected).all()


def test_confidence_is_of_float32_under_float16_logits():
    # exp(-4) / (1 + exp(-4)): 0.99 lies between this and its rounding to 16 bits.
    logits = np.array([[0.0, 4.598]], "float16")
    p = oracles.softmax(np.float64(logits[0]))[1]
    assert np.float16(p) != p
    half = (p + float(np.float16(p))) / 2
    assert accepted(logits, np.array([1]), half)[0] == (p >= half)
