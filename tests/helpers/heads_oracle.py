"""What is done after training, again in NumPy and float64."""

import numpy as np


def softmax(logits):
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)


def nll(logits, labels, weights=None):
    """Mean cross entropy in nats, weighted by sample."""
    chances = softmax(logits)[np.arange(len(labels)), labels]
    return np.average(-np.log(chances), weights=weights)


def balanced_weights(labels):
    """Weights of samples under which all classes weigh the same."""
    return 1 / np.bincount(labels)[labels]


def tau_normalised(kernel, tau):
    """Kang et al. (2020): w_k / ||w_k||^tau, column by column."""
    columns = [column / np.sqrt((column**2).sum()) ** tau for column in kernel.T]
    return np.stack(columns, axis=1)


def nearest_mean_cosines(features, labels, of):
    """Cosines of features `of` samples with the mean features of classes."""
    found = []
    for k in range(max(labels) + 1):
        mean = features[labels == k].mean(axis=0)
        lengths = np.linalg.norm(of, axis=1) * np.linalg.norm(mean)
        found.append(of @ mean / lengths)
    return np.stack(found, axis=1)


def em_prior(posteriors, train_prior, rounds):
    """Saerens et al. (2002), eq. (2.9), sample by sample."""
    prior = np.array(train_prior, "float64")
    for _ in range(rounds):
        total = np.zeros_like(prior)
        for chances in posteriors:
            ratios = [p * new / old for p, new, old in zip(chances, prior, train_prior)]
            total += np.array(ratios) / sum(ratios)
        prior = total / len(posteriors)
    return prior
