"""Heads that follow from weights or features by a formula."""

from typing import Any

import keras
import numpy as np
from numpy.typing import ArrayLike

from keras_m2m.checks import check_real
from keras_m2m.heads.features import check_several_logits
from keras_m2m.heads.features import labels_of
from keras_m2m.heads.features import values_of
from keras_m2m.heads.head import head_of
from keras_m2m.heads.head import with_layer
from keras_m2m.imbalance import check_class_counts
from keras_m2m.layers import CosineDense


def tau_normalised(f: keras.Model, tau: float = 1.0) -> keras.Model:
    """τ-normalisation: weights of classes brought nearer to the same length.

    Plain training gives frequent classes longer weights. Those of a class are divided
    by their norm to the power of `tau`; there is no bias.

    Args:
        f: A trained network of logits: a built graph of layers, one input, that ends in
            a `Dense` without activation, of a unit for each class.
        tau: Strength, a float in [0, 10]: 0 drops the bias alone, at 1 all weights have
            unit length. `choose_tau` chooses it on validation data.

    Returns:
        A `keras.Model` from samples to logits, with other weights in its head.

    Raises:
        ValueError: If f is another network, has one logit, or ends in a `CosineDense`,
            whose weights are normalised already; if `tau` is out of its range.

    Example:

    >>> import keras_m2m
    >>> f = tau_normalised(keras_m2m.mlp(3, input_shape=(2,)))
    >>> np.linalg.norm(f.layers[-1].get_weights()[0], axis=0).round(4)
    array([1., 1., 1.], dtype=float32)

    Source: Kang et al., Decoupling representation and classifier (ICLR 2020), section
    4, eq. (4).
    """
    head = head_of(f)
    check_several_logits(f, "τ-normalisation")
    if head.is_cosine:
        raise ValueError(
            "`f` ends in a CosineDense, which normalises the weights of all classes as "
            f"it is. Received: f={f.name!r}"
        )
    norms = np.linalg.norm(head.kernel, axis=0)
    # A class of zeros stays one.
    powers = np.where(norms > 0, norms, 1.0) ** check_real(0, 10, tau=tau)
    config = {**head.layer.get_config(), "use_bias": False}
    return with_layer(f, keras.layers.Dense.from_config(config), [head.kernel / powers])


def nearest_class_mean(f: keras.Model, x: Any, y: ArrayLike) -> keras.Model:
    """The class whose mean feature is nearest, by cosine (NCM).

    Nothing is trained and nothing is tuned. The logits are cosines: for probabilities
    multiply them, by `temperature_scaled` on held-out data.

    Args:
        f: A trained network: a built graph of layers, one input, that ends in a `Dense`
            without activation or in a `CosineDense`, of a unit for each class.
        x: Training samples `(n, ...)`, or `Features`.
        y: Their classes, integers `(n,)`, each class at least once.

    Returns:
        A `keras.Model` from samples to cosines, which ends in a `CosineDense`.

    Raises:
        ValueError: If f is another network or has one logit, labels do not fit, or a
            class has no sample.

    Example:

    >>> import keras_m2m
    >>> f = keras_m2m.mlp(2, input_shape=(2,))
    >>> x, y = np.eye(2, dtype="float32"), np.array([0, 1])
    >>> keras.ops.convert_to_numpy(nearest_class_mean(f, x, y)(x)).argmax(1)
    array([0, 1])

    Source: Kang et al., Decoupling representation and classifier (ICLR 2020), section
    4.
    """
    head = head_of(f)
    check_several_logits(f, "The nearest class mean")
    labels = labels_of(f, x, y)
    counts = check_class_counts(np.bincount(labels, minlength=head.num_classes))
    values = values_of(f, x).astype("float64")
    sums = np.zeros((len(counts), head.dim))
    np.add.at(sums, labels, values)
    layer = CosineDense(
        len(counts), name=head.layer.name, dtype=head.layer.dtype_policy
    )
    return with_layer(f, layer, [(sums / counts[:, None]).T])
