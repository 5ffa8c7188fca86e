"""What samples are normalised by, and the units in which M2m takes its steps."""

import keras
import numpy as np
import pytest
import scipy.sparse

from helpers.frames import Frame
from keras_m2m import moments
from keras_m2m import standard_units

pytestmark = pytest.mark.no_backend

RNG = np.random.default_rng(0)


def columns(*spreads, mean=0.0, n=400):
    """Columns of exactly these spreads."""
    x = RNG.normal(size=(n, len(spreads)))
    x = (x - x.mean(0)) / x.std(0) * spreads
    return (x + mean).astype("float32")


def test_entries_that_vary_are_divided_by_their_spread():
    x = columns(1.0, 250.0, 47000.0, mean=[0.5, -3.0, 9000.0])
    mean, variance = moments(x, 1)
    np.testing.assert_allclose(mean, [0.5, -3.0, 9000.0], atol=1e-2)
    np.testing.assert_allclose(np.sqrt(variance), [1, 250, 47000], rtol=1e-4)


@pytest.mark.parametrize("tiny", [0.0, 1e-30, 2.4e-8, 0.9e-4])
def test_an_entry_whose_spread_is_below_the_floor_is_only_shifted(tiny):
    x = columns(1.0, 1.0, tiny, 1.0, mean=[0, 0, -6e-8, 0])
    mean, variance = moments(x, 1)
    np.testing.assert_allclose(variance, 1, rtol=1e-4)
    assert mean[2] == pytest.approx(-6e-8)


def test_an_entry_whose_spread_is_above_the_floor_is_scaled():
    _, variance = moments(columns(1.0, 1.0, 1.1e-4), 1)
    np.testing.assert_allclose(variance[2], 1.1e-4**2, rtol=1e-4)


def test_the_floor_is_that_of_entries_that_vary():
    # Most never do: the median of all would be 0.
    x = columns(0.0, 0.0, 0.0, 0.0, 1e-8, 1.0, 1.0)
    np.testing.assert_allclose(moments(x, 1)[1], 1, rtol=1e-4)


def test_an_entry_that_never_varies_is_no_steeper_than_others_in_large_units():
    x = columns(5e4, 5e4, 0.0, mean=[0, 0, 7.3])
    np.testing.assert_allclose(moments(x, 1)[1], 5e4**2, rtol=1e-4)


def test_channels_have_the_floor_too():
    x = np.stack([columns(*[0.2] * 20), columns(*[1e-3] * 20)], axis=1)
    x = x.reshape(400, 2, 4, 5)
    _, variance = moments(x, 1)
    np.testing.assert_allclose(variance, [0.04, 1e-6], rtol=1e-3)
    x[:, 1] /= 1000  # Now below.
    _, first = moments(x, 1)
    _, last = moments(np.moveaxis(x, 1, -1), 3)
    np.testing.assert_allclose(first, [0.04, 1.0], rtol=1e-3)
    np.testing.assert_array_equal(first, last)


def test_samples_that_never_vary_at_all_are_shifted():
    mean, variance = moments(np.full((5, 2), 3.0, "float32"), 1)
    assert mean.tolist() == [3, 3]
    assert variance.tolist() == [1, 1]


def test_the_axis_is_that_which_networks_normalise(monkeypatch):
    x = np.moveaxis(columns(*[3.0] * 4, *[5.0] * 4).reshape(400, 2, 4), 1, -1)
    images = x[:, :, None]
    for samples in (x, images):
        np.testing.assert_allclose(moments(samples)[1], [9, 25], rtol=1e-4)
    monkeypatch.setattr(keras.config, "image_data_format", lambda: "channels_first")
    assert moments(images)[1].shape == (4,)
    # Channels of series come last all the same.
    np.testing.assert_allclose(moments(x)[1], [9, 25], rtol=1e-4)
    np.testing.assert_allclose(standard_units(x), [3, 5], rtol=1e-4)


# In other forms.

NUMBERS = np.random.default_rng(0).random((300, 7), "float32")
SPARSE = scipy.sparse.coo_array(np.where(NUMBERS < 0.3, NUMBERS, 0))


def repeated():
    """A matrix that stores some entries in two parts, and a column of zeros."""
    row, column = np.array([0, 0, 1, 2, 2]), np.array([0, 0, 1, 0, 1])
    data = np.float32([1, 2, 3, 4, 5])
    matrix = scipy.sparse.csr_array((3, 3), dtype="float32")
    matrix.data, matrix.indices = data, column.astype("int32")
    matrix.indptr = np.searchsorted(row, np.arange(4)).astype("int32")
    return matrix


@pytest.mark.parametrize(
    "matrix", [SPARSE.tocsr(), SPARSE, SPARSE.tocsc(), repeated()], ids=str
)
def test_sparse_samples_spread_as_dense_ones_do(matrix):
    stored = matrix.nnz
    for found, expected in zip(moments(matrix), moments(matrix.toarray())):
        np.testing.assert_allclose(found, expected, rtol=1e-12)
    expected = standard_units(matrix.toarray())
    np.testing.assert_allclose(standard_units(matrix), expected, rtol=1e-6)
    assert matrix.nnz == stored


def test_a_wide_sparse_matrix_is_not_made_dense():
    wide = scipy.sparse.csr_array(([2.0], ([0], [10**6 - 1])), shape=(10**5, 10**6))
    mean, variance = moments(wide)  # Dense, 800 GB.
    assert mean[-1] == pytest.approx(2e-5)
    assert standard_units(wide)[-1] == pytest.approx(2e-5**0.5 * 2**0.5, rel=1e-4)
    assert variance.shape == (10**6,)


@pytest.mark.parametrize("form", [list, Frame])
def test_lists_and_frames_are_taken(form):
    x = columns(1.0, 20.0)
    np.testing.assert_array_equal(standard_units(form(x)), standard_units(x))


@pytest.mark.parametrize(
    "x", [[[np.nan, 1.0]], [["a"]], np.zeros((0, 3)), [1.0, 2.0], None], ids=str
)
@pytest.mark.parametrize("function", [moments, standard_units])
def test_what_are_no_samples_is_refused(function, x):
    with pytest.raises(ValueError, match="Received"):
        function(x)


# Units.


def test_units_are_the_spreads_and_0_where_an_entry_hardly_varies():
    units = standard_units(columns(0.0, 1.0, 1e-8, 250.0, 1.1e-4 * 2.0, mean=7.0))
    assert units.dtype == "float32"
    np.testing.assert_allclose(units, [0, 1, 0, 250, 2.2e-4], rtol=1e-3)


@pytest.mark.parametrize("first", [True, False])
def test_units_of_channels_broadcast_to_a_sample(first, monkeypatch):
    chosen = "channels_first" if first else "channels_last"
    monkeypatch.setattr(keras.config, "image_data_format", lambda: chosen)
    x = columns(*[3.0] * 20, *[5.0] * 20).reshape(400, 2, 4, 5)
    x = x if first else np.moveaxis(x, 1, -1)
    units = np.broadcast_to(standard_units(x), x.shape[1:])
    halves = (units[0], units[1]) if first else (units[..., 0], units[..., 1])
    for half, expected in zip(halves, (3, 5)):
        np.testing.assert_allclose(half, expected, rtol=1e-4)


def test_samples_that_never_vary_have_no_units():
    with pytest.raises(ValueError, match="no units where no entry varies"):
        standard_units(np.full((5, 2), 3.0, "float32"))
