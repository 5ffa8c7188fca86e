"""Photographs made small: their pixels, their order, and the file that keeps them."""

import os

import numpy as np
import pytest
import tensorflow_datasets as tfds

from helpers.made_datasets import encoded
from helpers.made_datasets import in_stored_order
from helpers.made_datasets import write
from tasks.data.photographs import prepared_images
from tasks.data.photographs import small_image
from tasks.experiment.errors import UserError

pytestmark = pytest.mark.no_backend

NAME = "made:1.0.0"


def photograph(height, width, number=0):
    rng = np.random.default_rng([height, width, number])
    return rng.integers(256, size=(height, width, 3), dtype="uint8")


def block_means(square, side):
    """Means over blocks of `side` pixels, rounded."""
    size = len(square) // side
    blocks = square.reshape(size, side, size, side, 3).astype("float64")
    return np.rint(blocks.mean(axis=(1, 3)))


def test_a_landscape_becomes_the_block_means_of_its_middle_square():
    photo = photograph(64, 97)
    expected = block_means(photo[:, 16 : 16 + 64], 2)
    np.testing.assert_array_equal(small_image(encoded(photo)), expected)


def test_a_portrait_is_reduced_by_area_where_the_factor_is_no_integer():
    photo = photograph(60, 48)
    # 48 pixels to 32: each pixel as 2×2 equal ones, of which 3×3 make a new one.
    finer = photo[6 : 6 + 48].repeat(2, axis=0).repeat(2, axis=1)
    np.testing.assert_array_equal(small_image(encoded(photo)), block_means(finer, 3))


def test_a_gray_image_gets_three_equal_channels():
    small = small_image(encoded(photograph(32, 32)[..., 0])).numpy()
    assert small.shape == (32, 32, 3)
    assert (small == small[..., :1]).all()


def records(count=14):
    return {
        str(i): {
            "image": encoded(photograph(40 + i, 50, i)),
            "label": i % 3,
            "attributes": {"round": i % 2 == 0},
        }
        for i in range(count)
    }


def made(folder, records):
    features = {
        "image": tfds.features.Image(shape=(None, None, 3)),
        "label": tfds.features.ClassLabel(names=["a", "b", "c"]),
        "attributes": {"round": np.bool_},
    }
    write(folder, "made", "1.0.0", tfds.features.FeaturesDict(features), records)
    return tfds.builder(NAME, data_dir=folder)


KEYS = ["label", "attributes/round"]


@pytest.fixture(scope="module")
def source(tmp_path_factory):
    folder = tmp_path_factory.mktemp("made")
    return folder, made(folder, records())


@pytest.fixture
def builder(source):
    return source[1]


def kept_file(folder):
    (path,) = (folder / "small_images").iterdir()
    return path


def test_all_splits_are_joined_in_stored_order(source, tmp_path):
    folder, builder = source
    images, labels = prepared_images(builder, KEYS, str(tmp_path))
    stored = in_stored_order(NAME, folder)
    assert images.dtype == np.uint8
    assert labels.tolist() == [
        [record["label"], record["attributes"]["round"]] for record in stored
    ]
    for image, record in zip(images, stored, strict=True):
        np.testing.assert_array_equal(image, small_image(record["image"]))


def test_small_images_are_made_once(tmp_path, builder, capsys):
    first = prepared_images(builder, KEYS, str(tmp_path))
    assert "14 images of made/1.0.0 become 32×32" in capsys.readouterr().out
    path = kept_file(tmp_path)
    changed = path.stat().st_mtime_ns
    again = prepared_images(builder, KEYS, str(tmp_path))
    assert capsys.readouterr().out == ""
    assert path.stat().st_mtime_ns == changed
    for one, other in zip(first, again, strict=True):
        np.testing.assert_array_equal(one, other)


def one_byte(content):
    middle = len(content) // 2
    return content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]


@pytest.mark.parametrize(
    "damage",
    [
        one_byte,
        lambda content: content[: len(content) // 2],
        lambda content: b"",
    ],
    ids=["one byte", "truncated", "empty"],
)
def test_a_damaged_file_is_named_and_made_again(damage, builder, tmp_path, capsys):
    whole = prepared_images(builder, KEYS, str(tmp_path))
    path = kept_file(tmp_path)
    content = path.read_bytes()
    path.write_bytes(damage(content))
    again = prepared_images(builder, KEYS, str(tmp_path))
    np.testing.assert_array_equal(again[0], whole[0])
    np.testing.assert_array_equal(again[1], whole[1])
    assert f"{path} is damaged and is made again" in capsys.readouterr().out
    assert path.stat().st_size == len(content)


def test_small_images_with_other_labels_are_made_again(builder, tmp_path, capsys):
    prepared_images(builder, KEYS, str(tmp_path))
    _, labels = prepared_images(builder, ["label"], str(tmp_path))
    assert labels.shape == (14, 1)
    assert "is of other data" in capsys.readouterr().out


def test_writing_that_fails_leaves_no_file_and_the_run_goes_on(
    builder, tmp_path, capsys, monkeypatch
):
    def full(*_):
        raise OSError("No space left on device")

    monkeypatch.setattr(os, "replace", full)
    images, _ = prepared_images(builder, KEYS, str(tmp_path))
    assert images.shape == (14, 32, 32, 3)
    assert "No space left on device" in capsys.readouterr().out
    assert list((tmp_path / "small_images").iterdir()) == []


def test_a_folder_that_cannot_be_made_is_named_and_the_run_goes_on(
    builder, tmp_path, capsys
):
    (tmp_path / "small_images").write_text("in the way")
    images, _ = prepared_images(builder, KEYS, str(tmp_path))
    assert len(images) == 14
    assert f"{tmp_path / 'small_images'}" in capsys.readouterr().out


def test_an_image_that_cannot_be_decoded_is_named_by_its_place(tmp_path):
    broken = records()
    broken["5"]["image"] = broken["5"]["image"][:40]
    builder = made(tmp_path, broken)
    labels = records()
    with pytest.raises(UserError, match=r"Record \d+ of made/1\.0\.0") as raised:
        prepared_images(builder, ["label"], str(tmp_path))
    # The same records, whole, stand in the same order.
    whole = tmp_path / "whole"
    made(whole, labels)
    place = int(str(raised.value).split()[1])
    stored = in_stored_order(NAME, whole)[place]
    assert stored["image"] == labels["5"]["image"]
    assert str(tmp_path / "made") in str(raised.value)


def test_records_that_are_gone_are_an_error_of_the_users(tmp_path):
    builder = made(tmp_path, records())
    for file in (tmp_path / "made").rglob("*test*tfrecord*"):
        file.unlink()
    with pytest.raises(UserError, match=r"made/1\.0\.0"):
        prepared_images(builder, ["label"], str(tmp_path))


def test_labels_that_the_records_lack_are_named(builder, tmp_path):
    with pytest.raises(UserError, match="has no 'attributes/Bald'"):
        prepared_images(builder, ["attributes/Bald"], str(tmp_path))
