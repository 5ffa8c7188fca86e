"""Heads that are trained on frozen features, with class-balanced batches."""

from typing import Any

import keras
import numpy as np
from numpy.typing import ArrayLike

from keras_m2m.checks import check_positive
from keras_m2m.checks import check_real
from keras_m2m.checks import check_whole
from keras_m2m.heads.features import check_several_logits
from keras_m2m.heads.features import labels_of
from keras_m2m.heads.features import logits_of
from keras_m2m.heads.features import values_of
from keras_m2m.heads.head import head_of
from keras_m2m.heads.head import scaled_and_shifted
from keras_m2m.heads.head import with_layer
from keras_m2m.imbalance import check_class_counts
from keras_m2m.sampling import ResampledDataset


def retrained_head(
    f: keras.Model,
    x: Any,
    y: ArrayLike,
    epochs: int = 10,
    batch_size: int = 512,
    learning_rate: float = 0.2,
    weight_decay: float = 5e-4,
    loss: keras.Loss | None = None,
    seed: int = 0,
) -> keras.Model:
    """cRT: a new head, trained on frozen features with class-balanced batches.

    The head is a `Dense` with new weights, whatever the head of f is. It is trained by
    SGD with momentum 0.9, its rate falling from `learning_rate` to 0 along a cosine. An
    epoch is `n / batch_size` steps, rounded up: of few samples give smaller batches.

    Its batches have a uniform prior, so that its logits are not to be adjusted.

    Args:
        f: A trained network: a built graph of layers, one input, that ends in a `Dense`
            without activation or in a `CosineDense`, of a unit for each class.
        x: Training samples `(n, ...)`, not augmented, or `Features`.
        y: Their classes, integers `(n,)`, each class at least once.
        epochs: Epochs to train the head for.
        batch_size: Samples a step.
        learning_rate: Of the first step, a positive float.
        weight_decay: Coupled weight decay of kernel and bias, as PyTorch's SGD has it.
        loss: A loss of integer labels and logits; None for cross entropy.
        seed: Integer of at least 0 that new weights and batches follow from.

    Returns:
        A `keras.Model` from samples to logits.

    Raises:
        ValueError: If f is another network or has one logit, labels do not fit, a class
            has no sample, or a number is out of its range.

    Example:

    >>> import keras_m2m
    >>> f = keras_m2m.mlp(2, input_shape=(2,))
    >>> x, y = np.eye(2, dtype="float32"), np.array([0, 1])
    >>> retrained = retrained_head(f, x, y, epochs=1)

    Source: Kang et al., Decoupling representation and classifier (ICLR 2020), section
    4; the numbers, section 5.1 and their code for ImageNet-LT.
    """
    head = head_of(f)
    check_several_logits(f, "cRT")
    values, labels = values_of(f, x), _labels(f, x, y)
    new = _new_dense(head, weight_decay, check_whole(0, seed=seed))
    arguments = epochs, batch_size, learning_rate, loss, seed
    _fit(new, values, labels, *arguments)
    layer = keras.layers.Dense(
        head.num_classes, name=head.layer.name, dtype=head.layer.dtype_policy
    )
    return with_layer(f, layer, new.get_weights())


def scaled_head(
    f: keras.Model,
    x: Any,
    y: ArrayLike,
    epochs: int = 10,
    batch_size: int = 512,
    learning_rate: float = 0.2,
    weight_decay: float = 5e-4,
    loss: keras.Loss | None = None,
    seed: int = 0,
) -> keras.Model:
    """LWS: a factor for the logit of each class, learnt with class-balanced batches.

    Features and head stay; only how strong a class is changes. A factor multiplies the
    bias with the weights, as in the authors' code; the paper speaks of weights alone.
    Training is that of `retrained_head`, from factors of 1. With label-aware smoothing
    as `loss` this is the second stage of MiSLAS.

    Its batches have a uniform prior, so that its logits are not to be adjusted.

    Args:
        f: A trained network: a built graph of layers, one input, that ends in a `Dense`
            without activation or in a `CosineDense`, of a unit for each class.
        x: Training samples `(n, ...)`, not augmented, or `Features`.
        y: Their classes, integers `(n,)`, each class at least once.
        epochs: Epochs to train the factors for.
        batch_size: Samples a step.
        learning_rate: Of the first step, a positive float.
        weight_decay: Coupled weight decay of the factors.
        loss: A loss of integer labels and logits; None for cross entropy.
        seed: Integer of at least 0 that the batches follow from.

    Returns:
        A `keras.Model` from samples to logits, the factors in the weights of its head.

    Raises:
        ValueError: If f is another network or has one logit, labels do not fit, a class
            has no sample, or a number is out of its range.

    Example:

    >>> import keras_m2m
    >>> f = keras_m2m.mlp(2, input_shape=(2,))
    >>> x, y = np.eye(2, dtype="float32"), np.array([0, 1])
    >>> scaled_head(f, x, y, epochs=1).count_params() == f.count_params()
    True

    Source: Kang et al., Decoupling representation and classifier (ICLR 2020), section
    4; Zhong et al., Improving calibration for long-tailed recognition (CVPR 2021).
    """
    check_several_logits(f, "LWS")
    logits, labels = logits_of(f, x).astype("float32"), _labels(f, x, y)
    factors = keras.layers.EinsumDense(
        "nk,k->nk",
        logits.shape[1],
        kernel_initializer="ones",
        kernel_regularizer=_decay(weight_decay),
        dtype="float32",
    )
    arguments = epochs, batch_size, learning_rate, loss, check_whole(0, seed=seed)
    _fit(factors, logits, labels, *arguments)
    (found,) = factors.get_weights()
    return scaled_and_shifted(f, found.astype("float64"), 0.0)


def _labels(f, x, y):
    labels = labels_of(f, x, y)
    check_class_counts(np.bincount(labels, minlength=head_of(f).num_classes))
    return labels


def _decay(weight_decay):
    return keras.regularizers.L2(check_real(0, weight_decay=weight_decay) / 2)


def _new_dense(head, weight_decay, seed):
    """A `Dense` as PyTorch draws its weights, which the paper's code has."""
    limit, decay = head.dim**-0.5, _decay(weight_decay)
    kernel, bias = (
        keras.initializers.RandomUniform(-limit, limit, seed=own)
        for own in np.random.SeedSequence(seed).generate_state(2).tolist()
    )
    return keras.layers.Dense(
        head.num_classes,
        kernel_initializer=kernel,
        bias_initializer=bias,
        kernel_regularizer=decay,
        bias_regularizer=decay,
        dtype="float32",
    )


def _fit(layer, values, labels, epochs, batch_size, learning_rate, loss, seed):
    """Train one layer, of logits, by class-balanced batches."""
    batches = ResampledDataset(
        *(values, labels),
        batch_size=batch_size,
        sampling="class",
        epochs=check_whole(epochs=epochs),
        seed=seed,
    )
    rate = keras.optimizers.schedules.CosineDecay(
        check_positive(learning_rate=learning_rate), len(batches)
    )
    network = keras.Sequential([keras.Input(values.shape[1:]), layer])
    network.compile(
        keras.optimizers.SGD(rate, momentum=0.9),
        loss or keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    )
    network.fit(**batches.fit_arguments, verbose=0)
