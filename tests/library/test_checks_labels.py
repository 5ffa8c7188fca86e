import numpy as np
import pytest
import scipy.sparse
from hypothesis import given
from hypothesis import strategies

from keras_m2m.checks import check_labels

pytestmark = pytest.mark.no_backend


@given(
    strategies.lists(strategies.integers(0, 4)),
    strategies.booleans(),
    strategies.sampled_from(["uint8", "int32", "uint64", ">i2", "float16", "object"]),
)
def test_labels_become_an_int64_vector(labels, column, dtype):
    y = np.array(labels, dtype)
    for given_labels in (y, y.tolist()):
        y = np.array(given_labels)[:, None] if column else given_labels
        result = check_labels(y, 5)
        assert (result.tolist(), result.dtype) == (labels, "int64")


@pytest.mark.parametrize("num_classes", [None, 2])
def test_booleans_are_the_classes_0_and_1(num_classes):
    assert check_labels([True, False], num_classes).tolist() == [1, 0]


@pytest.mark.parametrize(
    "labels, low, high",
    [
        ([0, 5], 0, 5),
        ([2, -1], -1, 2),
        ([0.0, 5.0], 0.0, 5.0),
        (np.array([0, 2**64 - 1], "uint64"), 0, 2**64 - 1),
    ],
)
def test_labels_out_of_range_are_rejected(labels, low, high):
    with pytest.raises(
        ValueError, match=r"must lie in 0\.\.4, one number per class\. "
    ) as error:
        check_labels(labels, 5)
    assert str(error.value).endswith(f"Received: labels from {low} to {high}")


@pytest.mark.parametrize(
    "labels, advice",
    [([1, 3, 2], "look like 1..3, so use y - 1"), ([1.0, -1.0], "so use y > 0")],
)
def test_labels_of_another_convention_are_recognised(labels, advice):
    with pytest.raises(ValueError, match=r"must lie in 0\.\.2") as error:
        check_labels(labels, 3)
    assert advice in str(error.value)


@pytest.mark.parametrize(
    "y, advice",
    [
        (np.eye(2, dtype=int), "not one-hot; use y.argmax(axis=1)"),
        (np.eye(2, dtype=bool), "not one-hot; use y.argmax(axis=1)"),
        ([[1, 1, 0], [0, 1, 0]], "several classes, or none: train on one column"),
        ([[0.2, 0.8], [0.5, 0.5]], "y.argmax(axis=1) is the likeliest"),
        ([[0, 7], [1, 3]], "several targets, take one column"),
        ([["a", "b"]], "take the one column"),
        (np.zeros((2, 1, 1), int), "take the one column"),
        (np.int64(1), "take the one column"),
        (None, "take the one column"),
        ([0.0, 0.25], "scores become classes by y > 0.5"),
        ([0.0, np.nan], "leave out the 1 samples whose label is missing"),
        ([0, None], "leave out the samples whose label is missing"),
        ([True, False], "booleans are two classes, not 3"),
        (["cat", "dog"], "numpy.unique(y, return_inverse=True)"),
        (np.array(["cat", "dog"], object), "numpy.unique(y, return_inverse=True)"),
        ([1j], "write the classes as 0, 1, 2"),
        (np.array(["2020-01-01"], "datetime64[D]"), "write the classes as 0, 1, 2"),
    ],
    ids=str,
)
def test_what_is_no_column_of_whole_numbers_is_rejected_with_advice(y, advice):
    with pytest.raises(ValueError, match="Labels must be integers of shape") as error:
        check_labels(y, 3)
    message, received = str(error.value).split(" Received: ")
    assert advice in message
    assert received.startswith(f"y.shape={np.shape(y)}, y.dtype=")


@pytest.mark.parametrize(
    "y, received",
    [
        ([[0], [1, 2]], "y of list"),
        (np.ma.array([0, 1], mask=[False, True]), "1 masked values"),
        (scipy.sparse.csr_array(np.eye(2)), "y of csr_array"),
    ],
    ids=["ragged", "masked", "sparse"],
)
def test_what_is_no_array_is_rejected(y, received):
    with pytest.raises(ValueError, match="`y` ") as error:
        check_labels(y, 3)
    assert received in str(error.value).split("Received: ")[1]
