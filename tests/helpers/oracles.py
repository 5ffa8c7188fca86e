"""The paper again, in NumPy and exact fractions, written to be read.

Loops over samples and classes, float64 or exact, no Keras and nothing of
`keras_m2m`: where a test compares the two, they have nothing in common but the
paper.
"""

from fractions import Fraction

import numpy as np


def long_tailed_count(largest, num_classes, rho, k):
    """int(largest * rho ** (-k / (K - 1))), in integers, for an integer `rho`."""
    power = num_classes - 1
    count = largest
    while count**power * rho**k > largest**power:
        count -= 1
    return count


def effective_number(count, beta):
    """1 + beta + beta ** 2 + ..., as many terms as there are samples."""
    return float(sum(Fraction(beta) ** n for n in range(count)))


def rejection_probability(count_seed, count_target, beta):
    """Eq. (3): beta to the power of the positive part of the surplus."""
    surplus = count_seed - count_target if count_seed > count_target else 0
    return Fraction(beta) ** surplus


def acceptance(class_counts, beta):
    """1 - eq. (3) for each pair, `[target][seed]`, rounded once, at the end."""
    return np.array(
        [
            [
                float(1 - rejection_probability(int(s), int(t), beta))
                for s in class_counts
            ]
            for t in class_counts
        ]
    )


def generation(class_counts):
    """Share of each class in a balanced set that the training set lacks."""
    largest = max(class_counts)
    return np.array([float(1 - Fraction(int(n), int(largest))) for n in class_counts])


def seed_distribution(labels, class_counts, beta):
    """Row i: probability of each row of the batch to be the seed of row i.

    First a class of those in the batch, by eq. (5), then a row of that class.
    A row for which no class is eligible has no seed: all zeros.
    """
    labels = [int(label) for label in labels]
    rows_of = {k: [j for j, y in enumerate(labels) if y == k] for k in set(labels)}
    chances = np.zeros((len(labels), len(labels)))
    for i, target in enumerate(labels):
        q = {
            k: 1
            - rejection_probability(
                int(class_counts[k]), int(class_counts[target]), beta
            )
            for k in rows_of
        }
        for k, rows in rows_of.items():
            for j in rows:
                if sum(q.values()) > 0:
                    chances[i, j] = float(q[k] / sum(q.values()) / len(rows))
    return chances


def translate_linear(
    x0_plus_noise,
    w_g,
    b_g,
    w_f,
    b_f,
    seed_classes,
    targets,
    lam,
    steps,
    step_size,
    bounds=None,
    units=None,
):
    """Eq. (2) by normalised gradient descent, for f(x) = x W_f + b_f, g likewise.

    Samples `(n, d)` one after the other; kernels are `(d, K)`. The gradient is
    known in closed form: W_g (softmax(g) - e_k) + lam * (column k0 of W_f). The
    bias of f moves nothing. A step has its length in units: it is taken in x / units,
    where the gradient is units times that in x, and brought back.
    """
    del b_f
    units = np.ones(len(w_g)) if units is None else np.asarray(units, "float64")
    results = []
    for x, k0, k in zip(np.asarray(x0_plus_noise, "float64"), seed_classes, targets):
        x = _clipped(x, bounds)
        for _ in range(steps):
            error = softmax(x @ w_g + b_g)
            error[k] -= 1.0
            delta = units * (w_g @ error + lam * w_f[:, k0])
            length = np.sqrt(np.sum(delta**2))
            step = step_size * delta / max(length, 1e-12)
            x = _clipped(x - units * step, bounds)
        results.append(x)
    return np.array(results)


def _clipped(x, bounds):
    return x if bounds is None else np.minimum(np.maximum(x, bounds[0]), bounds[1])


def softmax(logits):
    """Probabilities of one sample's logits `(K,)`."""
    powers = np.exp(logits - np.max(logits))
    return powers / powers.sum()


def log_sum_exp(values):
    values = np.asarray(values, "float64")
    return values.max() + np.log(np.exp(values - values.max()).sum())


def cross_entropy(labels, logits):
    """Losses `(n,)` in nats."""
    return np.array([log_sum_exp(z) - z[y] for y, z in zip(labels, _float64(logits))])


def focal(labels, logits, gamma):
    """(1 - p) ** gamma * -log(p) of each sample, 1 - p from the other classes."""
    losses = []
    for y, z in zip(labels, _float64(logits)):
        log_rest = log_sum_exp(np.delete(z, y)) - log_sum_exp(z)
        losses.append(np.exp(gamma * log_rest) * (log_sum_exp(z) - z[y]))
    return np.array(losses)


def binary_focal(labels, logits, gamma):
    """The same of one logit: p = sigmoid(z), 1 - p = sigmoid(-z) of class 1."""
    margins = np.where(np.asarray(labels) == 1, 1.0, -1.0) * _float64(logits)
    return np.exp(-gamma * np.logaddexp(0, margins)) * np.logaddexp(0, -margins)


def ldam_margins(class_counts, max_margin):
    """C / N_k ** (1/4), with C such that the smallest class has the largest."""
    c = max_margin * min(class_counts) ** 0.25
    return np.array([c / n**0.25 for n in class_counts])


def ldam(labels, cosines, class_counts, max_margin, scale):
    margins = ldam_margins(class_counts, max_margin)
    shifted = _float64(cosines).copy()
    for row, y in enumerate(labels):
        shifted[row, y] -= margins[y]
    return cross_entropy(labels, scale * shifted)


def log_prior(class_counts):
    return np.array([np.log(n / sum(class_counts)) for n in class_counts])


def logit_adjusted(labels, logits, class_counts, tau):
    """Menon et al., eq. (10): log(1 + sum over k' of (pi_k'/pi_y)^tau e^(z_k'-z_y))."""
    losses = []
    for y, z in zip(labels, _float64(logits)):
        ratios = [tau * np.log(n / class_counts[y]) for n in class_counts]
        rest = np.delete(ratios + z - z[y], y)
        losses.append(np.logaddexp.reduce([0.0, *rest]))
    return np.array(losses)


def vector_scaling(labels, logits, class_counts, gamma, tau):
    scales = [(n / max(class_counts)) ** gamma for n in class_counts]
    shifted = _float64(logits) * scales + tau * log_prior(class_counts)
    return cross_entropy(labels, shifted)


def smoothing(class_counts, head, tail):
    """The concave form of Zhong et al.: a quarter of a sine."""
    low, high = min(class_counts), max(class_counts)
    rise = [np.sin(np.pi * (n - low) / (2 * (high - low))) for n in class_counts]
    return [tail + (head - tail) * part for part in rise]


def label_aware_smoothing(labels, logits, class_counts, head, tail):
    """Cross entropy with 1 - e for the label and e / (K - 1) for each other class."""
    losses = []
    for y, z in zip(labels, _float64(logits)):
        e, costs = smoothing(class_counts, head, tail)[y], log_sum_exp(z) - z
        others = np.delete(costs, y)
        losses.append((1 - e) * costs[y] + e / len(others) * others.sum())
    return np.array(losses)


def recalls(labels, predictions, weights=None):
    """Recall of each class that has weight in `labels`, by class."""
    weights = np.ones(len(labels)) if weights is None else weights
    all_of, hits_of = {}, {}
    for y, predicted, w in zip(labels, predictions, weights):
        all_of[y] = all_of.get(y, 0.0) + w
        hits_of[y] = hits_of.get(y, 0.0) + (w if y == predicted else 0.0)
    return {y: hits_of[y] / total for y, total in all_of.items() if total > 0}


def balanced_accuracy(labels, predictions, weights=None):
    values = recalls(labels, predictions, weights).values()
    return sum(values) / len(values) if values else 0.0


def geometric_mean(labels, predictions, correction=0.0, weights=None):
    values = recalls(labels, predictions, weights).values()
    product = np.prod([value or correction for value in values])
    return float(product ** (1 / len(values))) if values else 0.0


def _float64(values):
    return np.asarray(values, "float64")
