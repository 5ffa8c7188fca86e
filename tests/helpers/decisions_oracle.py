"""Measures of probabilities and decisions, again, sample by sample and slowly."""

import numpy as np


def made(n, shares, strength=2.0, seed=0):
    """Labels of these shares, and probabilities that know something of them."""
    rng = np.random.default_rng(seed)
    y = np.repeat(np.arange(len(shares)), np.rint(n * np.asarray(shares)).astype(int))
    logits = strength * np.eye(len(shares))[y] + rng.normal(size=(len(y), len(shares)))
    powers = np.exp(logits)
    return y, powers / powers.sum(axis=1, keepdims=True)


def calibrated(n, prior, sharpness=2.0, seed=0):
    """Probabilities that are right: labels are drawn from them."""
    rng = np.random.default_rng(seed)
    logits = np.log(prior) + sharpness * rng.normal(size=(n, len(prior)))
    powers = np.exp(logits)
    p = powers / powers.sum(axis=1, keepdims=True)
    y = (rng.random((n, 1)) > p.cumsum(axis=1)).sum(axis=1)
    return np.minimum(y, len(prior) - 1), p


def expected_calibration_error(right, sure, bins):
    """Guo et al. (2017), eq. (3), bin by bin, `((m - 1) / M, m / M]`."""
    total = 0.0
    for m in range(1, bins + 1):
        inside = [
            k
            for k, c in enumerate(sure)
            if (m - 1) / bins < c <= m / bins or c == 0 == m - 1
        ]
        if inside:
            accuracy = sum(right[k] for k in inside) / len(inside)
            confidence = sum(sure[k] for k in inside) / len(inside)
            total += len(inside) / len(sure) * abs(accuracy - confidence)
    return total


def cheapest(p, costs):
    """Bayes' decision, sample by sample."""
    found = []
    for row in p:
        expected = [
            sum(row[i] * costs[i][j] for i in range(len(row))) for j in range(len(row))
        ]
        found.append(int(np.argmin(expected)))
    return found
