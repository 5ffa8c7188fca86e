"""The share of each class, from counts or shares."""

import numpy as np

from keras_m2m.checks import as_array
from keras_m2m.imbalance.counts import ClassCounts
from keras_m2m.imbalance.counts import in_order


def check_prior(num_classes: int, **argument: ClassCounts) -> np.ndarray:
    """Return the one keyword argument as shares of the classes, which sum to 1.

    Args:
        num_classes: Number of classes K.
        **argument: Positive numbers of shape `(num_classes,)`: samples per class, or
            shares; or a mapping from the classes 0 to K - 1 to them.

    Returns:
        float64 array of shape `(num_classes,)`.

    Raises:
        ValueError: If it is of another shape, or a number is not positive and finite.

    Example:

    >>> check_prior(2, class_counts=[30, 10])
    array([0.75, 0.25])
    """
    ((name, value),) = argument.items()
    found = as_array(**{name: in_order(value, name)})
    if found.shape != (num_classes,) or found.dtype.kind not in "iuf":
        raise ValueError(
            f"`{name}` must have a number for each of the {num_classes} classes of the "
            f"network: samples per class, or shares. Received: {name}={value}"
        )
    shares = found.astype("float64")
    if not (np.isfinite(shares).all() and (shares > 0).all()):
        raise ValueError(
            f"`{name}` must be positive and finite: the logarithm of a class without "
            "samples is infinite. Leave such classes out of the network, or give them "
            f"a small share. Received: {name}={value}"
        )
    return shares / shares.sum()
