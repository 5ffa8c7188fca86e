"""The methods and losses of the paper's tables, as data."""

from collections.abc import Callable
from dataclasses import dataclass

import keras

import keras_m2m


@dataclass(frozen=True)
class Method:
    """What a method does once it is active: from the start, or deferred.

    Attributes:
        about: One line for `--help`.
        sampling: `"instance"` or `"class"`, of `ResampledDataset`.
        weights: Function from class counts to class weights, or None.
        deferred: Whether plain training comes first, up to `defer_epoch`.
        smote: Whether the training set is filled up by SMOTE.
        translate: Whether batches go through `M2mModel`.
    """

    about: str
    sampling: str = "instance"
    weights: Callable | None = None
    deferred: bool = False
    smote: bool = False
    translate: bool = False


@dataclass(frozen=True)
class Loss:
    """A loss and the head of the network that it needs.

    Attributes:
        about: One line for `--help`.
        make: Function from class counts to a `keras.losses.Loss` on the outputs.
        head: `"dense"` or `"cosine"`, of the models.
    """

    about: str
    make: Callable
    head: str = "dense"


_EFFECTIVE = keras_m2m.effective_number_weights

METHODS = {
    "erm": Method("plain training"),
    "rs": Method("class-balanced sampling", sampling="class"),
    "smote": Method("SMOTE in input space up to the largest class", smote=True),
    "rw": Method("class weights of 1/N_k", weights=keras_m2m.inverse_frequency_weights),
    "cb_rw": Method("class weights by effective number", weights=_EFFECTIVE),
    "drs": Method("rs after defer_epoch", sampling="class", deferred=True),
    "drw": Method("cb_rw after defer_epoch", weights=_EFFECTIVE, deferred=True),
    "m2m": Method(
        "Major-to-minor Translation after defer_epoch",
        sampling="class",
        deferred=True,
        translate=True,
    ),
}

LOSSES = {
    "ce": Loss(
        "cross entropy",
        lambda counts: keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    ),
    "focal": Loss("focal loss, gamma 1", lambda counts: keras_m2m.FocalLoss(1.0)),
    "ldam": Loss("label-distribution-aware margin", keras_m2m.LDAMLoss, "cosine"),
}
