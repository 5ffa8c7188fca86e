"""Probabilities for samples whose classes are more or less frequent than before."""

import numpy as np
from numpy.typing import ArrayLike

from keras_m2m.decisions.probabilities import check_probabilities
from keras_m2m.decisions.probabilities import log_probabilities
from keras_m2m.decisions.temperature import softmax
from keras_m2m.imbalance import ClassCounts
from keras_m2m.imbalance import check_prior

# Of EM, which nears the maximum by ever smaller steps.
_MOST_ROUNDS, _SETTLED = 10_000, 1e-9
# A class that no sample looks like ends at a share of 0, whose logarithm is infinite.
_LEAST_SHARE = 1e-12


def prior_replaced(
    p: ArrayLike, prior: ClassCounts, test_prior: ClassCounts
) -> np.ndarray:
    """Probabilities under another prior, by Bayes' rule.

    Args:
        p: Probabilities `(n, num_classes)`, calibrated under `prior`.
        prior: Of the samples that they are right for: positive numbers of shape
            `(num_classes,)`, samples per class or shares.
        test_prior: The same of the samples that they shall be right for.

    Returns:
        float64 array `(n, num_classes)`, whose rows sum to 1.

    Raises:
        ValueError: If p is no array of probabilities, or a number is not positive.

    Example:

    >>> prior_replaced([[0.9, 0.1]], prior=[0.9, 0.1], test_prior=[0.5, 0.5])
    array([[0.5, 0.5]])

    Source: Saerens et al., Adjusting the outputs of a classifier to new a priori
    probabilities (Neural Computation 2002), eq. (2.4). `keras_m2m.heads.with_prior` is
    the same for a network.
    """
    p = check_probabilities(p=p)
    before = check_prior(p.shape[1], prior=prior)
    after = check_prior(p.shape[1], test_prior=test_prior)
    return softmax(log_probabilities(p) + np.log(after) - np.log(before))


def prior_of_unlabelled(p: ArrayLike, prior: ClassCounts) -> np.ndarray:
    """The prior of unlabelled samples, estimated by EM from their probabilities.

    It trusts them: calibrate them first, on held-out samples of `prior`.

    Args:
        p: Probabilities of unlabelled samples `(n, num_classes)`, calibrated under
            `prior`.
        prior: Positive numbers of shape `(num_classes,)`, samples per class or shares.

    Returns:
        float64 array `(num_classes,)`, positive shares that sum to 1.

    Raises:
        ValueError: If p is no array of probabilities, or a number is not positive.

    Example:

    >>> p = [[0.99, 0.01], [0.01, 0.99], [0.01, 0.99]]
    >>> prior_of_unlabelled(p, prior=[0.5, 0.5]).round(2)
    array([0.33, 0.67])

    Source: Saerens et al., Adjusting the outputs of a classifier to new a priori
    probabilities (Neural Computation 2002), eq. (2.9).
    """
    p = check_probabilities(p=p)
    before = check_prior(p.shape[1], prior=prior)
    return prior_by_em(p / before, before)


def prior_by_em(likely: np.ndarray, prior: np.ndarray) -> np.ndarray:
    """The prior of the largest likelihood, in rounds until it stands still.

    Args:
        likely: Likelihoods of the classes `(n, num_classes)`, up to a factor that a
            sample has in common.
        prior: Where to begin, shares `(num_classes,)`.

    Example:

    >>> prior_by_em(np.eye(2), np.array([0.9, 0.1]))
    array([0.5, 0.5])
    """
    for _ in range(_MOST_ROUNDS):
        joint = likely * prior
        last, prior = prior, (joint / joint.sum(axis=1, keepdims=True)).mean(axis=0)
        if np.abs(prior - last).max() < _SETTLED:
            break
    prior = np.maximum(prior, _LEAST_SHARE)
    return prior / prior.sum()
