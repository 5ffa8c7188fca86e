import inspect

import keras
import numpy as np
import pytest

from helpers.compilation import normal
from helpers.m2m_cases import LOSS
from helpers.m2m_cases import UNCOMPILED
from helpers.m2m_cases import linear
from keras_m2m import CosineDense
from keras_m2m import M2mModel
from keras_m2m import ResampledDataset
from keras_m2m import mlp
from keras_m2m.m2m_model import check_networks

layers = keras.layers


def sequential(*stack, shape=(4,)):
    return keras.Sequential([keras.Input(shape), *stack])


def refused(f, g, match, num_classes=3):
    with pytest.raises(ValueError, match=match):
        check_networks(f, g, num_classes)


# The two networks.

SQUASHED = {
    "softmax": lambda: sequential(layers.Dense(3, "softmax")),
    "sigmoid": lambda: sequential(layers.Dense(3, "sigmoid")),
    "softmax function": lambda: sequential(layers.Dense(3, keras.ops.softmax)),
    "softmax activation": lambda: sequential(
        layers.Dense(3), layers.Activation("softmax")
    ),
    "softmax layer": lambda: sequential(layers.Dense(3), layers.Softmax()),
    "softmax operation": lambda: ending_in(keras.ops.softmax),
    "sigmoid operation": lambda: ending_in(keras.ops.sigmoid),
    "nested": lambda: sequential(
        layers.Dense(5), sequential(layers.Dense(3, "softmax"), shape=(5,))
    ),
    "nested, functional": lambda: nested_functional(),
}


def ending_in(operation):
    inputs = keras.Input((4,))
    return keras.Model(inputs, operation(layers.Dense(3)(inputs)))


def nested_functional():
    inputs = keras.Input((4,))
    inner = keras.Model(inputs, layers.Dense(3, "softmax")(inputs))
    outer = keras.Input((4,))
    return keras.Model(outer, inner(outer))


@pytest.mark.parametrize("name", ["f", "g"])
@pytest.mark.parametrize("build", SQUASHED.values(), ids=SQUASHED)
def test_a_network_of_probabilities_is_refused(build, name):
    pair = {"f": linear(1), "g": linear(2), name: build()}
    match = f"`{name}` must return logits.*remove the activation.*from_logits=True"
    refused(pair["f"], pair["g"], match)


def test_squashed_hidden_layers_are_welcome():
    check_networks(
        sequential(layers.Dense(5, "sigmoid"), layers.Dense(3)),
        sequential(layers.Softmax(), layers.Dense(3, "linear")),
        num_classes=3,
    )


def test_logits_may_come_out_of_an_operation():
    f, g = (ending_in(lambda logits: logits / 2.0) for _ in range(2))
    model = M2mModel(f, g, class_counts=[8, 4, 2], step_size=0.1)
    model.compile("sgd", LOSS)
    losses = model.fit(normal(6, 4), np.arange(6) % 3, verbose=0).history["loss"]
    assert np.isfinite(losses).all()


def test_a_single_logit_of_three_classes_is_refused():
    f, g = linear(1), sequential(layers.Dense(1))
    refused(f, g, r"(?s)`g` must return one logit for each of the 3.*\(None, 1\)")


def test_another_number_of_logits_than_of_classes_is_refused():
    refused(linear(1), linear(2), r"4 entries of `class_counts`", num_classes=4)


def test_logits_with_more_axes_are_refused():
    f, g = (sequential(layers.Dense(3), shape=(2, 4)) for _ in range(2))
    refused(f, g, r"of shape \(batch, 3\)")


def two_inputs():
    ends = [keras.Input((2,)), keras.Input((2,))]
    return keras.Model(ends, layers.Dense(3)(layers.Concatenate()(ends)))


def two_outputs():
    inputs = keras.Input((4,))
    return keras.Model(inputs, [layers.Dense(3)(inputs), layers.Dense(3)(inputs)])


@pytest.mark.parametrize("build", [two_inputs, two_outputs])
def test_several_inputs_or_outputs_are_refused(build):
    what = build.__name__.replace("two_", "2 ")
    refused(build(), linear(2), f"`f` must have one input and one output.*{what}")


def test_an_unbuilt_network_is_refused():
    f = keras.Sequential([layers.Dense(3)])
    refused(f, linear(2), "`f` must be a built keras.Model; give its input shape")


def test_something_else_than_a_network_is_refused():
    refused(linear(1), np.tanh, "`g` must be a built keras.Model")


def test_different_input_shapes_are_refused():
    refused(linear(1), sequential(layers.Dense(3), shape=(5,)), "the same inputs")


def test_one_network_in_both_roles_is_refused():
    network = linear(1)
    refused(network, network, "must not share layers.*Build two models")


def test_a_shared_layer_is_refused():
    shared = layers.Dense(5)
    f, g = (sequential(shared, layers.Dense(3)) for _ in range(2))
    refused(f, g, "Received: 2 shared variables")


def test_g_with_plain_cosines_is_refused():
    g = mlp(3, (4,), hidden=5, head="cosine")
    refused(linear(1), g, "`g` must not end in a CosineDense of scale 1.*Dense head")


def test_g_with_scaled_cosines_is_welcome():
    check_networks(linear(1), sequential(CosineDense(3, scale=30)), num_classes=3)


def test_f_with_plain_cosines_is_welcome():
    check_networks(mlp(3, (4,), hidden=5, head="cosine"), linear(2), num_classes=3)


def test_the_model_checks_its_networks():
    with pytest.raises(ValueError, match="must not share layers"):
        M2mModel(network := linear(1), network, [1, 2, 3])


# The other arguments.


@pytest.mark.parametrize(
    "argument",
    [
        {"beta": 1.0},
        {"beta": -0.1},
        {"gamma": 1.1},
        {"gamma": -0.1},
        {"gamma": float("nan")},
        {"gamma": "high"},
        {"lam": -0.1},
        {"lam": float("nan")},
        {"steps": 0},
        {"steps": 2.5},
        {"step_size": 0.0},
        {"step_size": float("inf")},
        {"noise": -0.1},
        {"bounds": (1, 0)},
        {"bounds": (0, 0)},
        {"bounds": (0, 1, 2)},
        {"bounds": "01"},
    ],
    ids=str,
)
def test_an_argument_outside_its_range_is_refused_by_name(argument):
    ((name, value),) = argument.items()
    with pytest.raises(ValueError, match=f"`{name}` .*Received: {name}=") as info:
        M2mModel(linear(1), linear(2), [1, 2, 3], **argument)
    assert str(value) in str(info.value)


@pytest.mark.parametrize("counts", [[1, 2], [1, 2, 3, 4]])
def test_another_number_of_counts_than_of_logits_is_refused(counts):
    with pytest.raises(ValueError, match=f"{len(counts)} entries of `class_counts`"):
        M2mModel(linear(1), linear(2), counts)


@pytest.mark.parametrize("counts", [[1, 2, 0], [1, 2, -3], [1, 2, 2.5]])
def test_counts_that_count_nothing_are_refused(counts):
    with pytest.raises(ValueError, match="positive"):
        M2mModel(linear(1), linear(2), counts)


@pytest.mark.parametrize(
    "name", list(inspect.signature(M2mModel.__init__).parameters)[1:]
)
def test_every_argument_is_explained(name):
    assert f"\n    {name}: " in inspect.getdoc(M2mModel)


# What goes into fit.


def model(bounds=None):
    settings = {"bounds": bounds, "steps": 1, "step_size": 0.1}
    model = M2mModel(linear(1), linear(2), [5, 50, 5], **settings)
    model.compile("sgd", LOSS, **UNCOMPILED)
    return model


def samples(value):
    x = np.full((6, 4), 0.5, "float32")
    x[2, 1] = value
    return x


LABELS = np.arange(6) % 3
BAD_DATA = {
    "nan": (samples(np.nan), LABELS, "finite.*1 values of NaN"),
    "infinite": (samples(np.inf), LABELS, "finite"),
    "below": (samples(-0.1), LABELS, r"leave bounds=\(0.0, 1.0\)"),
    "above": (samples(1.1), LABELS, r"leave bounds=\(0.0, 1.0\).*to 1.1"),
    "integers": (
        samples(0).astype("uint8"),
        LABELS,
        r"scale images to \[0, 1",
    ),
    "one-hot": (samples(0), np.eye(3)[LABELS], r"not one-hot; use y.argmax\(axis=1\)"),
    "several": (samples(0), np.ones((6, 3)), "these rows name several classes"),
    "scores": (samples(0), np.full((6, 3), 0.3), "scores .* is the likeliest"),
    "fractions": (samples(0), LABELS / 2, "Labels must be integers"),
    "too large": (samples(0), LABELS + 1, r"0\.\.2.*from 1 to 3"),
    "negative": (samples(0), LABELS - 1, r"0\.\.2.*from -1 to 1"),
}


@pytest.mark.parametrize("x, y, match", BAD_DATA.values(), ids=BAD_DATA)
def test_fit_refuses_arrays_that_do_not_fit(x, y, match):
    with pytest.raises(ValueError, match=match):
        model(bounds=(0, 1)).fit(x, y, verbose=0)


@pytest.mark.parametrize("bad", ["above", "too large"])
def test_fit_refuses_tensors_that_do_not_fit(bad):
    x, y, match = BAD_DATA[bad]
    x, y = keras.ops.convert_to_tensor(x), keras.ops.convert_to_tensor(y)
    with pytest.raises(ValueError, match=match):
        model(bounds=(0, 1)).fit(x, y, verbose=0)


@pytest.mark.parametrize("bad", ["below", "above", "too large"])
def test_fit_refuses_a_resampled_dataset_that_does_not_fit(bad):
    x, y, match = BAD_DATA[bad]
    batches = ResampledDataset(x, y, batch_size=3)
    with pytest.raises(ValueError, match=match):
        model(bounds=(0, 1)).fit(**batches.fit_arguments, verbose=0)


def test_samples_on_the_bounds_are_welcome():
    history = model(bounds=(0, 1)).fit(np.eye(6, 4), LABELS, verbose=0)
    assert np.isfinite(history.history["loss"]).all()


class Batches(keras.utils.PyDataset):
    """One batch that nobody has looked at."""

    def __init__(self, *batch):
        super().__init__()
        self.batch = batch

    def __len__(self):
        return 1

    def __getitem__(self, index):
        return self.batch


@pytest.mark.parametrize("compiled", [False, True])
@pytest.mark.parametrize("bad", ["integers", "one-hot"])
def test_a_step_refuses_shapes_and_dtypes_that_do_not_fit(bad, compiled):
    x, y, _ = BAD_DATA[bad]
    match = r"scale images to \[0, 1\]" if bad == "integers" else "not one-hot"
    network = model()
    network.compile("sgd", LOSS, run_eagerly=not compiled)
    with pytest.raises(ValueError, match=match):
        network.fit(Batches(x, y), verbose=0)


def test_a_step_refuses_samples_without_labels():
    with pytest.raises(ValueError, match=r"samples and labels\. Received: y=None"):
        model().fit(normal(6, 4), verbose=0)


def test_fit_before_compile_says_so():
    model = M2mModel(linear(1), linear(2), [20, 50, 10])
    with pytest.raises(ValueError, match=r"call `compile\(\)`"):
        model.fit(normal(6, 4), np.arange(6) % 3)
