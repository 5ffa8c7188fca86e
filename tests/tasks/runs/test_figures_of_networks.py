"""The paper's figures of networks: features, and from data and networks to files."""

from dataclasses import replace

import numpy as np
import pytest

import keras_m2m
from helpers import tiny
from helpers.gradients import to_numpy
from helpers.svg import texts
from tasks.runs import figures

NETWORKS = {
    "mlp": lambda: keras_m2m.mlp(3, (4,), hidden=5),
    "mlp, cosine": lambda: keras_m2m.mlp(3, (4,), hidden=5, head="cosine"),
    "resnet": lambda: keras_m2m.cifar_resnet(8, 3, input_shape=(8, 8, 3)),
}


@pytest.mark.no_backend
@pytest.mark.parametrize("network", NETWORKS)
def test_features_are_what_the_last_layer_turns_into_the_output(network):
    f = NETWORKS[network]()
    x = np.random.default_rng(0).random((6, *f.input_shape[1:])).astype("float32")
    inner = figures.features(f, x)
    assert inner.ndim == 2
    np.testing.assert_allclose(
        to_numpy(f.layers[-1](inner)), to_numpy(f(x, training=False)), atol=1e-5
    )


def test_networks_give_one_panel_each(tmp_path):
    data = tiny.blobs(tiny.settings())
    networks = {name: tiny.build(data, "dense", tiny.settings()) for name in "ab"}
    paths = figures.draw_from_networks(data, networks, tmp_path)
    _, svg = paths["feature_embedding"]
    assert {"a", "b", "left (40)", "right (12)", "top (4)"} <= set(texts(svg))


class Stream:
    """Samples that `augment` has yet to make, as those of encoded images."""

    def __init__(self, samples):
        self.samples = samples

    def __len__(self):
        return len(self.samples)

    def __getitem__(self, rows):
        return [lambda row=row: self.samples[row] for row in rows]


def test_of_a_stream_the_chosen_rows_are_made_into_samples(tmp_path):
    data = tiny.blobs(tiny.settings())
    f = tiny.build(data, "dense", tiny.settings())
    samples, labels = data.train

    def augment(reads, rngs):
        assert len({rng.random() for rng in rngs}) == len(reads)
        return np.stack([read() for read in reads])

    stream = replace(data, train=(Stream(samples), labels), augment=augment)
    once, again = (
        figures.draw_from_networks(given, {"f": f}, tmp_path / name)
        for name, given in (("array", data), ("stream", stream))
    )
    png, other = once["feature_embedding"][0], again["feature_embedding"][0]
    assert png.read_bytes() == other.read_bytes()
