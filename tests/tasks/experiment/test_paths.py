"""Paths as users give them, to all flags that take one."""

import os

import pytest

from tasks import digits_lt
from tasks import twitter
from tasks.experiment.errors import UserError
from tasks.experiment.paths import check_is_file
from tasks.experiment.paths import keras_home
from tasks.experiment.paths import read_path
from tasks.experiment.settings import parse

pytestmark = pytest.mark.no_backend

FLAGS = ["data_dir", "out_dir", "g", "embeddings"]


@pytest.mark.parametrize("flag", FLAGS)
@pytest.mark.parametrize(
    "path, reason",
    [
        ("~nosuchuser/x", "home directory"),
        ("x/" * 2500, "File name too long"),
        ("y" * 300, "File name too long"),
        ("a\0b", "null byte"),
        ("\ud800", "surrogates not allowed"),
    ],
)
def test_what_is_no_path_is_refused_by_every_flag(flag, path, reason):
    with pytest.raises(UserError, match=f"--{flag}=.* is no path: .*{reason}") as error:
        parse(twitter.TASK, [f"--{flag}={path}"])
    assert len(str(error.value)) < 300


@pytest.mark.parametrize("flag", FLAGS)
def test_an_empty_path_is_refused(flag):
    with pytest.raises(UserError, match=f"--{flag}= is empty"):
        parse(twitter.TASK, [f"--{flag}="])


def test_a_link_to_itself_is_no_error_of_the_path(tmp_path):
    (tmp_path / "loop").symlink_to("loop")
    assert read_path("data_dir", str(tmp_path / "loop"))
    with pytest.raises(UserError, match="is no path"):
        read_path("data_dir", str(tmp_path / "loop" / "x"))


@pytest.mark.parametrize("flag", FLAGS)
def test_home_is_found_and_other_paths_stay_as_they_were_written(flag, monkeypatch):
    monkeypatch.setenv("HOME", "/somewhere")
    settings = parse(twitter.TASK, [f"--{flag}=~/own"])
    assert getattr(settings, flag) == "/somewhere/own"
    settings = parse(twitter.TASK, [f"--{flag}=./own//x/"])
    assert getattr(settings, flag) == "./own//x/"


def test_flags_of_paths_may_be_left_out():
    settings = parse(digits_lt.TASK, [])
    assert settings.data_dir is None
    assert settings.out_dir is None


def test_the_home_of_keras_may_not_be_that_of_nobody(monkeypatch):
    monkeypatch.setenv("KERAS_HOME", "~nosuchuser/keras")
    with pytest.raises(UserError, match=r"KERAS_HOME, or ~/.keras, is no path"):
        keras_home()
    monkeypatch.setenv("HOME", "/somewhere")
    monkeypatch.setenv("KERAS_HOME", "~/keras")
    assert str(keras_home()) == "/somewhere/keras"


@pytest.mark.parametrize("make", [os.mkdir, os.mkfifo])
def test_what_is_no_file_is_told_apart_without_opening_it(make, tmp_path):
    make(tmp_path / "x")
    with pytest.raises(OSError, match=r"Is a directory|Is no file, but a pipe"):
        check_is_file(tmp_path / "x")
    (tmp_path / "y").write_bytes(b"")
    check_is_file(tmp_path / "y")
    with pytest.raises(FileNotFoundError):
        check_is_file(tmp_path / "z")
