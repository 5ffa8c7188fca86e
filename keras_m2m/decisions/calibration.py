"""Whether probabilities are as sure as they are right."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from keras_m2m.checks import check_whole
from keras_m2m.decisions.probabilities import check_labelled
from keras_m2m.decisions.probabilities import log_probabilities

_MOST_BINS = 10_000


class Reliability(NamedTuple):
    """The points of a reliability diagram, of bins that hold samples.

    Attributes:
        confidence: Mean probability of the predicted class, float64 `(bins,)`.
        accuracy: Share of samples whose predicted class is right.
        samples: Their number in each bin, int64.
    """

    confidence: np.ndarray
    accuracy: np.ndarray
    samples: np.ndarray


def reliability(y: ArrayLike, p: ArrayLike, bins: int = 15) -> Reliability:
    """How often a prediction is right, by how sure it is.

    Samples are sorted by the probability of their likeliest class into bins of equal
    width, `(0, 1/bins]` the first. Calibrated probabilities have an accuracy equal to
    the confidence in each.

    Args:
        y: Classes of held-out samples, integers `(n,)`.
        p: Their probabilities `(n, num_classes)`.
        bins: Number of bins; those without samples are left out.

    Returns:
        `Reliability`.

    Raises:
        ValueError: If labels or probabilities do not fit, or `bins` is below 1.

    Example:

    >>> reliability([0, 1], [[0.9, 0.1], [0.8, 0.2]], bins=2)
    Reliability(confidence=array([0.85]), accuracy=array([0.5]), samples=array([2]))

    Source: Guo et al., On calibration of modern neural networks (ICML 2017), section 2.
    """
    y, p = check_labelled(y, p)
    return _binned(
        p.max(axis=1), p.argmax(axis=1) == y, check_whole(1, _MOST_BINS, bins=bins)
    )


def expected_calibration_error(y: ArrayLike, p: ArrayLike, bins: int = 15) -> float:
    """ECE: the mean gap between how sure predictions are and how often they are right.

    The gap of a bin of `reliability`, equal in width and of the likeliest class, is
    |accuracy - confidence|, and counts by the samples in the bin. It is 0 at best.
    With few samples it is larger than the truth: also the bins of perfect
    probabilities have gaps.

    Args:
        y: Classes of held-out samples, integers `(n,)`.
        p: Their probabilities `(n, num_classes)`.
        bins: Number of bins.

    Returns:
        A float in `[0, 1]`.

    Raises:
        ValueError: If labels or probabilities do not fit, or `bins` is below 1.

    Example:

    >>> round(expected_calibration_error([0, 1], [[0.9, 0.1], [0.8, 0.2]], bins=2), 6)
    0.35

    Source: Guo et al., On calibration of modern neural networks (ICML 2017), eq. (3).
    """
    return _gap(reliability(y, p, bins), len(np.asarray(y)))


def classwise_calibration_error(y: ArrayLike, p: ArrayLike, bins: int = 15) -> float:
    """ECE of each class's own probability, and the mean over classes.

    The plain one looks at the likeliest class alone, which is seldom a rare one. Here
    a class has bins of its own probability, and its gap is that to the share of samples
    of the class; each class counts alike.

    Args:
        y: Classes of held-out samples, integers `(n,)`.
        p: Their probabilities `(n, num_classes)`.
        bins: Number of bins.

    Returns:
        A float in `[0, 1]`.

    Raises:
        ValueError: If labels or probabilities do not fit, or `bins` is below 1.

    Example:

    >>> p = [[0.75, 0.25], [0.75, 0.25], [0.75, 0.25], [0.75, 0.25]]
    >>> classwise_calibration_error([0, 0, 0, 1], p)
    0.0

    Source: Kull et al., Beyond temperature scaling (NeurIPS 2019), section 2; Nixon et
    al., Measuring calibration in deep learning (2019).
    """
    y, p = check_labelled(y, p)
    bins = check_whole(1, _MOST_BINS, bins=bins)
    curves = [_binned(p[:, k], y == k, bins) for k in range(p.shape[1])]
    return float(np.mean([_gap(curve, len(y)) for curve in curves]))


def brier_score(y: ArrayLike, p: ArrayLike) -> float:
    """Squared distance of probabilities from what came, summed over classes.

    0 is best, 2 is sure and wrong. It is the original definition, which for two classes
    is twice that of scikit-learn's `brier_score_loss`.

    Args:
        y: Classes of held-out samples, integers `(n,)`.
        p: Their probabilities `(n, num_classes)`.

    Returns:
        A float in `[0, 2]`, the mean over samples.

    Raises:
        ValueError: If labels or probabilities do not fit.

    Example:

    >>> brier_score([0, 1], [[1.0, 0.0], [1.0, 0.0]])
    1.0

    Source: Brier, Verification of forecasts expressed in terms of probability (Monthly
    Weather Review 1950).
    """
    y, p = check_labelled(y, p)
    return float(((p - np.eye(p.shape[1])[y]) ** 2).sum(axis=1).mean())


def negative_log_likelihood(y: ArrayLike, p: ArrayLike) -> float:
    """NLL: minus the logarithm of the probability of what came.

    Args:
        y: Classes of held-out samples, integers `(n,)`.
        p: Their probabilities `(n, num_classes)`; 0 counts as 2.2e-16.

    Returns:
        A float of at least 0, in nats, the mean over samples.

    Raises:
        ValueError: If labels or probabilities do not fit.

    Example:

    >>> round(negative_log_likelihood([0], [[0.5, 0.5]]), 4)
    0.6931
    """
    y, p = check_labelled(y, p)
    return float(-log_probabilities(p[np.arange(len(y)), y]).mean())


def _binned(confidence, is_right, bins):
    edges = np.linspace(0, 1, bins + 1)
    places = np.clip(np.searchsorted(edges, confidence) - 1, 0, bins - 1)
    count, sure, right = (
        np.bincount(places, weights, minlength=bins)
        for weights in (None, confidence, is_right)
    )
    filled = count > 0
    count = count[filled]
    return Reliability(sure[filled] / count, right[filled] / count, count)


def _gap(curve, n):
    gaps = np.abs(curve.accuracy - curve.confidence)
    return float((curve.samples * gaps).sum() / n)
