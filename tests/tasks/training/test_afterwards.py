"""What is done with a trained network on a stream of samples."""

from dataclasses import replace

import numpy as np
import pytest

from helpers import tiny
from keras_m2m.recipes import After
from tasks.training import afterwards

# On arrays it is tested on every backend, in records/test_afterwards.
pytestmark = pytest.mark.no_backend


class Stream:
    """Samples by their numbers, which `augment` turns into points."""

    def __init__(self, points):
        self.points = points

    def __len__(self):
        return len(self.points)

    def __getitem__(self, rows):
        return np.asarray(rows)


@pytest.fixture
def streamed():
    data = tiny.blobs(tiny.settings())
    points, labels = data.train

    def augment(rows, rngs):
        noise = np.array([rng.normal(0, 1e-3, size=2) for rng in rngs])
        return (points[rows] + noise).astype("float32")

    return data, replace(data, train=(Stream(points), labels), augment=augment)


def test_a_stream_has_the_features_of_one_crop_of_each_sample(streamed):
    data, stream = streamed
    f = tiny.build(data, "dense", tiny.settings())
    settings = tiny.settings(method="erm").followed_by(After("ncm"))
    means = []
    for own in (data, stream, stream):
        network, _ = afterwards.done_after(f, own, settings, {})
        means.append(network.get_weights()[-1])
    of_arrays, of_stream, again = means
    np.testing.assert_array_equal(of_stream, again)
    assert (of_stream != of_arrays).any()
    np.testing.assert_allclose(of_stream, of_arrays, atol=2e-3)


class Points(Stream):
    """Samples as networks take them."""

    def __init__(self, points):
        super().__init__(points)
        self.shape = points.shape

    def __getitem__(self, rows):
        return self.points[rows]


def test_a_stream_of_samples_has_their_own_features():
    data = tiny.blobs(tiny.settings())
    points, labels = data.train
    stream = replace(data, train=(Points(points), labels), augment=None)
    f = tiny.build(data, "dense", tiny.settings())
    settings = tiny.settings(method="erm").followed_by(After("ncm"))
    of_arrays, of_stream = (
        afterwards.done_after(f, own, settings, {})[0].get_weights()[-1]
        for own in (data, stream)
    )
    np.testing.assert_array_equal(of_stream, of_arrays)
