import contextlib
import math
import os
import pathlib
import subprocess
import sys

import keras
import numpy as np
import pytest
import torch
import torch_twin
from compilation import quick_compilation
from gradients import to_numpy

from keras_m2m.layers import CosineDense
from keras_m2m.models import cifar_resnet
from keras_m2m.models import mlp
from keras_m2m.models import preact_resnet18
from keras_m2m.models import resnet32

BACKEND = keras.backend.backend()
ROOT = pathlib.Path(__file__).parents[1]
# Far from each other, so that a mixed-up channel or statistic shows.
MEAN, VARIANCE = [0.3, 0.5, 0.7], [0.04, 0.09, 0.25]
STATISTICS = {"mean": MEAN, "variance": VARIANCE}
# Fifty times the paper's, so that two steps show it.
WEIGHT_DECAY = 0.01


def photos(n=4, size=32):
    return np.random.default_rng(0).random((n, size, size, 3)).astype("float32")


def scrambled(model):
    """The model with other BatchNorm statistics, scales and offsets than 0 and 1."""
    rng = np.random.default_rng(0)
    for layer in model.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            values = [rng.uniform(0.5, 1.5, v.shape) for v in layer.get_weights()]
            layer.set_weights(values)
    return model


def outputs(model, x, training=False):
    return to_numpy(model(x, training=training))


def twin_outputs(twin, x, training=False):
    with torch.no_grad():
        return twin.train(training)(torch_twin.images(x)).numpy()


def parameters(model):
    return sum(math.prod(weight.shape) for weight in model.trainable_weights)


@pytest.fixture(scope="module", autouse=True)
def quickly():
    with quick_compilation():
        yield


# ResNet-32 and its twin in PyTorch.


@pytest.fixture(scope="module")
def model():
    keras.utils.set_random_seed(0)
    model = resnet32(10, weight_decay=WEIGHT_DECAY, **STATISTICS)
    sgd = keras.optimizers.SGD(0.1, momentum=0.9)
    model.compile(sgd, keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    return scrambled(model)


@pytest.fixture
def twin(model):
    """The twin, with the weights that the model has now."""
    twin = torch_twin.cifar_resnet(32, 10, MEAN, VARIANCE)
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


def test_resnet32_takes_sgd_steps_as_pytorchs_does(model, twin):
    """Two steps, so that the momentum of the first shows in the second."""
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
            np.testing.assert_allclose(ours, theirs.detach().numpy(), atol=2e-5)


# A shallow one, for what does not depend on depth.


@pytest.fixture(scope="module")
def shallow():
    keras.utils.set_random_seed(0)
    return scrambled(cifar_resnet(8, 10, **STATISTICS))


@pytest.fixture
def shallow_twin(shallow):
    twin = torch_twin.cifar_resnet(8, 10, MEAN, VARIANCE)
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


# Pre-activation ResNet-18.


@pytest.fixture(scope="module")
def preact():
    keras.utils.set_random_seed(0)
    return scrambled(preact_resnet18(7, input_shape=(8, 8, 3)))


def test_preact_resnet18_infers_as_pytorchs_does(preact):
    twin = torch_twin.preact_resnet18(7)
    torch_twin.copy_weights(preact, twin)
    expected = twin_outputs(twin, photos(size=8))
    np.testing.assert_allclose(
        preact.predict_on_batch(photos(size=8)),
        expected,
        rtol=1e-4,
        atol=1e-5 * np.abs(expected).max(),
    )


def test_preact_resnet18_has_as_many_parameters_as_pytorchs(preact):
    twin = torch_twin.preact_resnet18(7)
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


@pytest.fixture(scope="module", params=BUILDERS)
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


def test_networks_without_weight_decay_add_no_loss(shallow, preact):
    for network in (shallow, preact, BUILDERS["mlp"]()):
        assert network.losses == []


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
    last = scrambled(cifar_resnet(8, 10, **STATISTICS))
    with image_data_format("channels_first"):
        first = cifar_resnet(8, 10, **STATISTICS)
    first.set_weights(last.get_weights())
    if BACKEND == "tensorflow":
        pytest.skip("TensorFlow has no channels-first convolution on CPUs")
    expected = outputs(last, photos())
    np.testing.assert_allclose(
        outputs(first, np.moveaxis(photos(), -1, 1)),
        expected,
        rtol=1e-4,
        atol=1e-5 * np.abs(expected).max(),
    )


@pytest.mark.parametrize("depth", [0, 2, 7, 10, 33, 32.0, "32", -4, True])
def test_a_depth_that_is_not_6n_plus_2_is_rejected(depth):
    with pytest.raises(ValueError, match=f"Received: depth={depth}"):
        cifar_resnet(depth, 10)


@pytest.mark.parametrize(
    "arguments",
    [
        {"num_classes": 1},
        {"num_classes": 2.0},
        {"hidden": 0},
        {"head": "softmax"},
        {"weight_decay": -1e-4},
        {"mean": [0.0]},
        {"variance": [1.0]},
    ],
)
def test_arguments_out_of_range_are_rejected(arguments):
    with pytest.raises(ValueError, match="Received: "):
        mlp(**{"num_classes": 3, "input_shape": (1,), **arguments})


# Saving and exporting.

LOAD = """
import sys
import numpy as np
import keras_m2m
import keras
path, samples, results = sys.argv[1:]
model = keras.saving.load_model(path)
np.save(results, model.predict(np.load(samples), verbose=0))
"""

EXPORT = """
import sys
import numpy as np
import keras_m2m
import keras
import tensorflow as tf
path, samples, results = sys.argv[1:]
model = keras.saving.load_model(path)
model.export(path + ".exported", format="tf_saved_model", verbose=False)
served = tf.saved_model.load(path + ".exported")
np.save(results, served.serve(np.load(samples)).numpy())
"""


@pytest.fixture(scope="module")
def network():
    """One with every layer of ours in it, and BatchNorm statistics to lose."""
    keras.utils.set_random_seed(0)
    arguments = {"head": "cosine", "weight_decay": WEIGHT_DECAY, **STATISTICS}
    return scrambled(cifar_resnet(8, 10, input_shape=(8, 8, 3), **arguments))


def in_fresh_process(script, backend, network, folder):
    """Outputs for `photos(size=8)` of `network` after saving it for `script`."""
    path, samples, results = (
        str(folder / name) for name in ("f.keras", "x.npy", "y.npy")
    )
    network.save(path)
    np.save(samples, photos(size=8))
    environment = {
        **os.environ,
        "KERAS_BACKEND": backend,
        "PYTHONPATH": str(ROOT),
        "JAX_DISABLE_MOST_OPTIMIZATIONS": "1",  # for the time it takes, no more
    }
    process = subprocess.run(
        [sys.executable, "-c", script, path, samples, results],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert process.returncode == 0, process.stderr
    return np.load(results)


def test_a_saved_network_loads_in_safe_mode_elsewhere(network, tmp_path):
    np.testing.assert_allclose(
        in_fresh_process(LOAD, BACKEND, network, tmp_path),
        outputs(network, photos(size=8)),
        atol=1e-5,
    )


@pytest.mark.skipif(BACKEND != "torch", reason="the other backends export themselves")
def test_a_network_of_pytorch_is_exported_under_tensorflow(network, tmp_path):
    np.testing.assert_allclose(
        in_fresh_process(EXPORT, "tensorflow", network, tmp_path),
        outputs(network, photos(size=8)),
        atol=1e-5,
    )


@pytest.mark.skipif(BACKEND == "torch", reason="PyTorch's export needs torch_xla")
def test_an_exported_network_gives_the_same_logits(network, tmp_path):
    import tensorflow

    network.export(str(tmp_path / "f"), format="tf_saved_model", verbose=False)
    served = tensorflow.saved_model.load(str(tmp_path / "f"))
    np.testing.assert_allclose(
        served.serve(photos(size=8)).numpy(),
        outputs(network, photos(size=8)),
        atol=1e-5,
    )
