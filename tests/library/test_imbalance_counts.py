import collections

import hypothesis
import numpy as np
import pytest
from hypothesis import strategies as st

from keras_m2m.imbalance import acceptance_probability
from keras_m2m.imbalance import check_class_counts
from keras_m2m.imbalance import count_classes
from keras_m2m.imbalance import effective_number
from keras_m2m.imbalance import effective_number_weights
from keras_m2m.imbalance import generation_probability
from keras_m2m.imbalance import imbalance_ratio
from keras_m2m.imbalance import inverse_frequency_weights
from keras_m2m.imbalance import major_classes
from keras_m2m.imbalance import many_medium_few

pytestmark = pytest.mark.no_backend


# Class counts.


@pytest.mark.parametrize(
    "class_counts",
    [
        [10],
        [[10, 5]],
        10,
        [],
        [10, 0],
        [10, -1],
        [10.5, 5.0],
        [np.nan, 5.0],
        [np.inf, 5.0],
        np.array([2**63, 5], "uint64"),
        [2**53, 2**53],
        [10**30, 5],
        {0: 10, 2: 5},
        {"cat": 10, "dog": 5},
        {0: 10, 1: 0},
        None,
        [True, True],
        ["a", "b"],
    ],
)
def test_class_counts_must_be_positive_integers_of_two_classes(class_counts):
    with pytest.raises(ValueError, match="Received: class_counts="):
        check_class_counts(class_counts)


def test_labels_in_place_of_counts_get_a_short_message_with_what_counts_them():
    with pytest.raises(ValueError, match="count_classes") as error:
        check_class_counts(np.arange(5000) % 3)
    assert len(str(error.value)) < 250


@pytest.mark.parametrize(
    "function",
    [
        imbalance_ratio,
        inverse_frequency_weights,
        effective_number_weights,
        generation_probability,
        major_classes,
        many_medium_few,
        lambda counts: effective_number(counts, 0.9),
        lambda counts: acceptance_probability(counts, 0.9),
    ],
)
def test_every_function_rejects_a_class_without_samples(function):
    with pytest.raises(ValueError, match="positive integers"):
        function([10, 0])


@pytest.mark.parametrize(
    "class_counts",
    [
        np.array([3, 4], "uint8"),
        np.array([3, 4], "uint64"),
        np.array([3, 4], ">i2"),
        [3.0, 4.0],
        {1: 4, 0: 3},
        collections.Counter([1, 0, 1, 0, 1, 1, 0]),
        {np.int64(1): np.int64(4), np.int64(0): np.int64(3)},
    ],
    ids=repr,
)
def test_class_counts_become_int64(class_counts):
    counts = check_class_counts(class_counts)
    assert (counts.tolist(), counts.dtype) == ([3, 4], np.int64)


def test_classes_that_a_mapping_lacks_are_named():
    with pytest.raises(ValueError, match=r"classes 0\.\.2, which lack 0, 2"):
        check_class_counts({1: 5, 3: 5, 7: 5})


# Counting labels.


@hypothesis.given(st.lists(st.integers(0, 4), max_size=30))
def test_counts_are_the_numbers_of_labels(labels):
    labels = np.array(labels, dtype="int32")
    expected = [sum(1 for label in labels if label == k) for k in range(5)]
    assert count_classes(labels, 5).tolist() == expected


def test_labels_may_be_a_column():
    labels = np.array([[0], [2], [2]])
    assert count_classes(labels, 3).tolist() == [1, 0, 2]


def test_counts_are_int64():
    assert count_classes(np.array([1], dtype="uint64"), 2).dtype == np.int64


@pytest.mark.parametrize(
    "labels",
    [np.eye(3, dtype="int64"), np.array([0.0, 0.5]), np.array([True]), 1],
)
def test_one_hot_fractional_and_bool_labels_are_rejected(labels):
    with pytest.raises(ValueError, match="integers of shape"):
        count_classes(labels, 3)


@pytest.mark.parametrize("labels", [[-1, 0], [0, 3]])
def test_labels_out_of_range_are_rejected(labels):
    with pytest.raises(ValueError, match=r"must lie in 0\.\.2"):
        count_classes(labels, 3)


@pytest.mark.parametrize("num_classes", [0, -1, 2.0])
def test_number_of_classes_must_be_a_positive_integer(num_classes):
    with pytest.raises(ValueError, match="Received: num_classes="):
        count_classes([0, 1], num_classes)
