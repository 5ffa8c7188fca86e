import contextlib
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
from keras_m2m.layers import CosineDense
from keras_m2m.models import cifar_resnet
from keras_m2m.models import mlp
from keras_m2m.models import preact_resnet18

BACKEND = keras.backend.backend()
WEIGHT_DECAY = 2e-4


def parameters(model):
    return sum(math.prod(weight.shape) for weight in model.trainable_weights)


# The MLP.


@pytest.mark.parametrize("d, hidden, k", [(50, 256, 23), (1000, 256, 36), (3, 5, 2)])
def test_the_mlp_has_two_kernels_and_two_biases(d, hidden, k):
    model = mlp(k, input_shape=(d,), hidden=hidden)
    assert parameters(model) == d * hidden + hidden + hidden * k + k


def test_the_mlp_is_dense_relu_dense():
    model = mlp(3, input_shape=(4,), hidden=5)
    w1, b1, w2, b2 = model.get_weights()
    x = np.random.default_rng(0).normal(size=(6, 4)).astype("float32")
    expected = np.maximum(x @ w1 + b1, 0) @ w2 + b2
    np.testing.assert_allclose(outputs(model, x), expected, rtol=1e-5, atol=1e-6)


def test_the_head_logit_is_one_unit_for_two_classes():
    assert mlp(2, (4,), head="logit").output_shape == (None, 1)
    assert cifar_resnet(8, 2, (8, 8, 3), head="logit").output_shape == (None, 1)
    with pytest.raises(ValueError, match="head='logit', num_classes=3"):
        mlp(3, (4,), head="logit")


def test_the_mlp_flattens_samples_of_several_axes():
    model = mlp(3, input_shape=(2, 3, 4), hidden=5)
    assert model.output_shape == (None, 3)
    assert parameters(model) == 24 * 5 + 5 + 5 * 3 + 3


def test_dense_weights_fill_the_range_of_one_over_root_fan_in():
    for kernel, bias in np.array_split(
        np.array(mlp(50, input_shape=(400,)).get_weights(), dtype=object), 2
    ):
        limit = 1 / math.sqrt(len(kernel))
        assert 0.99 * limit < np.abs(kernel).max() <= limit
        assert 0.5 * limit < np.abs(bias).max() <= limit
        assert kernel.std() == pytest.approx(limit / math.sqrt(3), rel=0.05)


# What all networks have in common.

BUILDERS = {
    "mlp": lambda **arguments: mlp(5, input_shape=(8, 8, 3), **arguments),
    "resnet": lambda **arguments: cifar_resnet(8, 5, (8, 8, 3), **arguments),
    "preact": lambda **arguments: preact_resnet18(5, (8, 8, 3), **arguments),
}


# The large one by what each backend does for the others.
KINDS = ["mlp", "resnet", pytest.param("preact", marks=pytest.mark.no_backend)]


@pytest.fixture(scope="module", params=KINDS)
def cosine_network(request):
    keras.utils.set_random_seed(0)
    build = BUILDERS[request.param]
    return scrambled(build(head="cosine", weight_decay=WEIGHT_DECAY))


def squares(model):
    """Sum of the squares of all trainable weights."""
    return sum(np.sum(np.square(to_numpy(w))) for w in model.trainable_weights)


def added_loss(model):
    return sum(float(to_numpy(loss)) for loss in model.losses)


def test_every_parameter_has_its_weight_decay(cosine_network):
    # The gradient of this is WEIGHT_DECAY * w.
    expected = WEIGHT_DECAY / 2 * squares(cosine_network)
    assert added_loss(cosine_network) == pytest.approx(expected, rel=1e-4)


def test_the_dense_head_has_its_weight_decay():
    network = BUILDERS["mlp"](weight_decay=WEIGHT_DECAY)
    expected = WEIGHT_DECAY / 2 * squares(network)
    assert added_loss(network) == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize("kind", KINDS)
def test_networks_without_weight_decay_add_no_loss(kind):
    assert BUILDERS[kind]().losses == []


def test_the_cosine_head_returns_cosines_without_a_scale(cosine_network):
    head = cosine_network.layers[-1]
    assert isinstance(head, CosineDense)
    assert (head.units, head.scale) == (5, 1.0)


@pytest.mark.parametrize("kind", ["mlp", "resnet"])
def test_statistics_normalise_each_channel_first(kind):
    plain, normalised = BUILDERS[kind](), BUILDERS[kind](**STATISTICS)
    normalised.set_weights(plain.get_weights())
    x = photos(size=8)
    by_hand = (x - np.array(MEAN)) / np.sqrt(np.array(VARIANCE))
    np.testing.assert_allclose(
        outputs(normalised, x),
        outputs(plain, by_hand.astype("float32")),
        rtol=1e-4,
        atol=1e-4,
    )


def test_statistics_of_vectors_are_per_entry():
    plain = mlp(3, input_shape=(2,))
    normalised = mlp(3, input_shape=(2,), mean=[1.0, 2.0], variance=[4.0, 9.0])
    normalised.set_weights(plain.get_weights())
    np.testing.assert_allclose(
        outputs(normalised, np.array([[3.0, 8.0]], "float32")),
        outputs(plain, np.array([[1.0, 2.0]], "float32")),
        rtol=1e-5,
        atol=1e-6,
    )


@contextlib.contextmanager
def image_data_format(data_format):
    before = keras.config.image_data_format()
    keras.config.set_image_data_format(data_format)
    try:
        yield
    finally:
        keras.config.set_image_data_format(before)


@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
def test_the_shape_of_an_image_follows_the_data_format(data_format):
    with image_data_format(data_format):
        shape = cifar_resnet(8, 10).input_shape
    first = data_format == "channels_first"
    assert shape == ((None, 3, 32, 32) if first else (None, 32, 32, 3))


def test_both_data_formats_give_the_same_function():
    last = scrambled(cifar_resnet(8, 10, (8, 8, 3), **STATISTICS))
    with image_data_format("channels_first"):
        first = cifar_resnet(8, 10, (3, 8, 8), **STATISTICS)
    first.set_weights(last.get_weights())
    if BACKEND == "tensorflow":
        pytest.skip("TensorFlow has no channels-first convolution on CPUs")
    x = photos(size=8)
    expected = outputs(last, x)
    np.testing.assert_allclose(
        outputs(first, np.moveaxis(x, -1, 1)),
        expected,
        rtol=1e-4,
        atol=1e-5 * np.abs(expected).max(),
    )


@pytest.mark.parametrize("depth", [0, 2, 7, 10, 33, 32.0, "32", -4, True])
def test_a_depth_that_is_not_6n_plus_2_is_rejected(depth):
    with pytest.raises(ValueError, match=f"Received: depth={depth!r}"):
        cifar_resnet(depth, 10)


@pytest.mark.parametrize(
    "arguments",
    [
        {"num_classes": 1},
        {"num_classes": 2.0},
        {"hidden": 0},
        {"head": "softmax"},
        {"weight_decay": -1e-4},
        {"hidden": 2**40},
        {"input_shape": (0,)},
        {"input_shape": ()},
        {"input_shape": (None,)},
        {"input_shape": 4},
        {"input_shape": "four"},
        {"mean": [0.0]},
        {"variance": [1.0]},
        {"mean": [0.0] * 2, "variance": [1.0] * 2},
        {"mean": [np.nan], "variance": [1.0]},
        {"mean": [0.0], "variance": [-1.0]},
        {"mean": 0.0, "variance": 1.0},
        {"mean": ["a"], "variance": [1.0]},
    ],
)
def test_arguments_out_of_range_are_rejected(arguments):
    with pytest.raises(ValueError, match="Received: "):
        mlp(**{"num_classes": 3, "input_shape": (1,), **arguments})


@pytest.mark.parametrize("shape", [(), (8, 8), (8, 8, None), (8, 0, 3), (8.0, 8, 3), 8])
def test_a_shape_that_is_not_an_images_is_rejected(shape):
    with pytest.raises(ValueError, match="Received: input_shape="):
        cifar_resnet(8, 3, shape)


def test_images_may_be_of_open_height_and_width():
    assert cifar_resnet(8, 3, np.array([None, None, 3])).input_shape[1:] == (
        None,
        None,
        3,
    )
