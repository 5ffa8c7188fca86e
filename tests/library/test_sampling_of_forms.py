"""Batches of samples that come as lists, frames and sparse matrices."""

import numpy as np
import pytest
import scipy.sparse

from helpers.frames import Frame
from keras_m2m.sampling import ResampledDataset
from keras_m2m.sampling import smote

DENSE = np.array([[0, 1.5, 0], [2, 0, 0], [0, 0, 0], [0, 0, -3]], "float32")
LABELS = [0, 1, 1, 0]


@pytest.mark.parametrize(
    "form",
    [
        np.ndarray.tolist,
        Frame,
        np.asfortranarray,
        scipy.sparse.csr_matrix,
        scipy.sparse.csr_array,
        scipy.sparse.coo_array,
        scipy.sparse.csc_array,
    ],
)
@pytest.mark.parametrize("augment", [None, lambda x, rng: x + rng.integers(9)])
def test_batches_are_those_of_the_array(form, augment):
    arguments = {"batch_size": 2, "sampling": "class", "epochs": 3, "augment": augment}
    expected = ResampledDataset(DENSE, LABELS, **arguments)
    given = ResampledDataset(form(DENSE), Frame(LABELS), **arguments)
    assert len(given) == len(expected)
    for own, other in zip(given, expected):
        for values, right in zip(own, other):
            assert isinstance(values, np.ndarray)
            np.testing.assert_array_equal(values, right)


@pytest.mark.parametrize(
    "matrix, received",
    [
        (scipy.sparse.csr_array([[np.nan], [0.0]]), "1 values of NaN"),
        (scipy.sparse.csr_array([[1], [0]]), "x.dtype=int"),
        (scipy.sparse.csr_array((2, 0)), r"x.shape=\(2, 0\)"),
        (scipy.sparse.coo_array([1.0, 0.0]), r"x.shape=\(2,\)"),
        (scipy.sparse.csr_array((3, 4)), r"len\(x\)=3, len\(y\)=2"),
    ],
    ids=["NaN", "integers", "empty", "vector", "rows"],
)
def test_sparse_samples_are_checked_without_making_them_dense(matrix, received):
    with pytest.raises(ValueError, match=f"Received: {received}"):
        ResampledDataset(matrix, [0, 1])


def test_sparse_samples_of_zeros_alone_are_samples():
    data = ResampledDataset(scipy.sparse.csr_array((2, 3)), [0, 1], 2)
    np.testing.assert_array_equal(data[0][0], np.zeros((2, 3)))


@pytest.mark.parametrize("form", [np.ndarray.tolist, Frame, np.asfortranarray])
def test_smote_gives_what_it_gives_of_the_array(form):
    labels = [0, 0, 0, 1]
    new_x, new_y = smote(form(DENSE.astype("float64")), Frame(labels))
    x, y = smote(DENSE.astype("float64"), np.array(labels))
    np.testing.assert_array_equal(new_x, x)
    np.testing.assert_array_equal(new_y, y)


@pytest.mark.parametrize("dtype", ["float64", "bool", ">i2"])
def test_labels_of_smote_keep_their_dtype(dtype):
    _, y = smote(DENSE, np.array([[0], [0], [0], [1]], dtype))
    assert y.tolist() == [0, 0, 0, 1, 1, 1]
    assert y.dtype == np.dtype(dtype).newbyteorder("=")


@pytest.mark.parametrize(
    "x, y, received",
    [
        ([["a"], ["b"]], [0, 1], "x.dtype=<U1"),
        ([[None], [1.0]], [0, 1], "x.dtype=object"),
        (scipy.sparse.csr_array(DENSE), LABELS, "x of csr_array"),
        (np.full((4, 3), np.nan), LABELS, "12 values of NaN or infinity"),
        (DENSE, LABELS[:3], r"len\(x\)=4, len\(y\)=3"),
        (DENSE, [0, 1, 0.5, 1], "y.dtype=float64"),
        (DENSE, ["a", "b", "b", "b"], "y.dtype=<U1"),
        ([[0.0]], [[0, 1]], r"y.shape=\(1, 2\)"),
    ],
)
def test_smote_rejects_what_is_no_data(x, y, received):
    with pytest.raises(ValueError, match=f"Received: .*{received}"):
        smote(x, y)


@pytest.mark.parametrize("seed", [-1, 0.5, "0", None])
def test_smote_rejects_what_is_no_seed(seed):
    with pytest.raises(ValueError, match="Received: seed="):
        smote(DENSE, LABELS, seed)


def test_smote_takes_any_seed_and_any_label():
    y = smote(DENSE, [2**40, 2**40, 2**40, 7], seed=2**70)[1]
    assert y.tolist() == [2**40] * 3 + [7] * 3
