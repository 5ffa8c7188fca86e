"""How tasks make their data: splits, and facts of the real data."""

import os
import pathlib

import numpy as np
import pytest

from keras_m2m import long_tailed_counts
from tasks import digits_lt
from tasks import reuters
from tasks.settings import Settings
from tasks.task import UserError

DATA = os.environ.get("DATA")
needs_data = pytest.mark.skipif(not DATA, reason="needs the folder named by DATA")


def digits(**changes):
    values = {"largest": 80, "rho": 40.0, **changes}
    return digits_lt.load(Settings(**values))


def test_too_large_a_ratio_says_so():
    with pytest.raises(UserError, match="leaves the rarest class without an image"):
        digits(largest=20)


def test_digits_are_long_tailed_in_pixels_and_their_splits_are_apart():
    data = digits()
    assert data.class_counts.tolist() == long_tailed_counts(80, 10, 40).tolist()
    parts = [data.train[0], data.validation[0], data.test[0]]
    assert np.bincount(data.validation[1]).tolist() == [30] * 10
    assert np.bincount(data.test[1]).min() >= 174 - 30 - 80
    assert min(part.min() for part in parts) == 0
    assert max(part.max() for part in parts) == 1
    rows = [{image.tobytes() for image in part} for part in parts]
    assert len(rows[0] | rows[1] | rows[2]) == sum(map(len, rows))


def reuters_data(**changes):
    folder = str(pathlib.Path(DATA) / "reuters_r52")
    values = {"data_dir": folder, "features": "raw", "verify": True, **changes}
    return reuters.load(Settings(**values))


@needs_data
def test_reuters_has_the_published_size():
    data = reuters_data(protocol="field")
    assert data.class_counts.sum() == 6436
    assert len(data.class_names) == 36
    assert data.class_counts.max() / data.class_counts.min() == 710
    assert data.validation is None
    assert data.train[0].shape[1] == 1000


@needs_data
def test_reuters_holds_out_a_tenth_of_each_class():
    whole = reuters_data(protocol="field").class_counts
    data = reuters_data(protocol="m2m")
    np.testing.assert_array_equal(data.class_counts, whole - whole // 10)
    assert len(data.validation[1]) == (whole // 10).sum()
