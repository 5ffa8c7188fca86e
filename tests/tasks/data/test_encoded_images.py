"""Streams of encoded images: which pixels they give, and which rows they read."""

import functools
import io

import numpy as np
import pytest
from PIL import Image

from helpers import tiny
from helpers.encoded import SLOPES
from helpers.encoded import Rows
from helpers.encoded import channels_last
from helpers.encoded import flat
from helpers.encoded import ramp
from keras_m2m import ResampledDataset
from tasks.data import encoded_images
from tasks.data.encoded_images import CentreCrops
from tasks.data.encoded_images import EncodedImages
from tasks.data.encoded_images import random_box
from tasks.data.encoded_images import random_crops
from tasks.data.own.memory import MemoryBudget
from tasks.experiment.errors import UserError
from tasks.experiment.task import Data
from tasks.experiment.task import Task
from tasks.runs import runner

SIZE = 16

# Cropping.


def ramp_values(box, size):
    """Red and green at the middle of each resampled pixel, `(size, size, 2)`."""
    left, top, right, bottom = box
    middles = (np.arange(size) + 0.5) / size
    x = left + middles * (right - left) - 0.5
    y = top + middles * (bottom - top) - 0.5
    return np.stack(np.meshgrid(SLOPES[0] * x, SLOPES[1] * y), -1) / 255


@pytest.mark.parametrize("form", ["PNG", "JPEG"])
@pytest.mark.parametrize("width, height", [(120, 80), (64, 128), (100, 100)])
def test_tests_see_the_middle_seven_eighths_of_the_shorter_side(width, height, form):
    images = EncodedImages(Rows([ramp(width, height, form)]), "ramps")
    stream = CentreCrops(images, SIZE)
    found = stream[np.array([0])]
    assert found.dtype == "float32"
    assert stream.shape == found.shape
    half = 7 / 8 * min(width, height) / 2
    x, y = width / 2, height / 2
    expected = ramp_values((x - half, y - half, x + half, y + half), SIZE)
    # Half a step of pixels; JPEG loses up to two more.
    atol = (0.6 if form == "PNG" else 2.6) / 255
    np.testing.assert_allclose(channels_last(found)[0, ..., :2], expected, atol=atol)


def test_training_sees_the_box_that_was_drawn_and_flips_it():
    width, height, n = 120, 90, 60
    images = EncodedImages(Rows([ramp(width, height)] * n), "ramps")[np.arange(n)]
    crops = channels_last(random_crops(images, np.random.default_rng(3).spawn(n), SIZE))
    flips = 0
    for crop, rng in zip(crops, np.random.default_rng(3).spawn(n), strict=True):
        box, flip = random_box(width, height, rng)
        flips += flip
        crop = crop[:, ::-1] if flip else crop
        inside = slice(1, -1)  # At the image's edge the filter has no other side.
        np.testing.assert_allclose(
            crop[inside, inside, :2],
            ramp_values(box, SIZE)[inside, inside],
            atol=0.6 / 255,
        )
    assert 0 < flips < n


def test_random_boxes_have_the_fields_areas_aspects_and_places():
    rng = np.random.default_rng(0)
    drawn = [random_box(500, 375, rng) for _ in range(2000)]
    left, top, right, bottom = np.array([box for box, _ in drawn]).T
    assert min(left.min(), top.min()) == 0
    assert (right.max(), bottom.max()) == (500, 375)
    w, h = right - left, bottom - top
    areas, aspects = w * h / (500 * 375), w / h
    # Sides are whole pixels, of which the shortest has some ninety.
    assert 0.079 < areas.min() < 0.09
    assert 0.95 < areas.max() <= 1
    assert 0.745 < aspects.min() < 0.77
    assert 1.3 < aspects.max() < 1.345
    assert np.mean([flip for _, flip in drawn]) == pytest.approx(0.5, abs=0.05)


@pytest.mark.parametrize("width, height, expected", [(1000, 30, 40), (30, 1000, 30)])
def test_of_an_image_too_narrow_the_middle_is_taken(width, height, expected):
    """One in which no allowed aspect has 8 % of the area in ten draws."""
    box, _ = random_box(width, height, np.random.default_rng(0))
    left, top, right, bottom = box
    assert right - left == pytest.approx(expected)
    assert (left + right, top + bottom) == (width, height)
    ratio = (right - left) / (bottom - top)
    assert ratio == pytest.approx(4 / 3 if width > height else 3 / 4)


def test_grey_and_transparent_images_become_colours():
    files = []
    for mode in ("L", "RGBA", "CMYK"):
        files.append(io.BytesIO())
        Image.new(mode, (20, 20)).save(files[-1], "TIFF")
    images = EncodedImages(Rows([file.getvalue() for file in files]), "modes")
    assert channels_last(CentreCrops(images, 8)[np.arange(3)]).shape == (3, 8, 8, 3)


def test_parts_join_to_the_batch_of_one_process_and_read_no_other_rows():
    images = Rows([ramp(40 + i, 40) for i in range(16)])
    arguments = {
        "y": np.arange(16) % 2,
        "batch_size": 8,
        "augment": functools.partial(random_crops, size=SIZE),
    }
    whole = ResampledDataset(EncodedImages(images, "ramps"), **arguments)[1]
    images.read.clear()
    parts = [
        ResampledDataset(EncodedImages(images, "ramps"), shard=(i, 2), **arguments)[1]
        for i in range(2)
    ]
    assert len(images.read) == 8
    for joined, expected in zip(zip(*parts), whole, strict=True):
        np.testing.assert_array_equal(np.concatenate(joined), expected)


def test_a_damaged_image_ends_training_by_an_error_that_names_it(tmp_path):
    images = Rows([ramp(20, 20, "JPEG")] * 24)
    images[5]["image"] = images[5]["image"][:-200]
    y = np.arange(24) % 3
    test = CentreCrops(EncodedImages(Rows([ramp(20, 20)] * 3), "test"), 8)

    def load(settings):
        return Data(
            train=(EncodedImages(images, "train"), y),
            validation=(test, np.arange(3)),
            test=(test, np.arange(3)),
            class_names=["a", "b", "c"],
            source="ramps",
            bounds=(0.0, 1.0),
            augment=functools.partial(random_crops, size=8),
        )

    task = Task("ramps", load, flat, {}, {})
    own = tiny.settings(method="erm", batch_size=8, out_dir=str(tmp_path))
    with pytest.raises(UserError, match=r"^the image image 5 cannot be decoded"):
        runner.run(task, own)


def test_an_image_that_takes_more_memory_than_is_free_is_named(monkeypatch):
    budget = MemoryBudget(24 * 40 * 40)
    monkeypatch.setattr(encoded_images, "_budget", lambda: budget)
    images = EncodedImages(Rows([ramp(40, 40), ramp(41, 40)]), "ramps")
    assert CentreCrops(images, 8)[np.array([0, 0])].shape[0] == 2
    with pytest.raises(
        UserError, match="image 1 cannot be decoded: to decode it takes"
    ):
        CentreCrops(images, 8)[np.array([0, 1])]
    assert budget.used == 0


def test_rows_that_cannot_be_read_name_the_data():
    class Broken(Rows):
        def __getitem__(self, row):
            raise RuntimeError("checksum")

    with pytest.raises(UserError, match=r"^some images cannot be read: checksum"):
        CentreCrops(EncodedImages(Broken([b""]), "some images"), 8)[np.array([0])]
