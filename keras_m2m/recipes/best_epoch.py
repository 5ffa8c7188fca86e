"""Whether validation can tell the best epoch of a training."""

import numpy as np

LEAST = 10  # Validation samples of a class.


def can_choose(y_validation: np.ndarray, num_classes: int) -> bool:
    """Whether validation has `LEAST` samples of each class or more.

    By fewer, one rare sample more or less that is recognised decides: epochs before a
    deferred method begins win by chance, and the method is tested as plain training.

    Args:
        y_validation: Labels `(n,)` in `0..num_classes - 1`.
        num_classes: K.
    """
    counts = np.bincount(y_validation, minlength=num_classes)
    return bool(counts.min() >= LEAST)
