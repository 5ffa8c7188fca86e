"""Image files as one array of small images, and how long it is kept."""

import os

import numpy as np
import pytest
from own_data import RNG
from own_data import load
from own_data import write_images
from PIL import Image

from tasks.image_files import decode


@pytest.fixture(autouse=True)
def kept(tmp_path, monkeypatch):
    """Where prepared images are kept."""
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "home"))
    return tmp_path / "home" / "keras_m2m"


@pytest.fixture
def images(tmp_path):
    return write_images(tmp_path / "images", {"dog": 12, "cat": 6, "owl": 3})


@pytest.mark.parametrize("width, height", [(32, 32), (48, 32), (32, 40)])
def test_a_pixel_is_the_mean_of_its_block_of_the_centre_square(width, height, tmp_path):
    pixels = RNG.integers(0, 256, (height, width, 3), "uint8")
    Image.fromarray(pixels).save(tmp_path / "image.png")
    top, left = (height - 32) // 2, (width - 32) // 2
    square = pixels[top : top + 32, left : left + 32].astype(float)
    means = square.reshape(8, 4, 8, 4, 3).mean(axis=(1, 3))
    # Pillow rounds to bytes after the rows and after the columns.
    assert abs(decode(tmp_path / "image.png", 8) - means).max() <= 1


def test_large_photos_are_the_same_but_for_the_rounding_of_jpeg(tmp_path):
    shade = np.linspace(0, 255, 512)
    pixels = np.stack(np.broadcast_arrays(shade, shade[:, None], 100), axis=-1)
    Image.fromarray(pixels.astype("uint8")).save(tmp_path / "image.jpg", quality=95)
    means = pixels.reshape(8, 64, 8, 64, 3).mean(axis=(1, 3))
    assert abs(decode(tmp_path / "image.jpg", 8) - means).max() <= 3


def saved(tmp_path, image, name="image.png", **arguments):
    image.save(tmp_path / name, **arguments)
    return decode(tmp_path / name, 4)


def test_images_are_turned_as_their_exif_data_says(tmp_path):
    pixels = np.zeros((4, 4, 3), "uint8")
    pixels[0] = 200  # The upper row, which a quarter turn clockwise puts right.
    exif = Image.Exif()
    exif[0x0112] = 6
    turned = saved(tmp_path, Image.fromarray(pixels), exif=exif)
    np.testing.assert_array_equal(turned, np.rot90(pixels, -1))


def test_16_bits_keep_the_upper_8_and_grey_becomes_rgb(tmp_path):
    pixels = np.arange(16, dtype="uint16").reshape(4, 4) * 4096 + 255
    expected = np.repeat((pixels // 256).astype("uint8")[..., None], 3, axis=-1)
    np.testing.assert_array_equal(saved(tmp_path, Image.fromarray(pixels)), expected)


def test_what_is_transparent_becomes_white(tmp_path):
    pixels = np.full((4, 4, 4), 80, "uint8")
    pixels[:2, :, 3], pixels[2:, :, 3] = 0, 255
    image = saved(tmp_path, Image.fromarray(pixels))
    assert (image[:2] == 255).all()
    assert (image[2:] == 80).all()
    palette = Image.fromarray(pixels[..., 3]).convert("P")
    image = saved(tmp_path, palette, transparency=255)
    assert (image[2:] == 255).all()
    assert (image[:2] == 0).all()


def test_an_animation_gives_its_first_frame(tmp_path):
    frames = [Image.new("RGB", (4, 4), shade) for shade in ("red", "blue")]
    image = saved(tmp_path, frames[0], "a.gif", save_all=True, append_images=frames[1:])
    assert (image == [255, 0, 0]).all()


def test_images_are_prepared_once_and_again_when_a_file_changes(images, kept, capsys):
    def prepared():
        load(images, "--image_size=8")
        return "preparing" in capsys.readouterr().out

    assert prepared()
    assert not prepared()
    (images / "cat" / "0.png").rename(images / "cat" / "9.png")
    assert prepared()
    os.utime(images / "cat" / "9.png", (0, 0))
    assert prepared()
    (file,) = kept.iterdir()
    file.write_bytes(file.read_bytes()[:-100])
    assert prepared()
    assert not prepared()
    assert list(kept.iterdir()) == [file]


def test_kept_images_give_the_same_data(images):
    first, second = (load(images, "--image_size=8") for _ in range(2))
    np.testing.assert_array_equal(first.train[0], second.train[0])


def test_where_nothing_can_be_kept_the_run_goes_on(images, tmp_path, capsys):
    (tmp_path / "home").write_text("not a folder")
    assert len(load(images, "--image_size=8").class_names) == 3
    assert "cannot be kept" in capsys.readouterr().out
