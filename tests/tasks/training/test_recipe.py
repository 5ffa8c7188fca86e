"""What units steps have: by the flag, the data and what a table brings."""

from dataclasses import replace

import numpy as np
import pytest

import keras_m2m
from helpers import tiny
from tasks.experiment.errors import UserError
from tasks.training.recipe import recipe_of

pytestmark = pytest.mark.no_backend


def units(flag, method="m2m", **changes):
    settings = tiny.settings(units=flag, method=method)
    data = replace(tiny.blobs(settings), **changes)
    return recipe_of(settings, data).m2m.get("units")


@pytest.mark.parametrize("flag", ["std", "auto"])
def test_vectors_move_in_standard_deviations_of_the_training_set(flag):
    x = tiny.blobs(tiny.settings()).train[0]
    np.testing.assert_array_equal(units(flag), keras_m2m.standard_units(x))
    np.testing.assert_allclose(units(flag), x.std(axis=0), rtol=1e-5)


def test_images_move_in_their_own_units_unless_asked_otherwise():
    images = np.random.default_rng(0).random((6, 4, 4, 1), "float32")
    of_images = {"train": (images, np.arange(6) % 3), "test": (images, None)}
    of_images["validation"] = None
    assert units("auto", **of_images) is None
    assert units("std", **of_images) == pytest.approx([images.std()], rel=1e-5)


def test_a_table_brings_units_of_its_own():
    own = np.float32([1, 0])
    np.testing.assert_array_equal(units("auto", units=own), own)
    assert units("none", units=own) is None


def test_methods_that_translate_nothing_have_none():
    assert units("std", method="drs") is None


def test_a_stream_has_no_standard_deviations_at_hand():
    with pytest.raises(UserError, match="needs all samples in memory"):
        units("std", train=(range(3), np.arange(3)))
