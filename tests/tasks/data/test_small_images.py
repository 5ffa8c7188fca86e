"""What the tasks with small images share: samples, augmentation, statistics, splits."""

import keras
import numpy as np
import pytest

from tasks.data import small_images
from tasks.data.small_images import channel_statistics
from tasks.data.small_images import first_rows
from tasks.data.small_images import samples
from tasks.data.small_images import split_in_order
from tasks.experiment.errors import UserError


def channels_first():
    return keras.config.image_data_format() == "channels_first"


def to_format(images):
    """Images of channels last in the order that Keras is set to."""
    return np.moveaxis(images, -1, 1) if channels_first() else images


@pytest.fixture(params=["channels_last", "channels_first"])
def image_data_format(request):
    before = keras.config.image_data_format()
    keras.config.set_image_data_format(request.param)
    yield request.param
    keras.config.set_image_data_format(before)


def test_augmented_images_are_shifted_and_flipped_windows_of_the_padded_ones(
    image_data_format,
):
    rng = np.random.default_rng(0)
    image = rng.uniform(0.1, 1, size=(1, 6, 6, 3)).astype("float32")
    padded = np.pad(image[0], [(4, 4), (4, 4), (0, 0)])
    windows = {}
    for top in range(9):
        for left in range(9):
            window = padded[top : top + 6, left : left + 6]
            windows[window.tobytes()] = (top, left, False)
            windows[window[:, ::-1].tobytes()] = (top, left, True)
    batch = to_format(np.repeat(image, 3000, axis=0))
    augmented = small_images.augment(batch, np.random.default_rng(1))
    if channels_first():
        augmented = np.moveaxis(augmented, 1, -1)
    found = {windows[np.ascontiguousarray(window).tobytes()] for window in augmented}
    # Every crop in either direction; where nothing of the image is lost to
    # symmetry, 81 crops and 81 flipped ones.
    assert len(found) == 162


def cropped_and_flipped(image, top, left, flip):
    """One image `(height, width, channels)`, padded, cut out and then mirrored."""
    height, width, _ = image.shape
    padded = np.pad(image, [(4, 4), (4, 4), (0, 0)])
    crop = padded[top : top + height, left : left + width]
    return np.fliplr(crop) if flip else crop


@pytest.mark.parametrize("shape", [(32, 32, 3), (5, 8, 3), (3, 2, 3)])
def test_augmentation_is_to_the_bit_what_its_draws_say(image_data_format, shape):
    images = np.random.default_rng(0).random((300, *shape), dtype="float32")
    rng = np.random.default_rng(1)
    tops, lefts = rng.integers(9, size=(2, 300, 1))[:, :, 0]
    flips = rng.random(300) < 0.5
    draws = zip(images, tops, lefts, flips, strict=True)
    expected = to_format(np.stack([cropped_and_flipped(*each) for each in draws]))
    batch = np.ascontiguousarray(to_format(images))
    augmented = small_images.augment(batch, np.random.default_rng(1))
    np.testing.assert_array_equal(augmented, expected)
    assert augmented.dtype == np.float32
    assert augmented.flags.c_contiguous


def test_augmentation_follows_from_its_generator():
    batch = to_format(np.random.default_rng(0).random((4, 8, 8, 3), dtype="float32"))
    runs = [
        small_images.augment(batch, np.random.default_rng(seed)) for seed in (5, 5, 6)
    ]
    assert (runs[0] == runs[1]).all()
    assert (runs[0] != runs[2]).any()


def test_samples_are_fractions_in_the_order_of_keras(image_data_format):
    pixels = np.arange(2 * 4 * 5 * 3, dtype="uint8").reshape(2, 4, 5, 3) * 2
    expected = to_format(pixels / np.float32(255))
    np.testing.assert_array_equal(samples(pixels), expected)
    assert samples(pixels).dtype == np.float32


def test_channel_statistics_are_those_of_all_pixels(image_data_format):
    rng = np.random.default_rng(0)
    # More images than one piece holds; channels of different mean and spread.
    images = rng.normal([0.2, 0.5, 0.9], [0.1, 0.2, 0.01], size=(2500, 3, 2, 3))
    mean, variance = channel_statistics(to_format(images).astype("float32"))
    pixels = images.astype("float32").reshape(-1, 3).astype("float64")
    np.testing.assert_allclose(mean, pixels.mean(axis=0), rtol=1e-9)
    np.testing.assert_allclose(variance, pixels.var(axis=0), rtol=1e-9)


LABELS = np.array([1, 0, 0, 1, 1, 0, 1])


def test_first_rows_are_the_first_of_each_class():
    assert first_rows(LABELS, [2, 3]).tolist() == [1, 2, 0, 3, 4]


def test_shuffled_rows_are_of_the_same_classes_and_repeat():
    labels = np.repeat([0, 1], 50)
    drawn = first_rows(labels, [5, 7], shuffled=True)
    assert np.bincount(labels[drawn]).tolist() == [5, 7]
    assert len(set(drawn)) == 12
    assert drawn.tolist() == first_rows(labels, [5, 7], shuffled=True).tolist()
    assert drawn.tolist() != first_rows(labels, [5, 7]).tolist()


def test_validation_comes_first_then_the_test_then_training():
    train, validation, test = split_in_order(LABELS, ["a", "b"], 1, 1)
    assert validation.tolist() == [1, 0]
    assert test.tolist() == [2, 3]
    assert train.tolist() == [5, 4, 6]


def test_a_class_without_training_images_is_named():
    with pytest.raises(UserError, match="Class a has 3 images; expected 1 for"):
        split_in_order(LABELS, ["a", "b"], 1, 2)
