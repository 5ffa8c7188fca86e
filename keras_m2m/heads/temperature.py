"""Temperature scaling: probabilities that are as sure as they are right."""

from typing import Any

import keras
import numpy as np

from keras_m2m.checks import check_positive
from keras_m2m.heads.features import labels_of
from keras_m2m.heads.features import logits_of
from keras_m2m.heads.head import scaled_and_shifted

# Temperatures that a search looks at, and the number of its halvings.
_LOWEST, _HIGHEST, _HALVINGS = 1e-4, 1e4, 100


def temperature_scaled(
    f: keras.Model,
    x_val: Any = None,
    y_val: Any = None,
    temperature: float | None = None,
) -> keras.Model:
    """Logits divided by a temperature, which changes no prediction.

    The temperature is the one with the least negative log-likelihood on held-out
    samples: above 1 where f is surer than it is right. The NLL is convex in its
    inverse, so that there is one minimum. A temperature can also be given, as for
    cosines, which are multiplied by the scale of their loss: `temperature=1 / 30`.

    Args:
        f: A trained network: a built graph of layers, one input, that ends in a `Dense`
            without activation or in a `CosineDense`. One logit for two classes will do.
        x_val: Held-out samples `(n, ...)`, or `Features`; never test samples that
            results are reported on.
        y_val: Their classes, integers `(n,)`.
        temperature: A positive float, in the place of the two.

    Returns:
        A `keras.Model` from samples to logits, the temperature in the weights of its
        head.

    Raises:
        ValueError: If f is another network, labels do not fit, not exactly one of
            samples and `temperature` is given, or no temperature is best: since all
            samples are classified right, or f is no better than a guess.

    Example:

    >>> import keras_m2m
    >>> f = keras_m2m.mlp(3, input_shape=(2,))
    >>> halved = temperature_scaled(f, temperature=2.0)

    Source: Guo et al., On calibration of modern neural networks (ICML 2017), section
    4.2.
    """
    samples, given = (x_val, y_val), temperature is not None
    if [part is None for part in samples] != [given, given]:
        raise ValueError(
            "Give held-out samples `x_val` with labels `y_val`, or `temperature`. "
            f"Received: x_val={x_val!r}, y_val={y_val!r}, temperature={temperature!r}"
        )
    found: Any = temperature
    if not given:
        labels = labels_of(f, x_val, y_val)
        found = _best(logits_of(f, x_val), labels)
    return scaled_and_shifted(f, 1 / check_positive(temperature=found), 0.0)


def _best(logits, labels):
    """Where the derivative of the NLL by the inverse temperature is 0, by bisection."""
    of_label = logits[np.arange(len(labels)), labels]
    if of_label.mean() <= logits.mean():
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
        if _slope(logits, of_label, np.exp(middle)) < 0:
            low = middle
        else:
            high = middle
    return float(np.exp(-middle))


def _slope(logits, of_label, inverse):
    scaled = inverse * (logits - logits.max(axis=1, keepdims=True))
    weights = np.exp(scaled)
    expected = (weights * logits).sum(axis=1) / weights.sum(axis=1)
    return (expected - of_label).mean()
