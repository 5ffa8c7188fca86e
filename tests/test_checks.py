import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies

from keras_m2m.checks import check_bounds
from keras_m2m.checks import check_labels
from keras_m2m.checks import check_positive
from keras_m2m.checks import check_real
from keras_m2m.checks import check_samples
from keras_m2m.checks import check_whole

NO_NUMBERS = [None, "1", [1.0], True, False, 1j, math.nan, math.inf, -math.inf]


def received(value):
    """What an error says of the argument `size`, as the end of its text."""
    return f"Received: size={value}"


def rejected(check, *args, value):
    with pytest.raises(ValueError, match="`size` must be ") as error:
        check(*args, size=value)
    return str(error.value).endswith(received(value))


# check_real.


@given(strategies.floats(-1, 3))
def test_real_numbers_in_the_interval_are_returned(value):
    assert check_real(-1, 3, size=value) == value


@given(strategies.floats(allow_nan=False).filter(lambda x: not -1 <= x <= 3))
def test_real_numbers_outside_the_interval_are_rejected(value):
    assert rejected(check_real, -1, 3, value=value)


@pytest.mark.parametrize("value", [0, 10**400, np.float32(2), np.int64(3)])
def test_real_numbers_need_no_upper_end(value):
    assert check_real(0, size=value) == value


@pytest.mark.parametrize("value", NO_NUMBERS)
def test_what_is_no_finite_real_number_is_rejected(value):
    assert rejected(check_real, 0, value=value)


def test_the_interval_is_told():
    with pytest.raises(ValueError, match=r"in \[0, 1\]"):
        check_real(0, 1, size=2)
    with pytest.raises(ValueError, match="of at least 5"):
        check_real(5, size=2)


# check_positive.


@given(strategies.floats(0, exclude_min=True, allow_infinity=False))
def test_positive_numbers_are_returned(value):
    assert check_positive(size=value) == value


@pytest.mark.parametrize("value", [0, 0.0, -1e-300, -1, *NO_NUMBERS])
def test_what_is_not_positive_is_rejected(value):
    assert rejected(check_positive, value=value)


# check_whole.


@given(strategies.integers(-5))
def test_integers_from_the_least_on_are_returned(value):
    assert check_whole(-5, size=value) == value


@given(strategies.integers(max_value=-6))
def test_integers_below_the_least_are_rejected(value):
    assert rejected(check_whole, -5, value=value)


def test_the_least_integer_is_1_by_default_and_is_told():
    assert check_whole(size=1) == 1
    with pytest.raises(ValueError, match="of at least 1"):
        check_whole(size=0)


def test_integers_of_numpy_become_pythons():
    assert type(check_whole(size=np.int32(3))) is int


@pytest.mark.parametrize("value", [2.0, np.float32(2), np.True_, *NO_NUMBERS])
def test_what_is_no_integer_is_rejected(value):
    assert rejected(check_whole, value=value)


# check_bounds.


@given(strategies.floats(-5, 0), strategies.floats(0.125, 5))
def test_bounds_become_a_pair_of_floats(low, high):
    for bounds in [(low, high), [low, high], np.array([low, high])]:
        assert check_bounds(bounds) == (low, high)


def test_integer_bounds_become_floats():
    assert [type(value) for value in check_bounds((0, 255))] == [float, float]


def test_no_bounds_are_none():
    assert check_bounds(None) is None


@pytest.mark.parametrize(
    "bounds",
    [(1, 0), (1, 1), (0,), (0, 1, 2), (), 1.0, "01", ("0", "1"), (0, math.nan), {0, 1}],
)
def test_bounds_that_are_no_ordered_pair_are_rejected(bounds):
    with pytest.raises(ValueError, match="`bounds` must be ") as error:
        check_bounds(bounds)
    assert str(error.value).endswith(f"Received: bounds={bounds}")


# check_samples.


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
@pytest.mark.parametrize("shape", [(1, 1), (2, 3), (2, 4, 4, 3)])
def test_finite_samples_are_returned(shape, dtype):
    x = np.random.default_rng(0).random(shape).astype(dtype)
    assert check_samples(x, (0, 1)) is x


def test_samples_may_touch_their_bounds():
    x = np.array([[0.0, 1.0]])
    assert check_samples(x, (0, 1)) is x


@pytest.mark.parametrize(
    "x, expected",
    [
        (np.zeros(3), "x.shape=(3,)"),
        (np.float64(1), "x.shape=()"),
        (np.zeros((0, 3)), "x.shape=(0, 3)"),
        (np.zeros((2, 3), "uint8"), "x.dtype=uint8"),
        (np.zeros((2, 3), bool), "x.dtype=bool"),
        (np.array([["a"]]), "x.dtype=<U1"),
        (np.array([[1, np.nan, np.inf]]), "2 values of NaN or infinity"),
        (np.array([[1, 2, -np.inf]]), "1 values of NaN or infinity"),
    ],
)
def test_samples_that_gradient_steps_cannot_move_are_rejected(x, expected):
    with pytest.raises(ValueError, match="Received: ") as error:
        check_samples(x)
    assert expected in str(error.value).split("Received: ")[1]


@pytest.mark.parametrize("values", [[-0.25, 0.5], [0.5, 1.25]])
def test_samples_outside_their_bounds_are_rejected(values):
    with pytest.raises(ValueError, match=r"leave bounds=\(0, 1\)") as error:
        check_samples(np.array([values]), (0, 1))
    assert f"Received: values from {values[0]} to {values[1]}" in str(error.value)


# check_labels.


@given(strategies.lists(strategies.integers(0, 4)), strategies.booleans())
def test_labels_become_an_int64_vector(labels, column):
    y = np.array(labels, "uint8")
    result = check_labels(y[:, None] if column else y, 5)
    assert (result.tolist(), result.dtype) == (labels, "int64")


@pytest.mark.parametrize("labels, low, high", [([0, 5], 0, 5), ([2, -1], -1, 2)])
def test_labels_out_of_range_are_rejected(labels, low, high):
    with pytest.raises(ValueError, match=r"must lie in 0\.\.4") as error:
        check_labels(labels, 5)
    assert str(error.value).endswith(f"Received: labels from {low} to {high}")


@pytest.mark.parametrize(
    "y",
    [
        np.eye(2, dtype=int),
        np.zeros((2, 1, 1), int),
        np.int64(1),
        np.zeros(2),
        np.zeros(2, bool),
        np.array(["a"]),
    ],
)
def test_labels_that_are_no_vector_of_integers_are_rejected(y):
    with pytest.raises(ValueError, match="not one-hot") as error:
        check_labels(y, 2)
    assert str(error.value).endswith(f"Received: y.shape={y.shape}, y.dtype={y.dtype}")
