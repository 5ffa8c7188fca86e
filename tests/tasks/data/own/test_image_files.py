"""Image files as one array of small images, of what bits, and how long it is kept."""

import os
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from helpers.own_data import RNG
from helpers.own_data import load
from tasks.data.own import image_decoding
from tasks.data.own import image_files
from tasks.data.own.image_files import prepare
from tasks.data.own.memory import MemoryBudget
from tasks.experiment.errors import UserError

pytestmark = pytest.mark.usefixtures("kept")


def decode(path, size):
    return image_decoding.decode(path, size, MemoryBudget(2**30)).pixels


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


def grey_images(tmp_path, *arrays, suffix="png"):
    """What is prepared of grey images of any depth, in [0, 1]."""
    folder = tmp_path / "grey"
    folder.mkdir(exist_ok=True)
    paths = [folder / f"{i}.{suffix}" for i in range(len(arrays))]
    for path, pixels in zip(paths, arrays):
        Image.fromarray(pixels).save(path)
    found, _ = prepare(paths, len(arrays[0]), folder)
    assert (found == found[..., :1]).all()
    return found[..., 0] / np.iinfo(found.dtype).max


@pytest.mark.parametrize("suffix", ["png", "tif"])
@pytest.mark.parametrize("bits", [9, 10, 12, 14, 16])
def test_grey_values_of_any_depth_are_kept_and_reach_from_0_to_1(
    bits, suffix, tmp_path, capsys
):
    white = 2**bits - 1
    values = np.linspace(0, white, 40 * 40).astype("uint16").reshape(40, 40)
    (found,) = grey_images(tmp_path, values, suffix=suffix)
    np.testing.assert_allclose(found, values / white, atol=1e-5)
    assert len(np.unique(found)) == len(np.unique(values))
    expected = f"1 images hold more than 8 bits, values up to {white}: {white} ({bits} "
    assert expected in capsys.readouterr().out


def test_the_depth_is_that_of_the_largest_value_of_all_images(tmp_path, capsys):
    dark = np.full((4, 4), 300, "uint16")
    bright = np.full((4, 4), 3900, "uint16")
    light = np.full((4, 4), 200, "uint8")
    for _ in range(2):  # Prepared, and read from what was kept.
        found = grey_images(tmp_path, dark, bright, light)
        expected = [300 / 4095, 3900 / 4095, 200 / 255]
        np.testing.assert_allclose(found[:, 0, 0], expected, atol=1e-5)
        assert "values up to 3900: 4095 (12 bits)" in capsys.readouterr().out


def test_values_of_16_bits_become_samples_up_to_1(tmp_path):
    for name in ("a", "b"):
        (tmp_path / "own" / name).mkdir(parents=True)
        for i in range(3):
            pixels = RNG.integers(0, 4096, (8, 8)).astype("uint16")
            pixels[0, 0] = 4095
            Image.fromarray(pixels).save(tmp_path / "own" / name / f"{i}.png")
    data = load(tmp_path / "own", "--image_size=8")
    assert data.train[0].dtype == "float32"
    assert data.train[0].max() == 1
    assert len(np.unique(data.train[0])) > 100


def png_of_16_bit_colours(path, high_byte):
    """A PNG of 4×4 pixels, which Pillow does not write."""

    def chunk(kind, data):
        checksum = zlib.crc32(kind + data)
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", checksum)

    header = struct.pack(">IIBBBBB", 4, 4, 16, 2, 0, 0, 0)
    rows = (b"\0" + bytes([high_byte, 7]) * 12) * 4
    content = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows))
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + content + chunk(b"IEND", b""))


def test_of_16_bit_colours_the_upper_8_are_read_and_that_is_said(tmp_path, capsys):
    path = tmp_path / "a.png"
    png_of_16_bit_colours(path, 90)
    assert (prepare([path], 4, tmp_path)[0] == 90).all()
    assert "of 1 images of 16 bits a colour the upper 8" in capsys.readouterr().out
    png_of_16_bit_colours(path, 15)
    with pytest.raises(UserError, match="hold at most 12, of which only the upper 4"):
        prepare([path], 4, tmp_path)


@pytest.mark.parametrize(
    "pixels, match",
    [
        (np.full((4, 4), 0.5, "float32"), "its pixels are floats"),
        (np.full((4, 4), -1, "int32"), "its pixels go from -1 to -1"),
        (np.full((4, 4), 2**16, "int32"), "its pixels go from 65536"),
    ],
)
def test_pixels_without_a_range_are_refused(pixels, match, tmp_path):
    with pytest.raises(UserError, match=match):
        grey_images(tmp_path, pixels, suffix="tif")


def test_an_image_that_takes_more_memory_than_is_free_is_named(images, monkeypatch):
    # An image of 8×8 pixels takes 24 * 64 bytes, and all are to be 4×4×3 of 3 bytes.
    monkeypatch.setattr(image_files, "available", lambda: 3 * 21 * 48 + 24 * 64 - 1)
    with pytest.raises(UserError, match=r"21 of 21 images.*(?s:.*)to decode it takes"):
        load(images, "--image_size=4")
    monkeypatch.setattr(image_files, "available", lambda: 3 * 21 * 48 + 24 * 64)
    assert len(load(images, "--image_size=4").class_names) == 3


def test_grey_of_8_bits_becomes_rgb(tmp_path):
    pixels = np.arange(16, dtype="uint8").reshape(4, 4) * 16
    expected = np.repeat(pixels[..., None], 3, axis=-1)
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


@pytest.mark.parametrize("suffix", ["jpg", "tif"])
def test_inks_become_colours(suffix, tmp_path):
    inks = Image.new("CMYK", (4, 4), (0, 255, 255, 0))  # Magenta and yellow: red.
    red = saved(tmp_path, inks, f"a.{suffix}").astype(int)
    assert abs(red - [255, 0, 0]).max() <= 4


def test_a_palette_gives_its_colours(tmp_path):
    image = Image.new("P", (4, 4), 1)
    image.putpalette([0, 0, 0, 10, 20, 30])
    assert (saved(tmp_path, image) == [10, 20, 30]).all()
