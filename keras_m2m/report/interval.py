"""Intervals of scores and shares, over the samples that they were measured on."""

import numpy as np

from keras_m2m.decisions.objective import Objective
from keras_m2m.decisions.objective import Tallies

Interval = tuple[float, float]
_DRAWS, _AT_A_TIME = 1000, 20
_MOST_CELLS = 2e8  # That are drawn: a thousand classes have fewer draws.
_Z = 1.959963984540054  # Of the normal distribution, at 97.5 %.


def of_score(y: np.ndarray, predicted: np.ndarray, objective: Objective) -> Interval:
    """95 % interval of a score, were other samples of the same classes tested.

    A bootstrap within each class, in its Bayesian form: the shares that a class's
    samples are predicted as are drawn. One sample more, predicted as those of all
    classes are, keeps a class of one or two from looking certain.

    Args:
        y: Classes `(n,)`.
        predicted: Decisions `(trainings, n)`.
        objective: What they are judged by.

    Example:

    >>> from keras_m2m.decisions.objective import check_objective
    >>> y = np.repeat([0, 1], 50)
    >>> low, high = of_score(y, y[None], check_objective("accuracy", None, 2))
    >>> 0.9 < low < high == 1
    True

    Source: Rubin, The Bayesian bootstrap (Annals of Statistics 1981).
    """
    size = objective.num_classes
    cells = (y * size + predicted).ravel()
    confusion = np.bincount(cells, minlength=size**2).reshape(size, size)
    confusion = confusion / len(predicted)
    samples = confusion.sum(axis=1)
    known = samples > 0
    right = confusion.diagonal()[known] / samples[known]
    mean = (right.sum() + 0.5) / (len(right) + 1)
    one_more = np.full((size, size), (1 - mean) / (size - 1))
    np.fill_diagonal(one_more, mean)
    totals = samples * objective.weights
    rng = np.random.default_rng(0)
    scores = []
    draws = int(min(_DRAWS, _MOST_CELLS / size**2))
    for _ in range(max(draws // _AT_A_TIME, 5)):
        drawn = rng.standard_gamma(confusion + one_more, (_AT_A_TIME, size, size))
        drawn *= (totals / drawn.sum(axis=2))[..., None]
        hits = np.diagonal(drawn, axis1=1, axis2=2)
        cost = (drawn * objective.costs).sum(axis=(1, 2))
        scores.append(objective.score(Tallies(totals, hits, drawn.sum(axis=1), cost)))
    low, high = np.quantile(np.concatenate(scores), [0.025, 0.975])
    point = objective.of(y, predicted)
    return float(min(low, point)), float(max(high, point))


def of_share(share: float, n: float) -> Interval:
    """95 % interval of a share of `n` samples.

    Example:

    >>> low, high = of_share(0.5, 10)
    >>> round(low, 3), round(high, 3)
    (0.237, 0.763)

    Source: Wilson, Probable inference, the law of succession, and statistical inference
    (JASA 1927).
    """
    centre = share + _Z**2 / (2 * n)
    half = _Z * np.sqrt(share * (1 - share) / n + _Z**2 / (4 * n**2))
    below = 1 + _Z**2 / n
    return float((centre - half) / below), float((centre + half) / below)


def of_average_precision(area: float, positives: int) -> Interval:
    """95 % interval of the area below a precision-recall curve.

    Example:

    >>> low, high = of_average_precision(0.5, 100)
    >>> round(low, 2), round(high, 2)
    (0.4, 0.6)

    Source: Boyd et al., Area under the precision-recall curve: point estimates and
    confidence intervals (ECML PKDD 2013), section 3.2, of an area off 0 and 1.
    """
    inside = _off_the_ends(area, positives)
    middle = np.log(inside / (1 - inside))
    half = _Z / np.sqrt((positives + 1) * inside * (1 - inside))
    low, high = 1 / (1 + np.exp(-(middle + np.array([-half, half]))))
    return float(min(low, area)), float(max(high, area))


def of_roc_area(area: float, positives: int, negatives: int) -> Interval:
    """95 % interval of the area below a ROC curve.

    Example:

    >>> low, high = of_roc_area(0.9, 50, 500)
    >>> round(low, 2), round(high, 2)
    (0.83, 0.95)

    Source: Hanley and McNeil, The meaning and use of the area under a ROC curve
    (Radiology 1982), of an area off 0 and 1.
    """
    inside = _off_the_ends(area, positives)
    first, second = inside / (2 - inside), 2 * inside**2 / (1 + inside)
    variance = (
        inside * (1 - inside)
        + (positives - 1) * (first - inside**2)
        + (negatives - 1) * (second - inside**2)
    ) / (positives * negatives)
    half = _Z * np.sqrt(variance)
    low, high = max(inside - half, 0.0), min(inside + half, 1.0)
    return float(min(low, area)), float(max(high, area))


def _off_the_ends(area, positives):
    """An area drawn to 0.5 by one more sample, since 0 and 1 have no variance."""
    return (area * positives + 0.5) / (positives + 1)


def noise_of_gain(before: float, last: float, samples: int) -> float:
    """Half the width of the 95 % interval of a difference of two shares.

    Both are taken as of different samples; of the same ones it is wide.

    Args:
        before: A share, from 0 to 1.
        last: The other.
        samples: That each is of.

    Example:

    >>> round(noise_of_gain(0.1, 0.4, 40), 3)
    0.178

    Source: Agresti and Caffo, Simple and effective confidence intervals for proportions
    and differences of proportions (The American Statistician 2000).
    """
    shares = [(share * samples + 1) / (samples + 2) for share in (before, last)]
    variance = sum(share * (1 - share) for share in shares) / (samples + 2)
    return float(_Z * np.sqrt(variance))
