"""Photographs of a user's own, and where what is made of them is kept."""

import pytest

from helpers.own_data import write_images


@pytest.fixture
def kept(tmp_path, monkeypatch):
    """Where prepared images are kept."""
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "home"))
    return tmp_path / "home" / "keras_m2m"


@pytest.fixture
def images(tmp_path):
    return write_images(tmp_path / "images", {"dog": 12, "cat": 6, "owl": 3})
