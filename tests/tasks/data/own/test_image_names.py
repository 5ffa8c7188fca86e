"""Which file a name in a table stands for."""

import pathlib

import pytest

from tasks.data.own.image_names import ImageNames

pytestmark = pytest.mark.no_backend
ROOT = pathlib.Path("/data")
FILES = ["1.png", "a/1.png", "a/b/2.jpg", "a/Cat.JPG", "c/2.v2.png", "d/cat.jpg"]
FILES += ["e/3.png", "e/3.jpg", "f/x y.png", "f/é.png", "g/images/9.png"]
FILES += ["h/images/9.png", "k/4.png.tif"]


def found(name, files=FILES):
    rows = ImageNames([ROOT / file for file in files], ROOT).rows(name)
    return [files[row] for row in rows]


@pytest.mark.parametrize(
    "name, file",
    [
        ("2", "a/b/2.jpg"),
        ("2.jpg", "a/b/2.jpg"),
        ("2.JPG", "a/b/2.jpg"),
        (" b/2 ", "a/b/2.jpg"),
        ("./a/b/2.jpg", "a/b/2.jpg"),
        ("a//b/2.jpg", "a/b/2.jpg"),
        (r"a\b\2.jpg", "a/b/2.jpg"),
        (r"C:\data\a\b\2.jpg", "a/b/2.jpg"),
        ("/kaggle/input/data/a/b/2.jpg", "a/b/2.jpg"),
        ("../a/b/2.png", "a/b/2.jpg"),  # Before it was saved as JPEG.
        ("2.dcm", "a/b/2.jpg"),
        ("2.v2", "c/2.v2.png"),
        ("a/1", "a/1.png"),
        ("Cat", "a/Cat.JPG"),
        ("cat", "d/cat.jpg"),
        ("a/cat", "a/Cat.JPG"),
        ("A/CAT.jpg", "a/Cat.JPG"),
        ("3.png", "e/3.png"),
        ("3.jpg", "e/3.jpg"),
        ("x y", "f/x y.png"),
        ("e\u0301", "f/é.png"),
        ("g/images/9", "g/images/9.png"),
        ("4.png", "k/4.png.tif"),
    ],
)
def test_a_name_stands_for_one_file(name, file):
    assert found(name) == [file]


@pytest.mark.parametrize(
    "name",
    [
        *("", " ", ".", "..", "/", "\\", ".png", "nan", "\0", "2.v3", "b", "a/b"),
        *("../../etc/passwd", "/etc/passwd", "x/2.jpg", "2.jpg/", "2."),
    ],
)
def test_other_names_stand_for_nothing(name):
    assert found(name) == (["a/b/2.jpg"] if name == "2.jpg/" else [])


@pytest.mark.parametrize(
    "name, files",
    [
        ("1", ["1.png", "a/1.png"]),
        ("CAT", ["a/Cat.JPG", "d/cat.jpg"]),
        ("3", ["e/3.png", "e/3.jpg"]),
        ("images/9.png", ["g/images/9.png", "h/images/9.png"]),
    ],
)
def test_names_that_may_be_several_files_give_several(name, files):
    assert found(name) == files


def test_of_many_files_of_one_name_few_are_given():
    # Else a table that names them without folders takes the square of the time.
    files = [f"p{i}/images/1.png" for i in range(1000)]
    assert 1 < len(found("1.png", files)) < 10
    assert found("p999/images/1", files) == ["p999/images/1.png"]
