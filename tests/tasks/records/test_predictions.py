"""Predictions are kept beside the network, and made of it again."""

import keras
import numpy as np
import pytest

from helpers import tiny
from tasks.records import predictions
from tasks.records.trainings import Trainings

pytestmark = pytest.mark.usefixtures("untraced")


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    path = tmp_path_factory.mktemp("cells")
    data = tiny.blobs(tiny.settings())
    own = Trainings(tiny.TASK, data, path / "results", path / "runs")
    settings = tiny.settings(method="erm")
    return own, settings, own.result(settings)


def test_they_are_the_softmax_of_the_tested_network(done):
    own, settings, result = done
    y, p, y_test, p_test = predictions.kept(own, settings)
    f = own.network(settings)
    for found, (x, labels), known in (
        (p, own.data.validation, y),
        (p_test, own.data.test, y_test),
    ):
        expected = keras.ops.softmax(f.predict(x, verbose=0))
        np.testing.assert_allclose(found, expected, atol=1e-5)
        np.testing.assert_array_equal(known, labels)
    right = (p_test.argmax(axis=1) == y_test).mean()
    assert result["accuracy"] == pytest.approx(right)


@pytest.mark.no_backend
def test_of_what_comes_after_a_training_they_are_its_own(done):
    own, settings, _ = done
    adjusted = settings.replace(adjust="1")
    own.result(adjusted)
    plain, other = (predictions.kept(own, s).p_test for s in (settings, adjusted))
    # τ = 1 divides by the prior of the batches: 12, 40 and 4 of 56.
    expected = plain / np.array([12, 40, 4])
    expected /= expected.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(other, expected, atol=1e-5)


@pytest.mark.no_backend
@pytest.mark.parametrize("damage", ["gone", "torn", "other"])
def test_a_file_that_cannot_be_read_is_made_again(damage, done):
    own, settings, _ = done
    before = predictions.kept(own, settings)
    file = own.folder_of_result(settings) / predictions.FILE
    if damage == "gone":
        file.unlink()
    elif damage == "torn":
        file.write_bytes(file.read_bytes()[:100])
    else:
        np.savez(file, x=np.arange(3))
    for one, other in zip(predictions.kept(own, settings), before, strict=True):
        np.testing.assert_array_equal(one, other)
    assert predictions.read(file.parent) is not None


@pytest.mark.no_backend
def test_without_validation_there_are_those_of_the_test_alone(tmp_path):
    settings = tiny.settings(method="logistic", protocol="field")
    data = tiny.blobs(settings)
    own = Trainings(tiny.TASK, data, tmp_path / "results", tmp_path / "runs")
    own.result(settings)
    y, p, y_test, p_test = predictions.kept(own, settings)
    assert y is None
    assert p is None
    assert len(y_test) == len(p_test) == len(data.test[1])
    read = predictions.read(own.folder_of_result(settings))
    assert read.p_validation is None
    np.testing.assert_array_equal(read.p_test, p_test)
