"""Class weights for re-weighting, normalised to sum to the number of classes."""

import numpy as np

from keras_m2m.imbalance.counts import ClassCounts
from keras_m2m.imbalance.counts import check_class_counts
from keras_m2m.imbalance.powers import check_beta
from keras_m2m.imbalance.powers import one_minus_power


def inverse_frequency_weights(class_counts: ClassCounts) -> np.ndarray:
    """Class weights proportional to one over the class size.

    Args:
        class_counts: Training samples per class, positive integers of shape
            `(num_classes,)`, in any order.

    Returns:
        float64 array of shape `(num_classes,)`, positive, summing to the
        number of classes.

    Raises:
        ValueError: If `class_counts` are not positive integers of that shape.

    Example:

    >>> weights = inverse_frequency_weights([30, 10])
    >>> weights
    array([0.5, 1.5])
    >>> dict(enumerate(weights.tolist()))  # The `class_weight` of `keras.Model.fit`.
    {0: 0.5, 1: 1.5}

    Source: Kim et al., M2m (CVPR 2020), section 3.1, baseline "RW".
    """
    return _sum_to_number_of_classes(1 / check_class_counts(class_counts))


def effective_number(class_counts: ClassCounts, beta: float) -> np.ndarray:
    """How many samples a class is worth when samples overlap.

    Grows from 1, for a single sample, towards `1 / (1 - beta)`: each further
    sample adds `beta` times what the one before it added.

    Args:
        class_counts: Training samples per class, positive integers of shape
            `(num_classes,)`, in any order.
        beta: Overlap of samples, a float in `[0, 1)`. At 0 every class is
            worth one sample; towards 1, as many as it has.

    Returns:
        float64 array of shape `(num_classes,)`, values in `[1, class_counts]`.

    Raises:
        ValueError: If a count is not positive, or `beta` is outside `[0, 1)`.

    Example:

    >>> effective_number([1, 2, 3], beta=0.5)
    array([1.  , 1.5 , 1.75])

    Source: Cui et al., Class-Balanced Loss (CVPR 2019), proposition 1.
    """
    counts, beta = check_class_counts(class_counts), check_beta(beta)
    return one_minus_power(beta, counts) / (1 - beta)


def effective_number_weights(
    class_counts: ClassCounts, beta: float = 0.9999
) -> np.ndarray:
    """Class weights proportional to one over the effective number of samples.

    Args:
        class_counts: Training samples per class, positive integers of shape
            `(num_classes,)`, in any order.
        beta: Overlap of samples, a float in `[0, 1)`. At 0 all classes weigh
            the same; towards 1 the weights become inverse frequencies.

    Returns:
        float64 array of shape `(num_classes,)`, positive, summing to the
        number of classes.

    Raises:
        ValueError: If a count is not positive, or `beta` is outside `[0, 1)`.

    Example:

    >>> weights = effective_number_weights([1, 2], beta=0.5)
    >>> class_weight = dict(enumerate(weights))  # As `keras.Model.fit` takes it.
    >>> round(float(class_weight[0]), 3), round(float(class_weight[1]), 3)
    (1.2, 0.8)

    Source: Cui et al., Class-Balanced Loss (CVPR 2019), eq. (2); baselines
    "CB-RW" and "DRW" of Kim et al., M2m (CVPR 2020).
    """
    return _sum_to_number_of_classes(1 / effective_number(class_counts, beta))


def _sum_to_number_of_classes(weights: np.ndarray) -> np.ndarray:
    """Weights of shape `(num_classes,)`, rescaled to a mean of 1."""
    return weights * (len(weights) / weights.sum())
