import decimal
import fractions
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies

from keras_m2m.checks import check_bounds
from keras_m2m.checks import check_positive
from keras_m2m.checks import check_real
from keras_m2m.checks import check_whole

NO_NUMBERS = [None, "1", [1.0], True, False, 1j, math.nan, math.inf, -math.inf]
NO_NUMBERS += [np.array(1.0), np.True_, decimal.Decimal(1), 1e308, 10**400]


def received(value):
    """What an error says of the argument `size`, as the end of its text."""
    return f"Received: size={value!r}"


def rejected(check, *args, value):
    with pytest.raises(ValueError, match="`size` must be ") as error:
        check(*args, size=value)
    return str(error.value).endswith(received(value))


# check_real.


@given(strategies.floats(-1, 3))
def test_real_numbers_in_the_interval_are_returned(value):
    assert check_real(-1, 3, size=value) == value


@given(strategies.floats().filter(lambda x: not -1 <= x <= 3))
def test_real_numbers_outside_the_interval_are_rejected(value):
    assert rejected(check_real, -1, 3, value=value)


@pytest.mark.parametrize(
    "value", [0, 10**18, np.float16(2), np.int64(3), fractions.Fraction(1, 2)]
)
def test_real_numbers_whose_squares_fit_into_float32_become_floats(value):
    assert check_real(0, size=value) == value
    assert type(check_real(0, size=value)) is float


@pytest.mark.parametrize("value", NO_NUMBERS)
def test_what_is_no_finite_real_number_is_rejected(value):
    assert rejected(check_real, 0, value=value)


def test_the_interval_is_told():
    with pytest.raises(ValueError, match=r"in \[0, 1\]"):
        check_real(0, 1, size=2)
    with pytest.raises(ValueError, match="of at least 5"):
        check_real(5, size=2)


# check_positive.


@given(strategies.floats(1e-37, 1e18))
def test_positive_numbers_are_returned(value):
    assert check_positive(size=value) == value


@pytest.mark.parametrize("value", [0, 0.0, 1e-300, -1, *NO_NUMBERS])
def test_what_is_not_positive_is_rejected(value):
    assert rejected(check_positive, value=value)


# check_whole.


@given(strategies.integers(-5, 2**31 - 1))
def test_integers_from_the_least_on_are_returned(value):
    assert check_whole(-5, size=value) == value


@given(strategies.integers(max_value=-6))
def test_integers_below_the_least_are_rejected(value):
    assert rejected(check_whole, -5, value=value)


def test_the_least_integer_is_1_by_default_and_is_told():
    assert check_whole(size=1) == 1
    with pytest.raises(ValueError, match="of at least 1"):
        check_whole(size=0)


def test_integers_beyond_what_backends_count_are_rejected():
    assert rejected(check_whole, value=2**31)
    assert check_whole(0, math.inf, size=2**70) == 2**70


def test_integers_of_numpy_become_pythons():
    assert type(check_whole(size=np.int32(3))) is int


@pytest.mark.parametrize("value", [2.0, np.float32(2), *NO_NUMBERS])
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
    [
        *[(1, 0), (1, 1), (0,), (0, 1, 2), (), 1.0, "01", ("0", "1"), {0, 1}],
        *[(0, math.nan), (-math.inf, math.inf), (True, 2), (0, 1e308), (1, 1 + 1e-12)],
        *[((0,), (1,)), np.array(1.0)],
    ],
)
def test_bounds_that_are_no_ordered_pair_are_rejected(bounds):
    with pytest.raises(ValueError, match="`bounds` must be ") as error:
        check_bounds(bounds)
    assert str(error.value).endswith(f"Received: bounds={bounds}")
