import keras
import numpy as np
import pytest

from helpers.gradients import gradient
from helpers.gradients import to_numpy
from keras_m2m.layers import CosineDense
from keras_m2m.layers import OptionAShortcut
from keras_m2m.layers import synchronize_batch_norm

torch = pytest.importorskip("torch")

FORMATS = ["channels_last", "channels_first"]
# PyTorch has no graph here; its compiler takes minutes for the smallest model.
COMPILED = [False] if keras.backend.backend() == "torch" else [False, True]


def normal(*shape):
    return np.random.default_rng(0).standard_normal(shape).astype("float32")


def cosine_dense(kernel, **arguments):
    """A `CosineDense` layer with this kernel `(dim, units)`."""
    layer = CosineDense(kernel.shape[1], **arguments)
    layer.build((None, kernel.shape[0]))
    layer.kernel.assign(kernel)
    return layer


def torch_cosines(x, kernel):
    functional = torch.nn.functional
    return functional.normalize(x, dim=1) @ functional.normalize(kernel, dim=0)


# CosineDense.


def test_logits_are_scaled_cosines():
    x, kernel = normal(5, 4), normal(4, 3)
    expected = [[7.0 * a @ b / np.sqrt((a @ a) * (b @ b)) for b in kernel.T] for a in x]
    np.testing.assert_allclose(
        to_numpy(cosine_dense(kernel, scale=7.0)(x)), expected, rtol=1e-5, atol=1e-6
    )


def test_lengths_of_inputs_and_columns_do_not_matter():
    x, kernel = normal(5, 4), normal(4, 3)
    longer = cosine_dense(kernel * np.array([1e-3, 1.0, 1e3], "float32"))
    np.testing.assert_allclose(
        to_numpy(longer(1e5 * x)),
        to_numpy(cosine_dense(kernel)(x)),
        rtol=1e-4,
        atol=1e-6,
    )


def test_the_input_gradient_is_pytorchs():
    x, kernel = normal(5, 4), normal(4, 3)
    layer, factors = cosine_dense(kernel), normal(5, 3)
    leaf = torch.tensor(x, requires_grad=True)
    (torch_cosines(leaf, torch.tensor(kernel)) * torch.tensor(factors)).sum().backward()
    np.testing.assert_allclose(
        gradient(lambda v: keras.ops.sum(keras.ops.multiply(layer(v), factors)), x),
        leaf.grad.numpy(),
        rtol=1e-4,
        atol=1e-6,
    )


@pytest.mark.parametrize("compiled", COMPILED)
def test_the_kernel_gradient_is_pytorchs(compiled):
    x, kernel = normal(5, 4), normal(4, 3)
    model = keras.Sequential([keras.Input((4,)), cosine_dense(kernel)])
    model.compile(keras.optimizers.SGD(1.0), "mse", jit_compile=compiled)
    model.train_on_batch(x, np.zeros((5, 3), "float32"))
    leaf = torch.tensor(kernel, requires_grad=True)
    torch_cosines(torch.tensor(x), leaf).square().mean().backward()
    np.testing.assert_allclose(
        to_numpy(model.weights[0]), kernel - leaf.grad.numpy(), rtol=1e-4, atol=1e-6
    )


def test_an_input_of_zeros_gives_zeros_and_a_modest_gradient():
    kernel = normal(4, 3)
    layer, zeros = cosine_dense(kernel), np.zeros((5, 4), "float32")
    assert not to_numpy(layer(zeros)).any()
    columns = kernel / np.linalg.norm(kernel, axis=0)
    np.testing.assert_allclose(
        gradient(lambda x: keras.ops.sum(layer(x)), zeros),
        np.tile(columns.sum(axis=1), (5, 1)),
        rtol=1e-5,
    )


def test_a_column_of_zeros_gives_zero_logits():
    kernel = normal(4, 3)
    kernel[:, 1] = 0.0
    logits = to_numpy(cosine_dense(kernel)(normal(5, 4)))
    assert np.isfinite(logits).all()
    assert not logits[:, 1].any()


def test_columns_are_of_about_unit_length_at_first():
    layer = CosineDense(50)
    layer.build((None, 1000))
    lengths = np.linalg.norm(to_numpy(layer.kernel), axis=0)
    # 1000 entries of variance 1/1000: the length varies by 0.02.
    np.testing.assert_allclose(lengths, 1.0, atol=0.15)


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
def test_norms_are_of_float32_under_mixed_precision(policy):
    # 300 ** 2 is beyond float16, and so is any sum of such squares.
    x, kernel = 300.0 * np.sign(normal(5, 4)), normal(4, 3)
    layer = cosine_dense(kernel, dtype=policy)
    logits = layer(x)
    assert keras.backend.standardize_dtype(logits.dtype) == policy.removeprefix(
        "mixed_"
    )
    # The inputs are exact in 16 bits and the kernel is not cast: only the
    # result is rounded, to 8 significant bits at least.
    np.testing.assert_allclose(
        to_numpy(keras.ops.cast(logits, "float32")),
        to_numpy(cosine_dense(kernel)(x)),
        rtol=2.0**-8,
    )


def test_leading_axes_are_kept():
    layer = cosine_dense(normal(4, 3))
    assert tuple(layer(normal(2, 5, 4)).shape) == (2, 5, 3)
    assert layer.compute_output_shape((None, 5, 4)) == (None, 5, 3)


def test_the_kernel_is_regularised():
    kernel = normal(4, 3)
    layer = cosine_dense(kernel, kernel_regularizer=keras.regularizers.L2(0.5))
    np.testing.assert_allclose(
        to_numpy(layer.losses[0]), 0.5 * np.sum(kernel**2), rtol=1e-5
    )


@pytest.mark.parametrize(
    "arguments", [{"units": 0}, {"units": 2.0}, {"units": 2, "scale": 0.0}]
)
def test_cosine_dense_rejects_arguments_out_of_range(arguments):
    with pytest.raises(ValueError, match="Received: "):
        CosineDense(**arguments)


# OptionAShortcut.


def shortcut_in_loops(x, filters, strides):
    """Of channels-last maps: every strides-th pixel, then channels of zeros."""
    batch, height, width, channels = x.shape
    rows, columns = range(0, height, strides), range(0, width, strides)
    out = np.zeros((batch, len(rows), len(columns), filters), x.dtype)
    for i, row in enumerate(rows):
        for j, column in enumerate(columns):
            out[:, i, j, :channels] = x[:, row, column, :]
    return out


def laid_out(x, data_format):
    """Channels-last maps in `data_format`."""
    return x if data_format == "channels_last" else np.moveaxis(x, -1, 1)


@pytest.mark.parametrize("data_format", FORMATS)
@pytest.mark.parametrize("strides", [1, 2, 3])
def test_shortcut_subsamples_and_appends_zero_channels(data_format, strides):
    x = normal(2, 7, 8, 3)
    layer = OptionAShortcut(5, strides, data_format)
    np.testing.assert_array_equal(
        to_numpy(layer(laid_out(x, data_format))),
        laid_out(shortcut_in_loops(x, 5, strides), data_format),
    )


@pytest.mark.parametrize("data_format", FORMATS)
def test_shortcut_knows_its_output_shape(data_format):
    x = laid_out(normal(2, 7, 8, 3), data_format)
    layer = OptionAShortcut(5, 2, data_format)
    symbolic = layer(keras.Input(x.shape[1:]))
    real = tuple(layer(x).shape)
    assert layer.compute_output_shape(x.shape) == real
    assert tuple(symbolic.shape) == (None, *real[1:])


def test_shortcut_takes_maps_of_unknown_size():
    layer = OptionAShortcut(5, 2, "channels_last")
    assert layer.compute_output_shape((None, None, None, 3)) == (None, None, None, 5)
    assert tuple(layer(keras.Input((None, None, 3))).shape) == (None, None, None, 5)


def test_shortcut_has_the_gradient_of_the_pixels_it_keeps():
    layer = OptionAShortcut(5, 2, "channels_last")
    kept = np.zeros((1, 4, 4, 3))
    kept[:, ::2, ::2] = 1.0
    np.testing.assert_array_equal(
        gradient(lambda x: keras.ops.sum(layer(x)), normal(1, 4, 4, 3)), kept
    )


@pytest.mark.parametrize("data_format", FORMATS)
def test_shortcut_takes_the_data_format_of_keras_and_keeps_it(data_format):
    before = keras.config.image_data_format()
    try:
        keras.config.set_image_data_format(data_format)
        config = OptionAShortcut(5, 2).get_config()
    finally:
        keras.config.set_image_data_format(before)
    assert OptionAShortcut.from_config(config).data_format == data_format


def test_shortcut_has_no_parameters():
    layer = OptionAShortcut(5, 2, "channels_last")
    layer(normal(1, 4, 4, 3))
    assert layer.weights == []


@pytest.mark.parametrize("shape", [(1, 4, 4, 6), (1, 4, 3)])
def test_shortcut_rejects_more_channels_or_other_ranks(shape):
    with pytest.raises(ValueError, match="Received: input_shape="):
        OptionAShortcut(5, 2, "channels_last")(normal(*shape))


@pytest.mark.parametrize("arguments", [(0, 2), (5, 0), (5, 2.0), (5, 2, "first")])
def test_shortcut_rejects_arguments_out_of_range(arguments):
    with pytest.raises(ValueError, match="Received: "):
        OptionAShortcut(*arguments)


# Batch normalisation.


@pytest.mark.parametrize("other", [None, "network", keras.layers.Dense(1)])
def test_what_is_no_network_has_nothing_to_synchronise(other):
    with pytest.raises(ValueError, match="`network` must be a keras"):
        synchronize_batch_norm(other, synchronized=False)


# Both.


def test_a_model_with_both_layers_survives_saving(tmp_path):
    inputs = keras.Input((8, 8, 3))
    x = OptionAShortcut(5, 2, "channels_last")(inputs)
    x = keras.layers.Flatten()(x)
    head = CosineDense(4, scale=2.0, kernel_regularizer=keras.regularizers.L2(0.25))
    model = keras.Model(inputs, head(x))
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    for old, new in zip(model.layers, loaded.layers):
        assert new.get_config() == old.get_config()
    images = normal(2, 8, 8, 3)
    np.testing.assert_array_equal(
        loaded.predict(images, verbose=0), model.predict(images, verbose=0)
    )
