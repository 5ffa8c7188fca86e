"""A strength chosen on validation data."""

from collections.abc import Callable
from collections.abc import Sequence
from typing import Any
from typing import NamedTuple

import keras
import numpy as np
from numpy.typing import ArrayLike

from keras_m2m.checks import as_array
from keras_m2m.checks import check_real
from keras_m2m.heads.features import Features
from keras_m2m.heads.features import labels_of
from keras_m2m.heads.features import logits_of
from keras_m2m.heads.features import values_of
from keras_m2m.heads.head import head_alone

# Of Kang et al., for τ-normalisation; here of the adjustment too.
TAUS = tuple(step / 10 for step in range(21))


class TauChoice(NamedTuple):
    """A chosen strength, and what it was chosen from.

    Attributes:
        tau: The strength.
        taus: All that were tried.
        scores: Their balanced accuracies on validation, fractions.
    """

    tau: float
    taus: list[float]
    scores: list[float]


def choose_tau(
    make: Callable[[keras.Model, float], keras.Model],
    f: keras.Model,
    x_val: Any,
    y_val: ArrayLike,
    taus: Sequence[float] = TAUS,
) -> TauChoice:
    """Choose the strength of a change to the head, by balanced accuracy on validation.

    Features are computed once, and `make` is called with the head alone, so that a long
    list of strengths costs little. Report the list with the result. The smallest of the
    best is taken.

    Args:
        make: Function `(f, tau)` to a network, such as `heads.tau_normalised`, or
            `lambda f, tau: heads.adjust_logits(f, class_counts, tau)`.
        f: A trained network: a built graph of layers, one input, that ends in a `Dense`
            without activation or in a `CosineDense`.
        x_val: Validation samples `(n, ...)`, or `Features`; never test samples.
        y_val: Their classes, integers `(n,)`. A class without samples counts nowhere.
        taus: Strengths to try: by default 0, 0.1, ..., 2.

    Returns:
        `TauChoice`.

    Raises:
        ValueError: If f is another network, labels do not fit, there is nothing to try,
            or `make` raises it.

    Example:

    >>> import keras_m2m
    >>> f = keras_m2m.mlp(2, input_shape=(2,))
    >>> x, y = np.eye(2, dtype="float32"), np.array([0, 1])
    >>> choose_tau(keras_m2m.heads.tau_normalised, f, x, y, taus=[0.5]).tau
    0.5

    Source: Kang et al., Decoupling representation and classifier (ICLR 2020), section
    5 and their code, for the default list.
    """
    labels, tried = labels_of(f, x_val, y_val), _checked(taus)
    if not callable(make):
        raise ValueError(
            f"`make` must be a function (f, tau) to a network. Received: make={make!r}"
        )
    head, values = head_alone(f), Features(values_of(f, x_val))
    scores = []
    for tau in tried:
        predicted = logits_of(make(head, tau), values).argmax(axis=1)
        right = predicted == labels
        scores.append(float(np.mean([right[labels == k].mean() for k in set(labels)])))
    best = min(range(len(tried)), key=lambda i: (-scores[i], tried[i]))
    return TauChoice(tried[best], tried, scores)


def _checked(taus):
    taus = as_array(taus=taus)
    if taus.ndim != 1 or not len(taus):
        raise ValueError(
            "`taus` must be a list of numbers to try, at least one. "
            f"Received: taus={taus}"
        )
    return [check_real(-1e6, 1e6, tau=tau) for tau in taus.tolist()]
