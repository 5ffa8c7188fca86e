"""How like those of the training set a sample looks to a network."""

import numpy as np
import scipy.special

_SHARE = 0.01  # Of samples like those of the training set that are taken for others.


def familiarity(logits: np.ndarray) -> np.ndarray:
    """What is large for samples like those that a network was trained on.

    The logarithm of the sum of `exp(logit)` over classes, the negative of the energy.

    Args:
        logits: float32 `(n, num_classes)`.

    Returns:
        float32 `(n,)`.

    Example:

    >>> bool(np.isclose(familiarity(np.zeros((1, 2)))[0], np.log(2)))
    True

    Source: Liu et al., Energy-based out-of-distribution detection (NeurIPS 2020).
    """
    return scipy.special.logsumexp(logits, axis=1)


def least_familiar(logits: np.ndarray) -> float:
    """The familiarity that 99 of 100 samples of a held-out set have at least.

    Args:
        logits: Of samples like those of the training set, and not among them.
    """
    return np.quantile(familiarity(logits), _SHARE, method="lower").item()
