"""Temperature scaling: probabilities that are as sure as they are right."""

from typing import Any

import keras

from keras_m2m.checks import check_positive
from keras_m2m.decisions.temperature import temperature_of_logits
from keras_m2m.heads.features import labels_of
from keras_m2m.heads.features import logits_of
from keras_m2m.heads.head import scaled_and_shifted


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
        found = temperature_of_logits(logits_of(f, x_val), labels)
    return scaled_and_shifted(f, 1 / check_positive(temperature=found), 0.0)
