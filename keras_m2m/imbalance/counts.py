"""Class counts: checked, counted, cut to an imbalance, and grouped by size."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from keras_m2m.checks import MOST_CLASSES
from keras_m2m.checks import as_array
from keras_m2m.checks import check_labels
from keras_m2m.checks import check_real
from keras_m2m.checks import check_whole

# Training samples per class, as all functions here take them.
ClassCounts = ArrayLike | Mapping[int, int]
_MANY_SHOT_ABOVE = 100
_FEW_SHOT_BELOW = 20
_MOST_SAMPLES = 2**53


def check_class_counts(class_counts: ClassCounts) -> np.ndarray:
    """Class counts as an array, or an error that says what is wrong with them.

    Args:
        class_counts: Training samples per class, positive integers of shape
            `(num_classes,)`, at least two classes, in any order; or a mapping from
            the classes 0 to `num_classes - 1` to them, such as a `Counter`, or what
            `value_counts` of pandas returns.

    Returns:
        int64 array of shape `(num_classes,)`.

    Raises:
        ValueError: If `class_counts` is not one-dimensional, has fewer than
            two classes, lacks a class, or holds something other than positive integers.

    Example:

    >>> check_class_counts([100, 10])
    array([100,  10])
    >>> check_class_counts({1: 10, 0: 100})
    array([100,  10])

    Source: `N_k` of Kim et al., M2m (CVPR 2020), section 2.
    """
    counts = as_array(class_counts=in_order(class_counts))
    if counts.ndim != 1 or counts.size < 2:
        raise ValueError(
            "Class counts have the wrong shape; expected `(num_classes,)` with "
            f"at least two classes. Received: class_counts={class_counts}"
        )
    floats = counts.dtype.kind == "f" and (counts == np.rint(counts)).all()
    if not (floats or counts.dtype.kind in "iu") or counts.min() < 1:
        raise ValueError(
            "Class counts must be positive integers, one per class; labels are counted "
            "by `count_classes(labels, num_classes)`. Received: class_counts="
            f"{np.array2string(counts, threshold=20, separator=', ')}"
        )
    total = counts.astype("float64").sum()
    if total > _MOST_SAMPLES:
        raise ValueError(
            f"Class counts must add up to at most {_MOST_SAMPLES}, to which float64 "
            f"counts exactly. Received: class_counts={class_counts}"
        )
    return counts.astype("int64")


def in_order(numbers: Any, name: str = "class_counts") -> Any:
    """The numbers of a mapping, class by class; anything else as it came.

    Args:
        numbers: Such as samples per class.
        name: What they are, for messages.

    Example:

    >>> in_order({1: 10, 0: 100})
    [100, 10]
    """
    # A series of pandas too, whose values come in the order of its index.
    if not (hasattr(numbers, "keys") and hasattr(numbers, "items")):
        return numbers
    by_class = dict(numbers.items())
    missing = [k for k in range(len(by_class)) if k not in by_class]
    if missing:
        raise ValueError(
            f"The keys of `{name}` must be the classes 0..{len(by_class) - 1}, "
            f"which lack {', '.join(map(str, missing[:5]))}. "
            f"Received: {name}={numbers}"
        )
    return [by_class[k] for k in range(len(by_class))]


def count_classes(labels: ArrayLike, num_classes: int) -> np.ndarray:
    """Training samples per class, from the labels.

    A class that does not occur counts 0. Most other functions here reject such
    counts, because a class without samples has neither a weight nor a seed.

    Args:
        labels: Integer classes in `[0, num_classes)`, of shape `(num_samples,)`
            or `(num_samples, 1)`.
        num_classes: Number of classes, a positive integer.

    Returns:
        int64 array of shape `(num_classes,)`.

    Raises:
        ValueError: If `num_classes` is not a positive integer, or the labels
            are one-hot, not integers, or out of range.

    Example:

    >>> count_classes([0, 2, 2], num_classes=4)
    array([1, 0, 2, 0])
    """
    num_classes = check_whole(1, MOST_CLASSES, num_classes=num_classes)
    labels = check_labels(labels, num_classes)
    return np.bincount(labels, minlength=num_classes)


def imbalance_ratio(class_counts: ClassCounts) -> float:
    """Size of the largest class over that of the smallest, `rho` in the paper.

    Args:
        class_counts: Training samples per class, positive integers of shape
            `(num_classes,)`, in any order.

    Returns:
        A Python float of at least 1; 1 means balanced.

    Raises:
        ValueError: If `class_counts` are not positive integers of that shape.

    Example:

    >>> imbalance_ratio([20, 5, 100])
    20.0

    Source: Kim et al., M2m (CVPR 2020), section 3.2.
    """
    counts = check_class_counts(class_counts)
    return float(counts.max() / counts.min())


def long_tailed_counts(largest: int, num_classes: int, rho: float) -> np.ndarray:
    """Class sizes that fall exponentially from the first class to the last.

    Class `k` of `K` keeps `int(largest * rho ** (-k / (K - 1)))` samples. The
    exponents are taken class by class; a running product of one factor would
    lose a sample to rounding where the exact size is an integer.

    Args:
        largest: Samples in class 0, a positive integer.
        num_classes: Number of classes, an integer of at least 2.
        rho: Size of the first class over that of the last, a float of at
            least 1 and at most `largest`.

    Returns:
        int64 array of shape `(num_classes,)`, in descending order.

    Raises:
        ValueError: If an argument is out of its range.

    Example:

    >>> long_tailed_counts(5000, num_classes=10, rho=100).tolist()
    [5000, 2997, 1796, 1077, 645, 387, 232, 139, 83, 50]

    Source: Cui et al., Class-Balanced Loss (CVPR 2019), section 5.1; used for
    CIFAR-LT by Kim et al., M2m (CVPR 2020), section 3.2.
    """
    _check_cut(largest, num_classes, rho)
    exponents = np.arange(num_classes) / (num_classes - 1)
    return _whole(largest / np.power(float(rho), exponents))


def step_counts(largest: int, num_classes: int, rho: float) -> np.ndarray:
    """Class sizes of step imbalance: the first half frequent, the others rare.

    The first `num_classes // 2` classes keep `largest` samples each, the others
    `int(largest / rho)`.

    Args:
        largest: Samples in a frequent class, a positive integer.
        num_classes: Number of classes, an integer of at least 2. If it is odd, one
            class more is rare than frequent.
        rho: Size of a frequent class over that of a rare one, a float of at least
            1 and at most `largest`.

    Returns:
        int64 array of shape `(num_classes,)`, in descending order.

    Raises:
        ValueError: If an argument is out of its range.

    Example:

    >>> step_counts(5000, num_classes=4, rho=100).tolist()
    [5000, 5000, 50, 50]

    Source: Buda et al., A systematic study of the class imbalance problem (Neural
    Networks 2018), section 3.1, with half of the classes rare, as in Cao et al.,
    LDAM (NeurIPS 2019), section 4.
    """
    _check_cut(largest, num_classes, rho)
    rare = np.arange(num_classes) >= num_classes // 2
    return _whole(largest / np.where(rare, rho, 1.0))


def _check_cut(largest, num_classes, rho):
    check_whole(largest=largest)
    check_whole(2, MOST_CLASSES, num_classes=num_classes)
    # Else the last class would have no sample.
    check_real(1, largest, rho=rho)


def _whole(sizes):
    # A size that is an integer on paper may come out a few units in the last
    # place below it; the nudge keeps truncation from taking a whole sample.
    return np.floor(sizes * (1 + 1e-12)).astype("int64")


def major_classes(class_counts: ClassCounts) -> np.ndarray:
    """The fewest largest classes that hold over half of the training set.

    The other classes are the minor ones. If two classes have the same size, the first
    one is taken first.

    Args:
        class_counts: Training samples per class, positive integers of shape
            `(num_classes,)`, in any order.

    Returns:
        bool array of shape `(num_classes,)`, true for major classes.

    Raises:
        ValueError: If `class_counts` are not positive integers of that shape.

    Example:

    >>> major_classes([10, 40, 20, 30])
    array([False,  True, False,  True])

    Source: Kim et al., M2m (CVPR 2020), section 3.4.
    """
    counts = check_class_counts(class_counts)
    by_size = np.argsort(-counts, kind="stable")
    held_before = np.cumsum(counts[by_size]) - counts[by_size]
    major = np.zeros(counts.shape, dtype=bool)
    # A class still counts as major if those before it hold half at most.
    major[by_size] = 2 * held_before <= counts.sum()
    return major


def many_medium_few(class_counts: ClassCounts) -> dict[str, np.ndarray]:
    """Classes grouped into many-shot, medium-shot and few-shot ones.

    Args:
        class_counts: Training samples per class, positive integers of shape
            `(num_classes,)`, in any order.

    Returns:
        A dict of three bool arrays of shape `(num_classes,)`: `"many"` (more
        than 100 samples), `"medium"` (20 to 100) and `"few"` (fewer than 20).
        Every class is in exactly one; a group may be empty.

    Raises:
        ValueError: If `class_counts` are not positive integers of that shape.

    Example:

    >>> many_medium_few([500, 100, 19])["medium"]
    array([False,  True, False])

    Source: Liu et al., Large-Scale Long-Tailed Recognition in an Open World
    (CVPR 2019), section 5.1.
    """
    counts = check_class_counts(class_counts)
    many = counts > _MANY_SHOT_ABOVE
    few = counts < _FEW_SHOT_BELOW
    return {"many": many, "medium": ~many & ~few, "few": few}
