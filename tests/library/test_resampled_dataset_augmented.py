"""What `augment` of a `ResampledDataset` is given, and what it draws."""

import numpy as np
import pytest

from helpers.numbered_samples import dataset
from helpers.numbered_samples import numbered
from keras_m2m.sampling import ResampledDataset


def logged_augmentation(**arguments):
    """The dataset, and a list of `(samples, first random number)` of its calls."""
    calls = []

    def augment(x, rng):
        calls.append((x, rng.random()))
        return -x

    return dataset(augment=augment, **arguments), calls


def test_augmentation_gets_whole_batches_and_its_result_is_the_batch():
    data, calls = logged_augmentation()
    batch, _ = data[1]
    (x, _), plain = calls[0], dataset()[1][0]
    np.testing.assert_array_equal(x, plain)
    np.testing.assert_array_equal(batch, -plain)


def test_augmentation_does_not_change_the_samples_themselves():
    def augment(x, rng):
        x += 1
        return x

    data = dataset(augment=augment)
    for i in range(len(data)):
        data[i]
    np.testing.assert_array_equal(data.x, numbered()[0])


def random_numbers(**arguments):
    data, calls = logged_augmentation(**arguments)
    for i in range(len(data)):
        data[i]
    return [number for _, number in calls]


def test_augmentation_draws_anew_at_each_seed_epoch_and_step():
    numbers = random_numbers() + random_numbers(seed=1)
    assert len(set(numbers)) == 2 * 3 * 3


def test_augmentation_is_the_same_after_a_restart():
    assert random_numbers(first_epoch=1) == random_numbers()[3:]


def first_draws(seed, step):
    """The classes of a batch, and the first numbers that its augmentation draws."""
    draws = []

    def augment(x, rng):
        draws.extend(rng.integers(9, size=len(x)))
        return x

    arguments = {"sampling": "class", "batch_size": 16, "samples_per_epoch": 32}
    data = dataset((4,) * 10, seed=seed, augment=augment, **arguments)
    return data[step][1], np.array(draws)


@pytest.mark.parametrize("step", [0, 1])
def test_augmentation_does_not_depend_on_the_class(step):
    drawn = [first_draws(seed, step) for seed in range(100)]
    classes, offsets = map(np.concatenate, zip(*drawn))
    # 1,600 pairs: a correlation of 0.1 is four standard deviations from 0.
    assert abs(np.corrcoef(classes, offsets)[0, 1]) < 0.1


class Stream:
    """Samples that are read by the batch, rows of whatever is given."""

    def __init__(self, samples):
        self.samples = samples

    def __len__(self):
        return len(self.samples)

    def __getitem__(self, rows):
        return self.samples[rows]


@pytest.mark.parametrize(
    "augment, message",
    [
        (lambda x, rng: x[:1], r"`augment` .* Received: shape=\(1, 1\) for 4 samples"),
        (lambda x, rng: None, r"`augment` .* Received: shape=\(\) for 4 samples"),
        (lambda x, rng: x * np.nan, "`augment` .* Received: 4 values of NaN"),
        (lambda x, rng: x.astype("uint8"), "`augment` .* Received: x.dtype=uint8"),
    ],
    ids=["rows", "nothing", "NaN", "integers"],
)
def test_augmentation_that_gives_no_batch_is_named(augment, message):
    for x in (numbered()[0], Stream(numbered()[0])):
        with pytest.raises(ValueError, match=message):
            ResampledDataset(x, numbered()[1], 4, augment=augment)[0]


def test_a_stream_that_gives_no_batch_is_named():
    x = Stream(np.full((12, 1), np.nan))
    with pytest.raises(ValueError, match=r"`x` .* Received: 4 values of NaN"):
        ResampledDataset(x, numbered()[1], 4)[0]
