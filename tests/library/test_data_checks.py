"""What `M2mModel.fit` finds out about data before the first step."""

import warnings

import keras
import numpy as np
import pytest
import scipy.sparse

from helpers.compilation import normal
from helpers.m2m_cases import LOSS
from helpers.m2m_cases import UNCOMPILED
from helpers.m2m_cases import linear
from helpers.m2m_cases import sgd
from keras_m2m import M2mModel
from keras_m2m import ResampledDataset
from keras_m2m import WatchAcceptance
from keras_m2m import mlp

X = np.round(np.abs(normal(12, 4)).clip(0, 1) * 64) / 64  # What float16 holds.
Y = np.arange(12) % 3
STEP = {"steps": 1, "step_size": 0.1}


def model(counts=(20, 50, 10), mode=UNCOMPILED, **arguments):
    arguments = {"bounds": (0, 1), "seed": 0, **STEP, **arguments}
    model = M2mModel(linear(1), linear(2), counts, **arguments)
    model.compile(sgd(), LOSS, **mode)
    return model


def values(network):
    """Of all that Keras hands to a step and takes back."""
    variables = [*network.variables, *network.optimizer.variables]
    return [keras.ops.convert_to_numpy(variable) for variable in variables]


def warnings_of(network, about, **arguments):
    """Those that `fit` gives; `pytest.warns` would raise Keras' own."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        network.fit(**{"verbose": 0, **arguments})
    return [str(w.message) for w in caught if about in str(w.message)]


@pytest.fixture
def handed_on(monkeypatch):
    """What `fit` hands on to Keras, which does not train: the checks come before."""
    calls = []
    monkeypatch.setattr(keras.Model, "fit", lambda self, **given: calls.append(given))
    return calls


class Batches(keras.utils.PyDataset):
    def __init__(self, *batches):
        super().__init__()
        self.batches = batches

    def __len__(self):
        return len(self.batches)

    def __getitem__(self, index):
        return self.batches[index]


def generator(*batches):
    yield from batches


def tf_data(*batches):
    tf = pytest.importorskip("tensorflow")
    return tf.data.Dataset.from_generator(
        lambda: iter(batches),
        output_signature=tuple(
            tf.TensorSpec((None, *part.shape[1:]), part.dtype) for part in batches[0]
        ),
    )


def loader(*batches):
    data = pytest.importorskip("torch").utils.data
    return data.DataLoader(batches, batch_size=None)


PIPELINES = [Batches, generator, tf_data, loader]
BAD = {
    "0..255": (X * 255, Y, r"leave bounds=\(0.0, 1.0\)"),
    "NaN": (np.where(X > 0.9, np.nan, X), Y, "finite"),
    "integers": ((X * 255).astype("uint8"), Y, "floating point"),
    "labels 1..K": (X, Y + 1, r"0\.\.2"),
    "one-hot": (X, np.eye(3, dtype="int64")[Y], "one-hot"),
}


@pytest.mark.parametrize("pipeline", PIPELINES)
@pytest.mark.parametrize("x, y, match", BAD.values(), ids=BAD)
def test_the_first_batch_of_a_pipeline_is_looked_at(x, y, match, pipeline):
    network = model()
    before = values(network)
    with pytest.raises(ValueError, match=match):
        network.fit(pipeline((x, y)), steps_per_epoch=1, verbose=0)
    # Nothing is lost by it: on JAX, Keras takes the values away while it trains.
    for value, expected in zip(values(network), before, strict=True):
        np.testing.assert_array_equal(value, expected)


@pytest.mark.parametrize("pipeline", PIPELINES)
def test_every_batch_is_trained_on_once(pipeline):
    seen = []

    class Counting(M2mModel):
        def replace(self, x, labels, seeds, translated, accepted):
            seen.append(float(keras.ops.convert_to_numpy(x)[0, 0]))
            return x, labels

    network = Counting(linear(1), linear(2), [20, 50, 10], **STEP)
    network.compile(sgd(), LOSS, run_eagerly=True)
    batches = [(np.full((5, 4), i / 10, "float32"), Y[:5]) for i in range(4)]
    network.fit(pipeline(*batches), steps_per_epoch=4, shuffle=False, verbose=0)
    assert np.round(seen, 3).tolist() == [0.0, 0.1, 0.2, 0.3]


@pytest.fixture(scope="module")
def expected():
    """Weights after one step on X and Y."""
    network = model()
    network.fit(X, Y, shuffle=False, verbose=0)
    return network.f.get_weights()


@pytest.mark.parametrize(
    "data",
    [({"features": X}, Y), (Batches(({"features": X}, Y)),)],
    ids=["arrays", "pipeline"],
)
def test_one_named_input_may_come_by_its_name(data, expected):
    named = model()
    named.fit(*data, shuffle=False, verbose=0)
    for value, other in zip(named.f.get_weights(), expected, strict=True):
        np.testing.assert_array_equal(value, other)


def test_several_inputs_are_refused():
    with pytest.raises(ValueError, match=r"f and g have one input.*'left', 'right'"):
        model().fit({"left": X, "right": X}, Y)


@pytest.mark.parametrize("form", [list, np.asfortranarray, np.float16])
def test_samples_and_labels_may_come_in_other_forms(form, expected):
    samples = X if form is list else form(X)
    labels = Y.tolist() if form is list else Y.astype("float32")[:, None]
    other = model()
    other.fit(samples, labels, shuffle=False, verbose=0)
    for value, same in zip(other.f.get_weights(), expected, strict=True):
        np.testing.assert_allclose(value, same, rtol=1e-5)


REFUSED = {
    "sparse": (scipy.sparse.csr_matrix(X), Y, "ResampledDataset takes sparse"),
    "nothing": (None, None, "trains on samples and labels"),
    "text": (X, np.array(list("abc"))[Y], "number names by"),
    "nested lists": (X.tolist(), Y, "convert nested lists by numpy.array"),
}


@pytest.mark.parametrize("x, y, match", REFUSED.values(), ids=REFUSED)
def test_forms_that_no_backend_takes_are_refused(x, y, match):
    with pytest.raises(ValueError, match=match):
        model().fit(x, y, verbose=0)


def test_a_step_that_fails_leaves_f_as_it_was():
    network = model(mode={})
    before = network.f.get_weights()
    second_is_odd = Batches((X, Y), (X[:6, :3], Y[:6]))
    with pytest.raises(Exception, match=r"."):
        network.fit(second_is_odd, shuffle=False, verbose=0)
    with pytest.raises(Exception, match=r"."):
        network.fit(Batches((X[:, :3], Y)), verbose=0)
    network.fit(X, Y, verbose=0)
    assert np.abs(network.f.get_weights()[0] - before[0]).max() > 1e-6


# Counts.

MANY = np.repeat([0, 1, 2], [60, 30, 5])


@pytest.mark.parametrize("kind", ["arrays", "resampled", "pipeline"])
def test_counts_in_another_order_than_the_labels_give_a_warning(kind, handed_on):
    x = np.full((95, 4), 0.5, "float32")
    data = {
        "arrays": {"x": x, "y": MANY},
        "resampled": ResampledDataset(x, MANY, 32).fit_arguments,
        "pipeline": {"x": Batches((x, MANY))},
    }[kind]
    network = model(counts=[5, 30, 60])
    (message,) = warnings_of(network, "contradict the labels", **data)
    assert "60 for class 2 and 5 for class 0" in message


@pytest.mark.parametrize("counts", [[60, 30, 5], [600, 30, 5], [30, 30, 5]])
def test_counts_that_may_be_right_give_none(counts, handed_on):
    x = np.full((95, 4), 0.5, "float32")
    model(counts=counts).fit(x, MANY, verbose=0)
    model(counts=counts).fit(np.tile(x, (3, 1))[:90], np.arange(90) % 3, verbose=0)


@pytest.mark.parametrize("shares", [(10, 22), (0, 16)])
def test_a_first_batch_that_chance_may_draw_from_equal_shares_gives_none(
    shares, handed_on
):
    y = np.repeat([0, 1], shares)
    network = model(counts=[600, 60, 5])
    network.fit(Batches((np.full((len(y), 4), 0.5, "float32"), y)), verbose=0)


# Later batches.


def test_a_label_outside_in_a_later_batch_shows():
    network = model(mode={})
    batches = Batches((X, Y), (X, Y + 1))
    if keras.config.backend() == "jax":
        assert np.isnan(network.fit(batches, verbose=0).history["loss"])
    else:
        # PyTorch reads it; TensorFlow looks a class up that is not there.
        error = ValueError if keras.config.backend() == "torch" else Exception
        with pytest.raises(error, match=r"Labels must lie|indices"):
            network.fit(batches, verbose=0)
    assert all(np.isfinite(weight).all() for weight in network.f.get_weights())


def test_a_nan_in_a_later_batch_shows_in_the_loss():
    # ReLU makes 0 of NaN: without a check f would be NaN and the loss finite.
    bad = X.copy()
    bad[0, 0] = np.nan
    network = M2mModel(mlp(3, (4,), 4), mlp(3, (4,), 4), [20, 50, 10], **STEP)
    network.compile(sgd(), LOSS)
    stop = keras.callbacks.TerminateOnNaN()
    history = network.fit(
        Batches((X, Y), (bad, Y), (X, Y)), epochs=3, callbacks=[stop], verbose=0
    )
    assert len(history.epoch) == 1
    assert np.isnan(history.history["loss"]).all()


# Rates.


def accepting_nothing(**arguments):
    network = model(gamma=1.0, counts=[5, 500, 5], **arguments)
    batches = ResampledDataset(np.tile(X, (50, 1)), np.tile(Y, 50), 200, "class", 2)
    return network, {**batches.fit_arguments, "verbose": 0}


def test_no_accepted_translation_gives_a_warning_once():
    network, arguments = accepting_nothing()
    (message,) = warnings_of(network, "accepted 0", **arguments)
    assert "Epoch 0" in message
    assert "Scale samples" in message


def test_a_callback_that_watches_takes_the_place_of_the_warning():
    network, arguments = accepting_nothing()
    network.fit(**arguments, callbacks=[WatchAcceptance(least=0)])


# Weights.


@pytest.mark.parametrize("make", [np.array, list, lambda w: dict(enumerate(w))])
def test_class_weights_may_be_an_array(make, handed_on):
    model().fit(X, Y, class_weight=make([1.0, 0.5, 3.0]))
    assert handed_on[0]["class_weight"] == {0: 1.0, 1: 0.5, 2: 3.0}


@pytest.mark.parametrize("weights", ["balanced", [1.0, 2.0], np.ones((3, 2))])
def test_other_class_weights_are_refused(weights):
    with pytest.raises(ValueError, match="`class_weight` must be a dict, or an array"):
        model().fit(X, Y, class_weight=weights)


# Steps and noise.


@pytest.mark.parametrize(
    "bounds, expected", [((0, 1), 0.1), ((0, 255), 25.5), ((-1, 1), 0.2)]
)
def test_step_and_noise_follow_the_bounds(bounds, expected):
    network = model(bounds=bounds, step_size=None)
    assert network.step_size == network.noise == pytest.approx(expected)
    given = model(bounds=bounds, step_size=0.3, noise=0)
    assert (given.step_size, given.noise) == (0.3, 0)
