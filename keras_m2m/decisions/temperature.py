"""One number that makes probabilities as sure as they are right."""

import numpy as np
from numpy.typing import ArrayLike

from keras_m2m.checks import check_positive
from keras_m2m.decisions.probabilities import check_labelled
from keras_m2m.decisions.probabilities import check_probabilities
from keras_m2m.decisions.probabilities import log_probabilities

# Temperatures that a search looks at, and the number of its halvings.
_LOWEST, _HIGHEST, _HALVINGS = 1e-4, 1e4, 100


def best_temperature(y: ArrayLike, p: ArrayLike) -> float:
    """The temperature that suits held-out samples best.

    Their negative log-likelihood is least under `with_temperature(p, temperature)`. It
    is above 1 where probabilities are surer than right.

    Args:
        y: Classes of held-out samples, integers `(n,)`; never those of the test.
        p: Their probabilities `(n, num_classes)`.

    Returns:
        A positive float.

    Raises:
        ValueError: If labels or probabilities do not fit, or no temperature is best:
            since all samples are classified right, or p is no better than a guess.

    Example:

    >>> p = [[0.9, 0.1], [0.9, 0.1], [0.9, 0.1], [0.9, 0.1]]
    >>> round(best_temperature([0, 0, 0, 1], p), 3)  # 0.75 is right: log 9 / log 3
    2.0

    Source: Guo et al., On calibration of modern neural networks (ICML 2017), section
    4.2. `keras_m2m.heads.temperature_scaled` is the same for a network.
    """
    y, p = check_labelled(y, p)
    return temperature_of_logits(log_probabilities(p), y)


def with_temperature(p: ArrayLike, temperature: float) -> np.ndarray:
    """Probabilities made less sure by a temperature above 1, surer by one below.

    The order of the classes stays.

    Args:
        p: Probabilities `(n, num_classes)`.
        temperature: A positive float.

    Returns:
        float64 array `(n, num_classes)`, whose rows sum to 1.

    Raises:
        ValueError: If p is no array of probabilities, or `temperature` not positive.

    Example:

    >>> with_temperature([[0.9, 0.1]], 2.0)
    array([[0.75, 0.25]])
    """
    p = check_probabilities(p=p)
    return softmax(log_probabilities(p) / check_positive(temperature=temperature))


def softmax(logits: np.ndarray) -> np.ndarray:
    """Probabilities of logits `(n, num_classes)`.

    Example:

    >>> softmax(np.array([[1000.0, 1000.0]]))
    array([[0.5, 0.5]])
    """
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def temperature_of_logits(
    logits: np.ndarray, labels: np.ndarray, offsets: np.ndarray | float = 0.0
) -> float:
    """Where the derivative of the NLL by the inverse temperature is 0, by bisection.

    The NLL is convex in that, so that there is one minimum.

    Args:
        logits: float64 `(n, num_classes)`.
        labels: int64 `(n,)`.
        offsets: Added to logits that are divided already; of shape `(num_classes,)`, at
            most 0.

    Raises:
        ValueError: If no temperature is best.

    Example:

    >>> logits = np.log([[0.9, 0.1]] * 4)
    >>> round(temperature_of_logits(logits, np.array([0, 0, 0, 1])), 3)
    2.0
    """
    of_label = logits[np.arange(len(labels)), labels]
    below = logits - logits.max(axis=1, keepdims=True)
    if _slope(logits, of_label, 0.0 * below + offsets) >= 0:
        raise ValueError(
            "No temperature is best: the logits of f say no more about these labels "
            "than a guess does. Do labels and samples belong together? Received: a "
            f"mean logit of {of_label.mean():.4g} for labels, of {logits.mean():.4g} "
            "for all classes"
        )
    if (of_label == logits.max(axis=1)).all():
        raise ValueError(
            "No temperature is best: f is right on all of these samples, and the surer "
            "the better. Give more held-out samples. "
            f"Received: {len(labels)} samples, all classified right"
        )
    low, high = np.log(1 / _HIGHEST), np.log(1 / _LOWEST)
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        if _slope(logits, of_label, np.exp(middle) * below + offsets) < 0:
            low = middle
        else:
            high = middle
    return float(np.exp(-middle))


def _slope(logits, of_label, scaled):
    weights = np.exp(scaled)
    expected = (weights * logits).sum(axis=1) / weights.sum(axis=1)
    return (expected - of_label).mean()
