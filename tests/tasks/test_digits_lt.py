"""Digits-LT: splits, and a ratio that is too large."""

import numpy as np
import pytest

from keras_m2m import long_tailed_counts
from tasks import digits_lt
from tasks.experiment.errors import UserError
from tasks.experiment.settings import parse


def digits(**changes):
    values = {"largest": 80, "rho": 40.0, **changes}
    return digits_lt.load(parse(digits_lt.TASK, []).replace(**values))


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
