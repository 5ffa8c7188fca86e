"""Photographs that are too many for memory: a file of pixels, read batch by batch."""

import errno
import os
import tracemalloc

import numpy as np
import pytest
from PIL import Image

from helpers.own_data import load
from keras_m2m import ResampledDataset
from tasks.data.own import image_parts
from tasks.data.own import kept_images
from tasks.data.small_images import augment
from tasks.data.small_images import augment_each
from tasks.experiment.errors import UserError
from tasks.records.identity import checksum

pytestmark = [pytest.mark.no_backend, pytest.mark.usefixtures("kept")]


@pytest.fixture
def streamed(monkeypatch):
    monkeypatch.setattr(image_parts, "_MOST_IN_MEMORY", 0)


def parts(data):
    return data.train, data.validation, data.test


def test_a_stream_holds_the_samples_that_arrays_hold(images, monkeypatch):
    arrays = load(images)
    monkeypatch.setattr(image_parts, "_MOST_IN_MEMORY", 0)
    streams = load(images)
    for (x, y), (stream, labels) in zip(parts(arrays), parts(streams), strict=True):
        np.testing.assert_array_equal(stream[np.arange(len(y))], x)
        np.testing.assert_array_equal(labels, y)
        assert (len(stream), stream.shape) == (len(x), x.shape)


def test_images_are_decoded_once(images, streamed, monkeypatch):
    first = load(images)
    monkeypatch.setattr(kept_images.image_files, "decoded", None)
    again = load(images)
    rows = np.arange(len(again.test[1]))
    np.testing.assert_array_equal(again.test[0][rows], first.test[0][rows])
    assert checksum(again) == checksum(first)


def test_data_of_another_pixel_is_other_data(images, streamed):
    before = checksum(load(images))
    path = next((images / "owl").iterdir())
    pixels = np.array(Image.open(path))
    pixels[:] = 255 - pixels
    Image.fromarray(pixels).save(path)
    assert checksum(load(images)) != before


def test_a_stream_takes_the_memory_of_a_batch(images, streamed, kept):
    load(images)
    path = next(kept.glob("*.npy"))
    np.save(path, np.zeros((20_000, 32, 32, 3), "uint8"))  # 61 MB.
    stream = kept_images.KeptImages(path, np.arange(20_000), 0)
    tracemalloc.start()
    for start in range(0, 20_000, 500):
        stream[np.arange(start, start + 500)]
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 4 * 500 * stream[:1].nbytes


def test_an_augmented_image_does_not_depend_on_its_batch(images, streamed):
    data = load(images)
    arguments = {"batch_size": 6, "augment": data.augment, "seed": 1}
    whole = ResampledDataset(*data.train, **arguments)[0][0]
    second = ResampledDataset(*data.train, **arguments, shard=(1, 2))[0][0]
    np.testing.assert_array_equal(whole[3:], second)


def test_each_image_of_a_stream_is_augmented_as_a_batch_of_one_is():
    images = np.random.default_rng(0).random((3, 8, 8, 3), "float32")
    found = augment_each(images, np.random.default_rng(1).spawn(3))
    rngs = np.random.default_rng(1).spawn(3)
    for i, rng in enumerate(rngs):
        np.testing.assert_array_equal(found[i], augment(images[i : i + 1], rng)[0])


def test_grey_of_more_than_8_bits_is_refused_by_name(images, streamed):
    deep = np.full((32, 32), 4000, "uint16")
    Image.fromarray(deep).save(images / "cat" / "deep.png")
    with pytest.raises(UserError, match=r"deep\.png is grey of more than 8 bits"):
        load(images)


def test_broken_images_are_refused_by_name(images, streamed):
    (images / "cat" / "broken.png").write_bytes(b"no image")
    with pytest.raises(UserError, match=r"1 of 22 images cannot be read(.|\n)*broken"):
        load(images)


def test_a_full_disk_is_found_before_images_are_decoded(images, streamed, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "posix_fallocate", full)
    monkeypatch.setattr(kept_images.image_files, "decoded", None)
    with pytest.raises(UserError, match=r"No space left.*smaller --image_size"):
        load(images)
