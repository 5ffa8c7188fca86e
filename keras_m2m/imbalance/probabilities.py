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
    return _acceptance(check_class_counts(class_counts), beta)


def _acceptance(counts, beta):
    surplus = np.maximum(counts[np.newaxis, :] - counts[:, np.newaxis], 0)
    return one_minus_power(beta, surplus)


def acceptance_by_size(
    class_counts: ClassCounts, beta: float
) -> tuple[np.ndarray, np.ndarray]:
    """`acceptance_probability` as a table of the sizes of classes.

    Classes of one size share a row and a column. Of N samples there are at most
    `sqrt(2 * N)` sizes, however many classes.

    Args:
        class_counts: Training samples per class, positive integers of shape
            `(num_classes,)`, in any order.
        beta: See `acceptance_probability`.

    Returns:
        `(table, size_of)`: float64 `(sizes, sizes)`, indexed `[target, seed]` by sizes
        in ascending order, and which size each class has, integers `(num_classes,)`.

    Raises:
        ValueError: As for `acceptance_probability`.

    Example:

    >>> table, size_of = acceptance_by_size([100, 10, 10], beta=0.99)
    >>> table.round(3)
    array([[0.   , 0.595],
           [0.   , 0.   ]])
    >>> size_of
    array([1, 0, 0])

    Source: Kim et al., M2m (CVPR 2020), eqs. (3) and (5).
    """
    sizes, size_of = np.unique(check_class_counts(class_counts), return_inverse=True)
    return _acceptance(sizes, beta), size_of


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
    accepted, size_of = acceptance_by_size(class_counts, beta)
    classes = np.bincount(size_of)
    total = accepted @ classes
    kept = accepted**2 @ classes / np.where(total > 0, total, 1)
    return float(np.mean(generation_probability(class_counts) * kept[size_of]))
