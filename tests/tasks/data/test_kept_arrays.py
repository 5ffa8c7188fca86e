"""Arrays kept for the next run: whole and of what is asked for, or made again."""

import os

import numpy as np
import pytest
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st

from tasks.data import kept_arrays

pytestmark = pytest.mark.no_backend

X = np.arange(12, dtype="uint16").reshape(3, 4)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "home" / "x.npz"


def test_what_was_written_is_read_and_nothing_is_left_beside_it(path):
    kept_arrays.write(path, "three", x=X)
    np.testing.assert_array_equal(kept_arrays.read(path, "three")["x"], X)
    assert kept_arrays.read(path, "four") is None
    assert os.listdir(path.parent) == ["x.npz"]


def test_what_a_killed_process_left_is_removed(path):
    path.parent.mkdir()
    for name in ("x.npz.999999999.part", "x.999999999.part.npz"):
        (path.parent / name).write_bytes(b"")
        os.utime(path.parent / name, (0, 0))
    kept_arrays.write(path, "three", x=X)
    assert os.listdir(path.parent) == ["x.npz"]


@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir])
def test_what_is_no_file_is_not_waited_for(make, path, capsys):
    path.parent.mkdir()
    make(path)
    assert kept_arrays.read(path, "three") is None
    assert "x.npz is damaged and is made again: " in capsys.readouterr().out


def test_a_device_is_not_read(path, capsys):
    path.parent.mkdir()
    path.symlink_to("/dev/zero")
    assert kept_arrays.read(path, "three") is None
    assert "a pipe or a device" in capsys.readouterr().out
    kept_arrays.write(path, "three", x=X)
    np.testing.assert_array_equal(kept_arrays.read(path, "three")["x"], X)


def test_where_a_folder_is_in_the_way_it_says_so(path, capsys):
    path.mkdir(parents=True)
    kept_arrays.write(path, "three", x=X)
    assert "cannot be kept" in capsys.readouterr().out


@pytest.fixture(scope="module")
def kept(tmp_path_factory):
    path = tmp_path_factory.mktemp("kept") / "x.npz"
    kept_arrays.write(path, "three", x=X)
    return path, path.read_bytes()


@given(place=st.floats(0, 1), byte=st.integers(0, 255), cut=st.booleans())
@settings(max_examples=60)
def test_a_damaged_file_is_right_or_made_again(kept, place, byte, cut):
    path, content = kept
    start = int(place * (len(content) - 1))
    rest = b"" if cut else content[start + 1 :]
    path.write_bytes(content[:start] + bytes([byte]) + rest)
    found = kept_arrays.read(path, "three")
    if found is not None:
        np.testing.assert_array_equal(found["x"], X)
