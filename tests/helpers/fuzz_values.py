"""What users hand to functions: right, nearly right, and nonsense."""

import collections
import datetime
import decimal
import fractions
import pathlib
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import scipy.sparse
from hypothesis import strategies as st

from helpers.frames import Frame

K = 3
N = 4


class Call(NamedTuple):
    """A function, strategies of its right arguments, and what must be true.

    Attributes:
        function: The function or class.
        arguments: Strategies by parameter.
        check: Function of the result and the arguments that asserts what is true of
            every result.
    """

    function: Callable
    arguments: dict[str, st.SearchStrategy]
    check: Callable


NUMBERS = [
    -(2**63),
    -1,
    0,
    1,
    2,
    7,
    2**31,
    2**40,
    2**63,
    10**30,
    0.5,
    -0.5,
    1.0,
    1e-300,
]
NUMBERS += [1e308, np.nan, np.inf, -np.inf, np.float16(0.5), np.float32(2), np.int8(3)]
NUMBERS += [decimal.Decimal(1), fractions.Fraction(1, 3), 1j, True, False, np.True_]
OBJECTS = [None, "", "a", "text", b"bytes", [], (), {}, set(), {"a": 1}, {0: 1, 1: 2}]
OBJECTS += [[1], [None], ["a"], [[1], [1, 2]], range(3), object(), int, len, np.zeros]
OBJECTS += [np.array(1.0), np.zeros(3), np.zeros((0, 3)), np.array(["a", "b"]), [[]]]
OBJECTS += [np.zeros((2, 2), object), datetime.date(2020, 1, 1), pathlib.Path("a/b")]
OBJECTS += [np.array(["2020-01-01"], "datetime64[D]"), np.zeros(2, "f4,i4"), slice(2)]
OBJECTS += [scipy.sparse.csr_array(np.eye(3)), np.ma.array([0, 1], mask=[0, 1]), ...]
NONSENSE = st.sampled_from(NUMBERS) | st.sampled_from(OBJECTS)


def texts(*right):
    return st.sampled_from(right)


def whole(low, high):
    """Integers, now and then of NumPy."""
    return st.integers(low, high) | st.integers(low, high).map(np.int64)


def real(low, high):
    floats = st.floats(low, high, allow_subnormal=False)
    return floats | st.integers(0, 8).map(
        lambda i: np.float32(low + i / 8 * (high - low))
    )


def _forms(array):
    """Other things that mean the same array."""
    read_only = array.copy()
    read_only.flags.writeable = False
    forms = [array, array.tolist(), Frame(array), np.asfortranarray(array), read_only]
    forms += [array.astype(array.dtype.newbyteorder(">")), array.astype(object)]
    forms += [np.ma.array(array), array.astype("float64"), array.astype("longdouble")]
    return forms


def _spoilt(array):
    """Things that are nearly this array."""
    spoilt = [array[:-1], array[None], array[..., None], array[:0], array.astype(str)]
    spoilt += [array.astype("uint8"), array.astype(bool), array.astype("complex64")]
    spoilt += [np.ma.masked_equal(array, array.flat[0]), array - 1, array + 1, -array]
    holed = array.astype("float64")
    holed.flat[0] = np.nan
    spoilt += [holed, holed * np.inf, array + 2.0**70, array * 0.5]
    return spoilt


@st.composite
def arrays(draw, right):
    """Values of a strategy as an array, in another form, or with a fault."""
    array = np.asarray(draw(right))
    kind = draw(st.sampled_from(["form", "form", "form", "fault"]))
    with np.errstate(all="ignore"):
        return draw(
            st.sampled_from(_forms(array) if kind == "form" else _spoilt(array))
        )


def rows(low, high, *shape):
    """Float32 arrays of a shape, values in an interval."""

    def drawn(seed):
        return np.random.default_rng(seed).uniform(low, high, shape).astype("float32")

    return st.integers(0, 9).map(drawn)


def labels(n=N, classes=K):
    return arrays(st.lists(st.integers(0, classes - 1), min_size=n, max_size=n))


def samples(*shape):
    dense = rows(0, 1, *(shape or (N, 4)))
    if len(shape) > 2:
        return arrays(dense)
    return arrays(dense) | dense.map(scipy.sparse.csr_array)


def _as_mapping(counts):
    return st.sampled_from(
        [dict(enumerate(counts)), collections.Counter(dict(enumerate(counts)))]
    )


def class_counts(size=K):
    lists = st.lists(st.integers(1, 10**6), min_size=size, max_size=size)
    mappings = lists.map(enumerate).map(dict)
    return arrays(lists) | mappings | mappings.map(collections.Counter)
