import keras
import numpy as np
import pytest
import scipy.stats

from helpers.gradients import to_numpy
from helpers.numbered_samples import SAMPLINGS
from helpers.numbered_samples import dataset
from helpers.numbered_samples import numbered
from helpers.numbered_samples import order
from helpers.numbered_samples import samples_of
from keras_m2m.sampling import ResampledDataset

# The order of samples.


@pytest.mark.parametrize("sampling", SAMPLINGS)
def test_the_order_is_a_function_of_seed_and_epoch(sampling):
    assert order(dataset(sampling=sampling)) == order(dataset(sampling=sampling))


@pytest.mark.parametrize("sampling", SAMPLINGS)
def test_a_later_start_sees_the_same_epochs(sampling):
    whole, rest = dataset(sampling=sampling), dataset(sampling=sampling, first_epoch=2)
    assert len(rest) == whole.steps_per_epoch
    assert order(rest) == order(whole, start=2 * whole.steps_per_epoch)


@pytest.mark.parametrize("sampling", SAMPLINGS)
def test_batches_may_be_asked_for_in_any_order(sampling):
    data = dataset(sampling=sampling)
    backwards = [data[i] for i in reversed(range(len(data)))]
    assert samples_of(reversed(backwards)).tolist() == order(data)


@pytest.mark.parametrize("sampling", SAMPLINGS)
def test_another_seed_gives_another_order(sampling):
    data, other = dataset(sampling=sampling), dataset(sampling=sampling, seed=1)
    assert order(data) != order(other)


@pytest.mark.parametrize("sampling", SAMPLINGS)
def test_each_epoch_has_another_order(sampling):
    data = dataset(sampling=sampling)
    epochs = np.reshape(order(data), (3, -1))
    assert len({tuple(epoch) for epoch in epochs.tolist()}) == 3


@pytest.mark.parametrize("sampling", SAMPLINGS)
def test_samples_keep_their_labels(sampling):
    _, y = numbered()
    data = dataset(sampling=sampling)
    for i in range(len(data)):
        batch, labels = data[i]
        assert (labels == y[batch[:, 0].astype(int)]).all()


@pytest.mark.parametrize("sampling", SAMPLINGS)
@pytest.mark.parametrize("batch_size", [1, 4, 5, 12, 30])
def test_an_epoch_is_the_least_number_of_full_batches(sampling, batch_size):
    data = dataset(sampling=sampling, batch_size=batch_size)
    assert data.steps_per_epoch == {1: 12, 4: 3, 5: 3, 12: 1, 30: 1}[batch_size]
    assert len(data) == 3 * data.steps_per_epoch
    assert all(len(y) == batch_size for _, y in (data[i] for i in range(len(data))))


@pytest.mark.parametrize("augment", [None, lambda x, rng: x + rng.random() - 0.5])
def test_instance_order_is_that_of_the_formula(augment):
    rngs = [np.random.default_rng([7, epoch]) for epoch in range(3)]
    expected = np.concatenate([rng.permutation(12) for rng in rngs])
    data = dataset(seed=7, augment=augment)
    drawn = np.concatenate([data[i][0][:, 0] for i in range(len(data))])
    assert np.rint(drawn).astype(int).tolist() == expected.tolist()


@pytest.mark.parametrize("augment", [None, lambda x, rng: x + rng.random() - 0.5])
def test_class_order_is_that_of_the_formula(augment):
    _, y = numbered()
    expected = []
    for epoch in range(3):
        rng = np.random.default_rng([7, epoch])
        classes = rng.integers(3, size=12)
        within = rng.integers(np.array([3, 8, 1])[classes])
        expected += [np.flatnonzero(y == k)[i] for k, i in zip(classes, within)]
    data = dataset(seed=7, augment=augment, sampling="class")
    drawn = np.concatenate([data[i][0][:, 0] for i in range(len(data))])
    assert np.rint(drawn).astype(int).tolist() == expected


# Instance-balanced sampling.


def test_instance_sampling_has_each_sample_once_an_epoch():
    for epoch in np.reshape(order(dataset()), (3, 12)):
        assert sorted(epoch) == list(range(12))


@pytest.mark.parametrize("batch_size, copies", [(5, 1), (30, 2)])
def test_the_last_batch_is_filled_from_the_next_permutation(batch_size, copies):
    data = dataset(batch_size=batch_size)
    for epoch in np.reshape(order(data), (3, -1)):
        for start in range(0, 12 * copies, 12):
            assert sorted(epoch[start : start + 12]) == list(range(12))
        rest = epoch[12 * copies :]
        assert len(rest)
        assert len(set(rest)) == len(rest)


def test_an_epoch_may_have_fewer_samples():
    data = dataset(samples_per_epoch=5)
    assert data.steps_per_epoch == 2
    assert len(set(order(data, stop=2))) == 8


def test_an_epoch_may_have_more_samples():
    data = dataset(samples_per_epoch=24)
    assert data.steps_per_epoch == 6
    assert np.bincount(order(data, stop=6)).tolist() == [2] * 12


# Class-balanced sampling.


def test_classes_are_drawn_uniformly():
    data = dataset((30, 500, 1, 7), batch_size=500, sampling="class", epochs=4)
    _, y = numbered((30, 500, 1, 7))
    counts = np.bincount(y[order(data)])
    assert scipy.stats.chisquare(counts).pvalue > 1e-3


def test_samples_are_drawn_uniformly_from_their_class():
    data = dataset((30, 90, 6), batch_size=500, sampling="class", epochs=10)
    _, y = numbered((30, 90, 6))
    drawn = np.bincount(order(data), minlength=len(y))
    for k in range(3):
        assert scipy.stats.chisquare(drawn[y == k]).pvalue > 1e-3


def test_draws_do_not_depend_on_one_another():
    data = dataset((40, 4), batch_size=100, sampling="class", epochs=20)
    _, y = numbered((40, 4))
    classes = y[order(data)]
    pairs = np.bincount(2 * classes[:-1] + classes[1:])
    assert scipy.stats.chisquare(pairs).pvalue > 1e-3


def test_class_sampling_needs_samples_of_every_class():
    x, y = np.zeros((4, 1)), np.array([0, 0, 2, 2])
    with pytest.raises(ValueError, match="Received: labels up to 2 in 4 samples"):
        ResampledDataset(x, y, sampling="class")


def test_class_sampling_recognises_labels_that_start_at_1():
    x, y = np.zeros((4, 1)), np.array([1, 1, 2, 2])
    with pytest.raises(ValueError, match="use y - 1"):
        ResampledDataset(x, y, sampling="class")


# In `fit`.


class Recorder(keras.Model):
    """A model that writes down the batches it is trained on."""

    def __init__(self):
        super().__init__()
        self.dense = keras.layers.Dense(3)
        self.seen = []

    def call(self, x):
        return self.dense(x)

    def train_step(self, *state_and_data):
        x, _ = state_and_data[-1]
        self.seen += to_numpy(x)[:, 0].astype(int).tolist()
        return super().train_step(*state_and_data)


@pytest.mark.parametrize("sampling", SAMPLINGS)
@pytest.mark.parametrize("first_epoch", [0, 2])
def test_fit_sees_the_batches_one_after_the_other(sampling, first_epoch):
    data = dataset(sampling=sampling, first_epoch=first_epoch, epochs=4)
    model, epochs = Recorder(), []
    # Without compilation, so that the batches can be read.
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile("sgd", loss, run_eagerly=True)
    callback = keras.callbacks.LambdaCallback(
        on_epoch_begin=lambda epoch, _: epochs.append((epoch, len(model.seen)))
    )
    model.fit(**data.fit_arguments, callbacks=[callback], verbose=0)
    assert model.seen == order(data)
    assert epochs == [(e, 12 * (e - first_epoch)) for e in range(first_epoch, 4)]


# Errors.


@pytest.mark.parametrize(
    "arguments",
    [
        {"batch_size": 0},
        {"batch_size": 2.0},
        {"batch_size": 2**33},
        {"sampling": "balanced"},
        {"sampling": np.array(["class"])},
        {"epochs": -1},
        {"epochs": 2**62},
        {"first_epoch": -1},
        {"first_epoch": 4},
        {"seed": -1},
        {"augment": "flip"},
        {"samples_per_epoch": 0},
        {"samples_per_epoch": 1.5},
        {"samples_per_epoch": 2**40},
    ],
)
def test_arguments_out_of_range_are_rejected(arguments):
    with pytest.raises(ValueError, match="Received: "):
        dataset(**arguments)


@pytest.mark.parametrize(
    "x, y, received",
    [
        (np.zeros((3, 1)), [0, 1], r"len\(x\)=3, len\(y\)=2"),
        (np.zeros((2, 1), "uint8"), [0, 1], "x.dtype=uint8"),
        (np.array([[0.0], [np.nan]]), [0, 1], "1 values of NaN"),
        (np.zeros(2), [0, 1], r"x.shape=\(2,\)"),
        (np.zeros((0, 1)), [], r"x.shape=\(0, 1\)"),
        (np.zeros((2, 1)), [0, -1], "labels from -1 to 0"),
        (np.zeros((2, 1)), [[0, 1], [1, 0]], r"y.shape=\(2, 2\)"),
        (np.zeros((2, 1)), [0.0, 0.5], "y.dtype=float64"),
        ("ab", [0, 1], r"x.shape=\(\)"),
        ({"a": [0.0], "b": [1.0]}, [0, 1], r"x.shape=\(\)"),
    ],
)
def test_samples_and_labels_that_do_not_fit_are_rejected(x, y, received):
    with pytest.raises(ValueError, match=f"Received: .*{received}"):
        ResampledDataset(x, np.array(y))


def test_a_loop_over_a_dataset_ends():
    data = dataset()
    assert samples_of(data).tolist() == order(data)
    with pytest.raises(IndexError):
        data[len(data)]


def test_labels_of_one_column_are_taken_as_a_vector():
    x, y = numbered()
    assert ResampledDataset(x, y[:, None], batch_size=4)[0][1].shape == (4,)


# A process' part of each batch.


@pytest.mark.parametrize("sampling", SAMPLINGS)
def test_parts_of_batches_join_to_the_batches_of_one_process(sampling):
    arguments = {"sampling": sampling, "augment": lambda x, rng: x + rng.random()}
    whole = dataset(**arguments)
    parts = [dataset(shard=(i, 2), **arguments) for i in range(2)]
    assert {len(part) for part in parts} == {len(whole)}
    for index in range(len(whole)):
        for joined, expected in zip(zip(*(p[index] for p in parts)), whole[index]):
            np.testing.assert_array_equal(np.concatenate(joined), expected)


@pytest.mark.parametrize("shard", [(2, 2), (-1, 2), (0, 3), (0, 0), (0.5, 2), 1])
def test_a_shard_that_is_none_is_an_error(shard):
    with pytest.raises(ValueError, match="Received"):
        dataset(shard=shard)


def test_any_rows_are_augmented_alike_in_each_process():
    x, _ = numbered()
    rows = np.array([5, 0, 5])
    seen = [
        dataset(shard=(i, 2), augment=lambda x, rng: x + rng.random()).augmented[rows]
        for i in range(2)
    ]
    np.testing.assert_array_equal(*seen)
    moved = seen[0] - x[rows]
    assert 0 < moved[0, 0] < 1
    np.testing.assert_allclose(moved, moved[0, 0], rtol=1e-5)
