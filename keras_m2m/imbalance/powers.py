"""`1 - beta ** n`, behind effective numbers and acceptance alike."""

import numpy as np

from keras_m2m.checks import check_real


def check_beta(beta: float) -> float:
    """Return `beta` as a float if it lies in `[0, 1)`.

    Example:

    >>> check_beta(0.5)
    0.5
    """
    try:
        found = check_real(0, 1, beta=beta)
    except ValueError:
        found = 1.0
    if found == 1:
        raise ValueError(
            f"`beta` is out of range; expected a float in [0, 1). Received: beta={beta}"
        )
    return float(beta)


def one_minus_power(beta: float, exponents: np.ndarray) -> np.ndarray:
    """`1 - beta ** exponents`, exact also where it is tiny.

    Args:
        beta: A float in `[0, 1)`.
        exponents: Integers of at least 0, of any shape.

    Returns:
        float64 array of the shape of `exponents`, values in `[0, 1]`, with
        `0 ** 0` taken as 1.

    Raises:
        ValueError: If `beta` is outside `[0, 1)`.

    Example:

    >>> one_minus_power(0.5, np.array([0, 1, 2]))
    array([0.  , 0.5 , 0.75])
    """
    beta = check_beta(beta)
    if beta == 0:
        return (exponents > 0).astype("float64")
    return -np.expm1(exponents * np.log(beta))
