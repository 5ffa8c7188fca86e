"""CMO as a function of a batch and of drawn numbers, and the pairs that it takes."""

import keras
import numpy as np
import pytest

from helpers.compilation import MODES
from helpers.compilation import normal
from helpers.compilation import run
from helpers.gradients import to_numpy
from helpers.m2m_cases import LOSS
from helpers.m2m_cases import convolutional
from helpers.m2m_cases import image_shape
from keras_m2m import CMO
from keras_m2m import MixingModel
from keras_m2m import PairedDataset
from keras_m2m import ResampledDataset

FIRST = keras.config.image_data_format() == "channels_first"
LABELS = np.array([0, 1, 0, 2], "int32")


def images(height, width):
    shape = (4, 2, height, width) if FIRST else (4, height, width, 2)
    return normal(*shape)


def box(height, width, lam, y, x):
    """CutMix's, as its released code has it: a mask, and the share that is left."""
    ratio = np.sqrt(1 - lam)
    cut_h, cut_w = int(height * ratio), int(width * ratio)
    cy, cx = int(y * height), int(x * width)
    mask = np.zeros((height, width), bool)
    top, left = max(cy - cut_h // 2, 0), max(cx - cut_w // 2, 0)
    mask[top : cy + cut_h // 2, left : cx + cut_w // 2] = True
    return (mask if FIRST else mask[:, :, None]), 1 - mask.mean()


def draws(lam, y, x, mixes=0.4):
    """Under alpha 1, whose beta is 1/2 + sqrt(1 - v) * cos / 2, with cos 1 or -1."""
    v, cosine = 1 - (2 * lam - 1) ** 2, 0.0 if lam >= 0.5 else 0.5
    return np.array([mixes, v, cosine, y, x, 0.9, 0.1, 0.7, 0.3], "float32")


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("lam, y, x", [(0.3, 0.5, 0.4), (0.6, 0.0, 0.99)])
def test_a_patch_of_the_foreground_is_pasted_into_the_background(mode, lam, y, x):
    samples = images(8, 12)
    mask, share = box(8, 12, lam, y, x)
    new, a, b, shares, partners, rows = run(
        mode, CMO().mix, samples, LABELS, draws(lam, y, x)
    )
    np.testing.assert_array_equal(new, np.where(mask, samples[1::2], samples[::2]))
    np.testing.assert_array_equal(a, LABELS[::2])
    np.testing.assert_array_equal(b, LABELS[1::2])
    np.testing.assert_allclose(shares, [share, share], rtol=1e-6)
    assert 0 < share < 1
    assert (rows.tolist(), partners.tolist()) == ([0, 2], [1, 3])


def test_without_pairs_foregrounds_are_other_rows_of_the_batch():
    samples = images(8, 8)
    found = CMO(paired=False).mix(samples, LABELS, draws(0.3, 0.5, 0.5))
    new, a, b, _, partners, rows = (to_numpy(part) for part in found)
    order = [1, 3, 2, 0]  # Of 0.9, 0.1, 0.7, 0.3.
    mask, _ = box(8, 8, 0.3, 0.5, 0.5)
    np.testing.assert_array_equal(new, np.where(mask, samples[order], samples))
    assert (rows.tolist(), partners.tolist()) == ([0, 1, 2, 3], order)
    np.testing.assert_array_equal(b, LABELS[order])
    np.testing.assert_array_equal(a, LABELS)


def test_a_batch_stays_as_it_is_with_the_other_half_of_the_chance():
    samples = images(8, 8)
    found = CMO().mix(samples, LABELS, draws(0.3, 0.5, 0.5, mixes=0.5))
    np.testing.assert_array_equal(to_numpy(found.x), samples[::2])
    np.testing.assert_array_equal(to_numpy(found.share), [1, 1])


def test_only_images_have_patches():
    with pytest.raises(ValueError, match=r"mixes images.*Received"):
        CMO()(normal(4, 3), LABELS, seed=1)


@pytest.mark.parametrize("change", [{"probability": 2}, {"alpha": 0}, {"paired": 1}])
def test_arguments_out_of_range_are_refused(change):
    with pytest.raises(ValueError, match="Received: "):
        CMO(**change)


# Pairs.


def dataset(seed=0, **arguments):
    """Rows that hold their own number."""
    x = np.arange(12, dtype="float32").reshape(12, 1)
    arguments = {"batch_size": 4, "epochs": 2, "seed": seed, **arguments}
    return ResampledDataset(x, np.arange(12) // 6, **arguments)


@pytest.mark.no_backend
def test_pairs_are_rows_of_both_data_sets_in_turn():
    first, second = dataset(), dataset(1, sampling="class")
    pairs = PairedDataset(first, second)
    assert len(pairs) == len(first)
    for index in range(len(pairs)):
        for whole, one, other in zip(pairs[index], first[index], second[index]):
            np.testing.assert_array_equal(whole[::2], one)
            np.testing.assert_array_equal(whole[1::2], other)


@pytest.mark.no_backend
def test_pairs_are_fitted_as_their_first_data_set():
    pairs = PairedDataset(dataset(), dataset(1, sampling="class"))
    arguments = {**dataset().fit_arguments, "x": pairs}
    assert pairs.fit_arguments == arguments | {"x": pairs}
    assert (pairs.sampling, pairs.steps_per_epoch) == ("instance", 3)


@pytest.mark.no_backend
@pytest.mark.parametrize(
    "second", [dataset(), dataset(1, batch_size=3), dataset(1, epochs=3), 5]
)
def test_data_sets_that_make_no_pairs_are_refused(second):
    with pytest.raises(ValueError, match="Received"):
        PairedDataset(dataset(), second)


def test_a_network_trains_on_pairs_with_the_weights_of_each_label():
    labels = np.repeat([0, 1, 2], [8, 2, 2])
    data = normal(12, *image_shape()), labels
    pairs = PairedDataset(
        ResampledDataset(*data, batch_size=6),
        ResampledDataset(*data, batch_size=6, sampling="class", seed=1),
    )
    f = convolutional(1)
    before = f.get_weights()
    model = MixingModel(f, CMO(probability=1.0), seed=3)
    model.compile("sgd", LOSS, metrics=["accuracy"])
    weights = {0: 0.5, 1: 2.0, 2: 2.0}
    logs = model.fit(**pairs.fit_arguments, class_weight=weights, verbose=0).history
    assert np.isfinite(logs["loss"]).all()
    assert np.abs(f.get_weights()[0] - before[0]).max() > 0
