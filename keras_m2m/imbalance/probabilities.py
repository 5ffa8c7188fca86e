"""The probabilities that M2m derives from class counts."""

import numpy as np

from keras_m2m.imbalance.counts import ClassCounts
from keras_m2m.imbalance.counts import check_class_counts
from keras_m2m.imbalance.powers import one_minus_power


def generation_probability(class_counts: ClassCounts) -> np.ndarray:
    """Probability that a sample of a class becomes a candidate for generation.

    In a class-balanced batch this leaves, of each class, as many original
    samples as its share of the training set calls for. The largest class is
    never generated.

    Args:
        class_counts: Training samples per class, positive integers of shape
            `(num_classes,)`, in any order.

    Returns:
        float64 array of shape `(num_classes,)`, values in `[0, 1)`.

    Raises:
        ValueError: If `class_counts` are not positive integers of that shape.

    Example:

    >>> generation_probability([25, 100, 10])
    array([0.75, 0.  , 0.9 ])

    Source: Kim et al., M2m (CVPR 2020), section 2.3.
    """
    counts = check_class_counts(class_counts)
    return (counts.max() - counts) / counts.max()


def acceptance_probability(class_counts: ClassCounts, beta: float) -> np.ndarray:
    """Probability of keeping a translation, for every pair of classes.

    Row `k` holds the chance that a sample translated to target class `k` is
    kept, by the class `k0` of its seed. Seeds from larger classes are kept more
    often; one from a class no larger than the target, never. Normalised, row
    `k` is also the distribution `Q(k0 | k)` that seeds are drawn from.

    Args:
        class_counts: Training samples per class, positive integers of shape
            `(num_classes,)`, in any order.
        beta: Reliability of `g`, a float in `[0, 1)`. Smaller trusts `g` more.

    Returns:
        float64 array of shape `(num_classes, num_classes)`, indexed
        `[target, seed]`, values in `[0, 1]`.

    Raises:
        ValueError: If a count is not positive, or `beta` is outside `[0, 1)`.

    Example:

    >>> acceptance_probability([100, 10], beta=0.99).round(3)
    array([[0.   , 0.   ],
           [0.595, 0.   ]])

    Source: Kim et al., M2m (CVPR 2020), eqs. (3) and (5).
    """
    counts = check_class_counts(class_counts)
    surplus = np.maximum(counts[np.newaxis, :] - counts[:, np.newaxis], 0)
    return one_minus_power(beta, surplus)


def translation_share(class_counts: ClassCounts, beta: float) -> float:
    """Share of a class-balanced batch that M2m translates, on average.

    A row is translated if it becomes a candidate and the draw of R does not
    reject it. The batch is taken to hold all classes.

    Args:
        class_counts: Training samples per class, positive integers of shape
            `(num_classes,)`, in any order.
        beta: See `acceptance_probability`.

    Returns:
        A float in `[0, 1)`.

    Raises:
        ValueError: As for `acceptance_probability`.

    Example:

    >>> round(translation_share([100, 10], beta=0.99), 3)
    0.268

    Source: Kim et al., M2m (CVPR 2020), Algorithm 1, with R drawn beforehand.
    """
    accepted = acceptance_probability(class_counts, beta)
    total = accepted.sum(axis=1)
    kept = (accepted**2).sum(axis=1) / np.where(total > 0, total, 1)
    return float(np.mean(generation_probability(class_counts) * kept))
