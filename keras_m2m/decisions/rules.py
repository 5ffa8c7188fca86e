"""From probabilities to a class: the likeliest, one by offsets, or the cheapest."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from keras_m2m.checks import as_array
from keras_m2m.decisions.probabilities import check_costs
from keras_m2m.decisions.probabilities import check_probabilities
from keras_m2m.decisions.probabilities import log_probabilities


def decide(
    p: ArrayLike, offsets: ArrayLike | None = None, costs: Any = None
) -> np.ndarray:
    """The class to decide for.

    - By default the likeliest, which is best for accuracy.
    - With offsets the class whose log-probability plus offset is largest. Under
      calibrated probabilities, minus the logarithm of the prior is best for balanced
      accuracy; of two classes an offset is a threshold. `class_offsets` chooses them.
    - With costs the class whose expected cost is least, Bayes' decision. It needs
      calibrated probabilities, and is no offset: it may be a class that is never the
      likeliest.

    Args:
        p: Probabilities `(n, num_classes)`.
        offsets: A number for each class, added to log-probabilities, or None.
        costs: What each mistake costs, `(num_classes, num_classes)` indexed
            `[true, predicted]`, or None. At most one of the two may be given.

    Returns:
        int64 array `(n,)` of classes `0..num_classes - 1`.

    Raises:
        ValueError: If an array is of another shape or not finite, or both are given.

    Example:

    >>> p = [[0.9, 0.1], [0.99, 0.01]]
    >>> decide(p), decide(p, costs=[[0, 1], [50, 0]])  # Better to be safe.
    (array([0, 0]), array([1, 0]))

    Source: Elkan, The foundations of cost-sensitive learning (IJCAI 2001), eq. (1);
    Menon et al., Long-tail learning via logit adjustment (ICLR 2021), for the offsets.
    """
    p = check_probabilities(p=p)
    if offsets is not None and costs is not None:
        raise ValueError("Give `offsets` or `costs`, not both")
    if costs is not None:
        return (p @ check_costs(costs, p.shape[1])).argmin(axis=1)
    if offsets is None:
        return p.argmax(axis=1)
    found = as_array(offsets=offsets)
    if found.shape != p.shape[1:] or found.dtype.kind not in "iuf":
        raise ValueError(
            f"`offsets` must be a number for each of {p.shape[1]} classes. "
            f"Received: offsets={offsets}"
        )
    if not np.isfinite(found).all():
        raise ValueError(f"`offsets` must be finite. Received: offsets={offsets}")
    return (log_probabilities(p) + found).argmax(axis=1)
