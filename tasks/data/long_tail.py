"""Class sizes of the tasks that cut a balanced dataset to an imbalanced one."""

import numpy as np

import keras_m2m
from tasks.experiment.errors import UserError

IMBALANCES = {
    "long_tail": keras_m2m.long_tailed_counts,
    "step": keras_m2m.step_counts,
}


def tail_counts(
    largest: int, num_classes: int, rho: float, imbalance: str = "long_tail"
) -> np.ndarray:
    """`keras_m2m.long_tailed_counts` or `step_counts`, their mistakes the user's.

    Args:
        largest: Samples of the largest class, `--largest`.
        num_classes: Number of classes.
        rho: Imbalance ratio, `--rho`.
        imbalance: One of `IMBALANCES`, `--imbalance`.

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
    return IMBALANCES[imbalance](largest, num_classes, rho)
