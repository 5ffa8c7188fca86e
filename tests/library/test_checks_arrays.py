import numpy as np
import pytest
import scipy.sparse

from helpers.frames import Frame
from keras_m2m.checks import check_samples

pytestmark = pytest.mark.no_backend


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
@pytest.mark.parametrize("shape", [(1, 1), (2, 3), (2, 4, 4, 3)])
def test_finite_samples_are_returned(shape, dtype):
    x = np.random.default_rng(0).random(shape).astype(dtype)
    assert check_samples(x, (0, 1)) is x


@pytest.mark.parametrize(
    "x",
    [
        [[0, 0.5], [1, 0]],
        np.array([[0, 0.5], [1, 0]], ">f4"),
        np.array([[0, 0.5], [1, 0]], "longdouble"),
        np.array([[0, 0.5], [1, 0]], object),
        np.array([[0, 0.5], [True, 0]], object),
        np.ma.array([[0, 0.5], [1, 0]]),
        np.array([[0, 1], [0.5, 0]]).T,
        Frame([[0, 0.5], [1, 0]]),
    ],
    ids=repr,
)
def test_samples_of_other_forms_become_such_arrays(x):
    result = check_samples(x)
    assert result.tolist() == [[0, 0.5], [1, 0]]
    assert result.dtype in ("float32", "float64")


def test_samples_that_cannot_be_written_to_stay_as_they_are():
    x = np.zeros((2, 3))
    x.flags.writeable = False
    assert check_samples(x) is x


def test_samples_may_touch_their_bounds():
    x = np.array([[0.0, 1.0]])
    assert check_samples(x, (0, 1)) is x


@pytest.mark.parametrize(
    "x, expected",
    [
        (np.zeros(3), "x.shape=(3,)"),
        (np.float64(1), "x.shape=()"),
        (np.zeros((0, 3)), "x.shape=(0, 3)"),
        (np.zeros((3, 0)), "x.shape=(3, 0)"),
        (np.zeros((2, 3), "uint8"), "x.dtype=uint8"),
        (np.zeros((2, 3), bool), "x.dtype=bool"),
        (np.array([["a"]]), "x.dtype=<U1"),
        (np.array([["a"]], object), "x.dtype=<U1"),
        ([[None]], "x.dtype=object"),
        (np.array([[-1e39]]), "values from -1e+39"),
        ([[1.0], [1.0, 2.0]], "x of list"),
        (np.ma.array([[1.0]], mask=[[True]]), "1 masked values"),
        (scipy.sparse.csr_array(np.eye(2)), "x of csr_array"),
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
