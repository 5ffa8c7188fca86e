"""The prior in logits: taken out, or replaced by another one."""

from typing import Any

import keras
import numpy as np

from keras_m2m.checks import check_real
from keras_m2m.decisions.prior import prior_by_em
from keras_m2m.heads.features import logits_of
from keras_m2m.heads.head import head_of
from keras_m2m.heads.head import scaled_and_shifted
from keras_m2m.imbalance import ClassCounts
from keras_m2m.imbalance import check_prior
from keras_m2m.losses.corrections import corrects_prior


def adjust_logits(
    f: keras.Model, prior_or_class_counts: ClassCounts, tau: float = 1.0
) -> keras.Model:
    """Post-hoc logit adjustment: subtract what a class gains by being frequent.

    The logit of a class loses `tau` times the logarithm of its prior. A network trained
    by cross entropy, whose softmax is the probability of a class among its training
    samples, then predicts as if all classes were equally frequent, which is best for
    balanced accuracy.

    **The prior is that of the batches** that f was trained on: class counts after plain
    training. Class-balanced batches, those of M2m and DRS among them, have a uniform
    prior: nothing is left to subtract, and class counts there correct twice. So they do
    after a loss that holds the prior (logit adjustment, balanced softmax, VS), whose f
    predicts balanced as it is; a compiled f with such a loss is refused.

    **Probabilities** are right afterwards only where p(x given y) is that of the test:
    after plain training or under-sampling, not after methods that change the samples of
    a class, such as SMOTE and M2m. After those use `temperature_scaled` on held-out
    data.

    Args:
        f: A trained network of logits: a built graph of layers, one input, that ends in
            a `Dense` without activation or in a `CosineDense`. One logit for two
            classes will do.
        prior_or_class_counts: Positive numbers of shape `(num_classes,)`: samples per
            class, or shares.
        tau: Strength, a finite float; 1 is Bayes' rule. `choose_tau` chooses it on
            validation data.

    Returns:
        A `keras.Model` from samples to logits, the shift in the bias of its head.

    Raises:
        ValueError: If f is another network, returns bare cosines, or was compiled with
            a loss that holds the prior; if a count is not positive, or `tau` is not
            finite.

    Example:

    >>> import keras_m2m
    >>> f = keras_m2m.mlp(2, input_shape=(3,))
    >>> x, counts = np.ones((1, 3), "float32"), [9, 1]
    >>> shift = adjust_logits(f, counts)(x) - f(x)
    >>> keras.ops.convert_to_numpy(shift).round(3)  # -log(0.9), -log(0.1)
    array([[0.105, 2.303]], dtype=float32)

    Source: Menon et al., Long-tail learning via logit adjustment (ICLR 2021), eq. (9).
    """
    _check_log_probabilities(f)
    _check_loss(f)
    prior = check_prior(
        head_of(f).num_classes, prior_or_class_counts=prior_or_class_counts
    )
    tau = check_real(-1e6, 1e6, tau=tau)
    return _shifted(f, -tau * np.log(prior))


def with_prior(
    f: keras.Model,
    train_prior: ClassCounts,
    test_prior: ClassCounts | None = None,
    x: Any = None,
) -> keras.Model:
    """The prior of the training batches replaced by that of the test.

    The logit of a class loses the logarithm of its prior in training and gains that of
    its prior in the test. Give `test_prior` where it is known; otherwise it is
    estimated from unlabelled samples `x` of the test, see `estimate_prior`.

    Like `adjust_logits`, this takes the prior of the batches, and is right where p(x
    given y) of the batches is that of the test. With a uniform `test_prior` the two
    predict the same.

    Args:
        f: A trained network of logits, as for `adjust_logits`.
        train_prior: Of the batches: positive numbers of shape `(num_classes,)`, samples
            per class or shares.
        test_prior: The same of the test; None to estimate it from `x`.
        x: Unlabelled samples of the test `(n, ...)`, or `Features`; None where
            `test_prior` is given.

    Returns:
        A `keras.Model` from samples to logits, the shift in the bias of its head.

    Raises:
        ValueError: If f is another network or returns bare cosines, a number is not
            positive, or not exactly one of `test_prior` and `x` is given.

    Example:

    >>> import keras_m2m
    >>> f = keras_m2m.mlp(2, input_shape=(3,))
    >>> sought = with_prior(f, train_prior=[90, 10], test_prior=[0.5, 0.5])

    Source: Saerens et al., Adjusting the outputs of a classifier to new a priori
    probabilities (Neural Computation 2002), eq. (2.4); as the shift of logits, Hong et
    al., Disentangling label distribution (CVPR 2021), section 3.2.
    """
    _check_log_probabilities(f)
    if (test_prior is None) == (x is None):
        raise ValueError(
            "Give `test_prior`, or unlabelled samples `x` to estimate it from. "
            f"Received: {'both' if x is not None else 'neither'}"
        )
    classes = head_of(f).num_classes
    before = check_prior(classes, train_prior=train_prior)
    if test_prior is None:
        test_prior = estimate_prior(f, train_prior, x)
    after = check_prior(classes, test_prior=test_prior)
    return _shifted(f, np.log(after) - np.log(before))


def estimate_prior(f: keras.Model, train_prior: ClassCounts, x: Any) -> np.ndarray:
    """The prior of unlabelled samples, by EM.

    Under a prior, Bayes' rule turns the probabilities of f into those of the samples;
    their mean is the next prior. Rounds go on until it stands still, at the maximum of
    the likelihood. It trusts the probabilities of f: calibrate it first, by
    `temperature_scaled` on held-out data of the training distribution.

    Args:
        f: A trained network of logits, as for `adjust_logits`.
        train_prior: Of the batches that f was trained on: positive numbers of shape
            `(num_classes,)`, samples per class or shares.
        x: Unlabelled samples `(n, ...)`, or `Features`.

    Returns:
        float64 array of shape `(num_classes,)`, positive shares that sum to 1.

    Raises:
        ValueError: If f is another network or returns bare cosines, a number is not
            positive, or there are no samples.

    Example:

    >>> import keras_m2m
    >>> f = keras_m2m.mlp(3, input_shape=(2,))
    >>> estimate_prior(f, [80, 10, 10], np.ones((5, 2), "float32")).shape
    (3,)

    Source: Saerens et al., Adjusting the outputs of a classifier to new a priori
    probabilities (Neural Computation 2002), eq. (2.9).
    """
    _check_log_probabilities(f)
    logits = logits_of(f, x)
    before = check_prior(logits.shape[1], train_prior=train_prior)
    # Likelihoods of the classes, up to a factor that a sample has in common.
    likely = np.exp(logits - logits.max(axis=1, keepdims=True)) / before
    return prior_by_em(likely, before)


def _shifted(f, shift):
    """F with a number added to the logit of each class."""
    return scaled_and_shifted(
        f, 1.0, shift[1:] - shift[:1] if head_of(f).has_one_logit else shift
    )


def _check_log_probabilities(f):
    head = head_of(f)
    if head.is_cosine and np.abs(head.scale).max() <= 1:
        raise ValueError(
            "`f` returns bare cosines, whose softmax is no probability. First multiply "
            "them, by the scale of the loss, temperature_scaled(f, temperature=1 / 30) "
            "after LDAMLoss, or by what temperature_scaled finds on held-out data. "
            f"Received: f={f.name!r}, which ends in a CosineDense of scale at most 1"
        )


def _check_loss(f):
    loss = getattr(f, "loss", None)
    if corrects_prior(loss):
        raise ValueError(
            f"`f` was trained by {type(loss).__name__}, which holds the prior already: "
            "its logits are balanced as they are, and must not be adjusted twice"
        )
