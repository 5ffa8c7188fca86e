"""Class sizes of the tasks that cut a balanced dataset to a long tail."""

import numpy as np

import keras_m2m
from tasks.task import UserError


def tail_counts(largest: int, num_classes: int, rho: float) -> np.ndarray:
    """`keras_m2m.long_tailed_counts` from flags, whose mistakes are the user's.

    Args:
        largest: Samples of the largest class, `--largest`.
        num_classes: Number of classes.
        rho: Imbalance ratio, `--rho`.

    Returns:
        int64 array `(num_classes,)`.

    Raises:
        UserError: If the rarest class would have no sample.
    """
    if rho > largest:
        raise UserError(
            f"--rho={rho:g} leaves the rarest class without an image at "
            f"--largest={largest}"
        )
    return keras_m2m.long_tailed_counts(largest, num_classes, rho)
