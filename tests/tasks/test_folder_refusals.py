"""Data of the user's own that is refused, and what the message says."""

import os
import zipfile

import numpy as np
import pytest
from PIL import Image

from helpers.own_data import load
from helpers.own_data import vectors
from helpers.own_data import write_arrays
from helpers.own_data import write_images
from tasks.data.own import memory
from tasks.experiment.errors import UserError


@pytest.fixture(autouse=True)
def kept(tmp_path, monkeypatch):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "home"))


@pytest.fixture
def images(tmp_path):
    return write_images(tmp_path / "images", {"dog": 4, "cat": 3})


def refused(path, match, *flags):
    with pytest.raises(UserError, match=match):
        load(path, "--image_size=4", *flags)


# Folders.


@pytest.mark.parametrize("path", ["nowhere", "nowhere.npz", "nowhere.csv"])
def test_what_is_not_there_is_said_not_to_exist(path, tmp_path):
    refused(tmp_path / path, f"--data_dir=.*{path} does not exist")


@pytest.mark.parametrize("path", ["own.xls", "pipe.npz"])
def test_what_is_neither_a_folder_nor_an_archive_is_refused(path, tmp_path):
    (tmp_path / "own.xls").write_text("1,2")
    os.mkfifo(tmp_path / "pipe.npz")
    refused(tmp_path / path, "is neither a folder nor an .npz file nor a table")


def test_the_folder_must_be_given():
    from tasks import folder
    from tasks.experiment.settings import parse

    with pytest.raises(UserError, match="--data_dir=PATH is needed"):
        folder.load(parse(folder.TASK, []))


def test_junk_of_systems_is_skipped(images):
    junk = [".DS_Store", "cat/Thumbs.db", "cat/._0.png", "dog/desktop.ini", "README"]
    for name in junk:
        (images / name).write_text("junk")
    (images / ".git").mkdir()
    assert load(images, "--image_size=4").class_names == ["cat", "dog"]


@pytest.mark.parametrize(
    "name, match",
    [
        ("loose.jpg", "images outside class folders, such as 'loose.jpg'"),
        (
            "cat/notes.txt",
            r"'notes.txt' \(1 such\), which is no file named as an image",
        ),
        ("cat/kittens/notes.txt", "'kittens/notes.txt'.*Splits are folders named"),
        ("empty/", "empty holds no images"),
        ("Cat/1.png", "differ only in case.*: 'Cat' and 'cat'"),
        ("a..b/1.png", r"'a\.\.b'.*Rename it"),
        ("a\\b/1.png", "Rename it"),
        ("cat/a\nb.png", r"'a\\nb.png'.*Rename it"),
        (b"bad\xff/1.png", "Rename it"),
    ],
)
def test_what_a_folder_must_not_hold_is_named(name, match, images):
    path = os.path.join(os.fsencode(images), os.fsencode(name))
    os.makedirs(os.path.dirname(path), exist_ok=True)
    if not path.endswith(b"/"):
        with open(path, "wb") as file:
            file.write(b"junk")
    refused(images, match)


def test_unicode_forms_of_one_name_are_one_class_over_splits(tmp_path):
    for split, name in {"train": "caf\u00e9", "test": "cafe\u0301"}.items():
        write_images(tmp_path / "own" / split, {name: 3, "tea": 3})
    data = load(tmp_path / "own", "--image_size=4")
    assert data.class_names == ["caf\u00e9", "tea"]
    write_images(tmp_path / "own" / "train", {"cafe\u0301": 3})
    refused(tmp_path / "own", "differ only in case, Unicode form")


@pytest.mark.parametrize("classes", [{}, {"cat": 3}])
def test_fewer_than_two_classes_are_refused(classes, tmp_path):
    path = tmp_path / "own"
    path.mkdir()
    match = r"Found 1: 'cat'" if classes else "holds no folders. Expected one per class"
    refused(write_images(path, classes), match)


@pytest.mark.parametrize("target", ["..", "nowhere", "../secret.png", "link"])
@pytest.mark.parametrize("name", ["link", "cat/link.png"])
def test_links_out_of_the_folder_or_to_nothing_are_refused(name, target, images):
    Image.new("RGB", (4, 4)).save(images.parent / "secret.png")
    depth = "../" * name.count("/")
    target = os.path.basename(name) if target == "link" else depth + target
    (images / name).symlink_to(target)
    match = "outside" if target.endswith(("..", "secret.png")) else "leads nowhere"
    refused(images, match)


def test_links_inside_the_folder_are_followed(images):
    (images / "cat" / "more.png").symlink_to("../dog/0.png")
    assert load(images, "--image_size=4", "--protocol=field").class_counts[0] == 3


def test_a_pipe_is_not_waited_for(images):
    os.mkfifo(images / "cat" / "pipe.png")
    refused(images, "'pipe.png'")


def test_broken_images_are_all_named(images):
    whole = (images / "cat" / "0.png").read_bytes()
    (images / "cat" / "0.png").write_bytes(whole[: len(whole) // 2])
    (images / "dog" / "1.png").write_bytes(b"%!PS-Adobe EPSF")
    with pytest.raises(UserError, match="2 of 7 images cannot be read") as error:
        load(images, "--image_size=4")
    assert str(images / "cat" / "0.png") in str(error.value)
    assert str(images / "dog" / "1.png") in str(error.value)


def test_images_of_far_too_many_pixels_are_not_decoded(images):
    path = images / "cat" / "0.png"
    Image.new("1", (15000, 13000)).save(path)
    refused(images, "decompression bomb")


def test_more_images_than_memory_holds_are_refused_before_they_are_read(
    tmp_path, monkeypatch
):
    path = write_images(tmp_path / "own", {"a": 3, "b": 3})
    monkeypatch.setattr(memory, "available", lambda: 2**20)
    with pytest.raises(UserError, match="Give a smaller --image_size"):
        load(path, "--image_size=512")


# Archives.


def test_flags_of_tables_are_refused_for_arrays(tmp_path):
    path = write_arrays(tmp_path / "own.npz", x=X, y=Y)
    for flag in ("--label=y", "--id=a", "--labels=a.csv", "--group=a"):
        name = flag.partition("=")[0]
        refused(path, f"{name} is for labels in tables", flag)


X, Y = vectors([4, 4])
OBJECTS = np.array([{}, None], dtype=object)


@pytest.mark.parametrize(
    "arrays, match",
    [
        ({"x": X}, "holds no array y"),
        ({"samples": X, "truth": Y}, "holds no array x_train.*Received: none"),
        ({"x": X, "y": Y, "x_train": X}, "both x, y and arrays of splits"),
        ({"x_test": X, "y_test": Y}, "holds no array x_train"),
        ({"x": X, "y": Y[:-1]}, "8 samples and 7 labels"),
        ({"x": X[:, 0], "y": Y}, r"Received: shape \(8,\)"),
        ({"x": X[:0], "y": Y[:0]}, "at least one"),
        ({"x": np.zeros((8, 2, 2, 4)), "y": Y}, r"shape \(8, 2, 2, 4\)"),
        ({"x": X * 1j, "y": Y}, "dtype complex"),
        ({"x": X.astype(str), "y": Y}, "must be real numbers"),
        (
            {"x": np.where(X == 4, np.nan, X), "y": Y},
            "1 of 8 samples.*number 2",
        ),
        ({"x": X.astype(float) * 1e300, "y": Y}, "NaN or infinity"),
        ({"x": X * 1e20, "y": Y}, "beyond"),
        ({"x": np.full((8, 2, 2), 255.0), "y": Y}, "Divide pixels by 255"),
        ({"x": np.zeros((8, 2, 2), int), "y": Y}, "uint8 or floats"),
        ({"x": X, "y": np.eye(8)}, r"argmax\(axis=1\)"),
        ({"x": X, "y": np.repeat(["a\nb", "c"], 4)}, r"'a\\nb'"),
        ({"x": X, "y": np.repeat([b"\xff", b"c"], 4)}, "no text"),
        ({"x": X, "y": Y, "class_names": ["a"]}, "labels '1' are none of the 1"),
        ({"x": X, "y": Y, "class_names": ["a", "a"]}, "twice"),
        ({"x": X, "y": Y, "class_names": [1, 2]}, "must be strings"),
        (
            {"x": X, "y": Y, "class_names": ["a", "b", "c"]},
            "No training samples of 'c'",
        ),
        ({"x": X, "y": Y * 0}, "At least two classes.*'0'"),
        ({"x": X, "y": Y, "class_names": OBJECTS}, "Python objects"),
        ({"x": X.astype(object), "y": Y}, "Python objects"),
        (
            {"x_train": X, "y_train": Y, "x_test": X[:, :1], "y_test": Y},
            "must have one shape",
        ),
        (
            {"x_train": X, "y_train": Y, "x_test": X, "y_test": Y.astype(str)},
            "integers in one split, strings",
        ),
    ],
)
def test_arrays_that_do_not_fit_are_refused(arrays, match, tmp_path):
    path = tmp_path / "own.npz"
    np.savez(path, **arrays)
    refused(path, f"(?s){match}")


def npy(array):
    import io

    buffer = io.BytesIO()
    np.save(buffer, array)
    return buffer.getvalue()


def with_header(shape, dtype="<f4"):
    """An array's bytes whose header declares another shape than is stored."""
    text = f"{{'descr': '{dtype}', 'fortran_order': False, 'shape': {shape}}}"
    text = text.ljust(117) + "\n"
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text.encode()


@pytest.mark.parametrize(
    "members, match",
    [
        ({"../x.npy": npy(X), "y.npy": npy(Y)}, r"'\.\./x\.npy'"),
        ({"/x.npy": npy(X), "y.npy": npy(Y)}, "'/x.npy'"),
        ({"x": npy(X), "x.npy": npy(X), "y.npy": npy(Y)}, "holds x twice"),
        ({"x.npy": b"junk", "y.npy": npy(Y)}, "is damaged"),
        ({"x.npy": npy(X)[:-4], "y.npy": npy(Y)}, "x of .* is damaged"),
        ({"x.npy": with_header((10**15, 4)), "y.npy": npy(Y)}, "x of .* is damaged"),
        ({"x.npy": with_header((-1, 4)), "y.npy": npy(Y)}, "x of .* is damaged"),
        ({"x.npy": npy(X), "y.npy": with_header((10**9,), "<U0")}, "y of .* damaged"),
    ],
)
def test_archives_that_play_tricks_are_refused(members, match, tmp_path):
    with zipfile.ZipFile(tmp_path / "own.npz", "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    refused(tmp_path / "own.npz", match)


def test_an_archive_that_lies_about_its_size_is_not_unpacked(tmp_path):
    path = write_arrays(tmp_path / "own.npz", x=X, y=Y)
    content = bytearray(path.read_bytes())
    # The size after unpacking, in the directory at the end of the file.
    entry = content.index(b"PK\x01\x02")
    content[entry + 24 : entry + 28] = (2**32 - 2).to_bytes(4, "little")
    path.write_bytes(content)
    refused(path, "damaged: its header declares")


@pytest.fixture
def unpacked(monkeypatch):
    """Shapes of the arrays that are unpacked."""
    shapes, read = [], np.lib.format.read_array

    def reading(*args, **kwargs):
        array = read(*args, **kwargs)
        shapes.append(array.shape)
        return array

    monkeypatch.setattr(np.lib.format, "read_array", reading)
    return shapes


def test_an_archive_that_would_fill_the_memory_is_not_unpacked(
    tmp_path, monkeypatch, unpacked
):
    x = np.zeros((1000, 50))
    path = tmp_path / "own.npz"
    np.savez_compressed(path, x=x, y=np.arange(1000) % 2)
    # As stored, as float32, and a copy of that; and labels.
    needed = x.size * (8 + 4 + 4) + 8000
    monkeypatch.setattr(memory, "available", lambda: needed - 1)
    refused(path, "would need .* of memory")
    assert unpacked == []
    monkeypatch.setattr(memory, "available", lambda: needed)
    assert len(load(path).class_names) == 2


@pytest.mark.parametrize(
    "y, match",
    [(np.zeros(1000), "At least two classes"), (np.full(1000, "nan"), "no label")],
)
def test_samples_are_not_unpacked_for_labels_that_are_refused(
    y, match, tmp_path, unpacked
):
    path = tmp_path / "own.npz"
    np.savez_compressed(path, x=np.zeros((1000, 50)), y=y)
    refused(path, match)
    assert unpacked == [(1000,)]


def test_a_file_of_other_content_is_no_archive(tmp_path):
    (tmp_path / "own.npz").write_bytes(npy(X))
    refused(tmp_path / "own.npz", "is no .npz file that can be read")


def test_arrays_that_are_not_read_are_told(tmp_path, capsys):
    load(write_arrays(tmp_path / "own.npz", x=X, y=Y, ids=Y, x_extra=X))
    assert "not read: 'ids', 'x_extra'" in capsys.readouterr().out
