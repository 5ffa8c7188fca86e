"""Networks of examples, from their released files."""

import hashlib
import re

import numpy as np
import pytest

import keras_m2m
from keras_m2m import examples


@pytest.fixture
def released(tmp_path, monkeypatch):
    """A small network that takes the place of a released one, and its file."""
    f = keras_m2m.mlp(2, (3,), hidden=4)
    path = tmp_path / "digits_m2m.keras"
    f.save(path)
    about = {"sha256": hashlib.sha256(path.read_bytes()).hexdigest()}
    about["command"] = "python -m tasks.digits_lt"
    monkeypatch.setattr(examples, "released", lambda: {"digits_m2m": about})
    return f, path, about["sha256"]


@pytest.mark.parametrize("where", ["folder", "file", "the folder of Keras"])
def test_a_released_file_is_loaded(released, where, monkeypatch):
    f, path, _ = released
    folder = {"folder": path.parent, "file": str(path)}.get(where)
    if folder is None:
        monkeypatch.setenv("KERAS_HOME", str(path.parent))
        (path.parent / "models").mkdir()
        path.rename(path.parent / "models" / path.name)
    x = np.eye(3, dtype="float32")
    loaded = keras_m2m.load_example("digits_m2m", folder)
    np.testing.assert_array_equal(loaded.predict(x, verbose=0), f.predict(x, verbose=0))


@pytest.mark.no_backend
def test_a_changed_file_is_refused(released):
    _, path, sha256 = released
    path.write_bytes(path.read_bytes() + b"\n")
    with pytest.raises(ValueError, match=f"not the released file.*{sha256}"):
        keras_m2m.load_example("digits_m2m", path)


@pytest.mark.no_backend
def test_a_missing_file_is_named_with_its_checksum_and_its_command(released):
    _, path, sha256 = released
    elsewhere = path.parent / "elsewhere"
    wanted = f"elsewhere.digits_m2m.keras is not there.*{sha256}.*tasks.digits_lt"
    with pytest.raises(FileNotFoundError, match=wanted):
        keras_m2m.load_example("digits_m2m", elsewhere)


@pytest.mark.no_backend
def test_another_name_is_refused(released):
    with pytest.raises(ValueError, match=r"digits_m2m.*name='digits'"):
        keras_m2m.load_example("digits")
    with pytest.raises(ValueError, match=r"digits_m2m.*name=\['digits_m2m'\]"):
        keras_m2m.load_example(["digits_m2m"])


@pytest.mark.no_backend
def test_the_list_has_three_methods_on_three_data_sets():
    found = examples.released()
    sets = ("digits", "reuters", "twitter")
    assert [*found] == [f"{s}_{m}" for s in sets for m in ("drs", "erm", "m2m")]
    assert all(re.fullmatch("[0-9a-f]{64}", one["sha256"]) for one in found.values())
    assert len({one["sha256"] for one in found.values()}) == 9
