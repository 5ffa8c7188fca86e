"""The losses that trainings are named by."""

from collections.abc import Callable
from dataclasses import dataclass

import keras

from keras_m2m.losses import FocalLoss
from keras_m2m.losses import LabelAwareSmoothing
from keras_m2m.losses import LDAMLoss
from keras_m2m.losses import LogitAdjustedLoss
from keras_m2m.losses import VSLoss
from keras_m2m.recipes.methods import Method
from keras_m2m.recipes.mixes import Mix


@dataclass(frozen=True)
class Loss:
    """A loss and the head of the network that it needs.

    Attributes:
        label: What stands before the method in tables and figures; empty for none.
        about: One line for `--help`.
        make: Function from class counts to a `keras.losses.Loss` on the outputs.
        head: `"dense"`, `"cosine"` or `"logit"`, of the models.
        of_g: The loss that g is trained by where f is trained by this one.
        balanced: The loss that takes its place where a method balances: one that
            corrects for class frequencies would correct twice. Empty for itself.
    """

    label: str
    about: str
    make: Callable
    head: str = "dense"
    of_g: str = "ce"
    balanced: str = ""


LOSSES = {
    "ce": Loss(
        "",
        "cross entropy",
        lambda counts: keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    ),
    "focal": Loss("Focal", "focal loss, gamma 1", lambda counts: FocalLoss(1.0)),
    "ldam": Loss("LDAM", "label-distribution-aware margin", LDAMLoss, "cosine"),
    "bce": Loss(
        "BCE",
        "binary cross entropy of one logit, for two classes",
        lambda counts: keras.losses.BinaryCrossentropy(from_logits=True),
        head="logit",
        of_g="bce",
    ),
    "la": Loss(
        "LA",
        "logit adjustment, tau 1, the balanced softmax; cross entropy once a deferred "
        "method balances",
        LogitAdjustedLoss,
        balanced="ce",
    ),
    "vs": Loss(
        "VS",
        "VS-loss, gamma 0.05, tau 0.75; cross entropy once a deferred method balances",
        VSLoss,
        balanced="ce",
    ),
    "las": Loss("LAS", "label-aware smoothing from 0 to 0.3", LabelAwareSmoothing),
}


def loss_of(method: Method, loss: Loss) -> Loss:
    """The loss that epochs of a method are trained by.

    Args:
        method: The method of a phase.
        loss: The loss of the training.
    """
    return LOSSES[loss.balanced] if method.balances and loss.balanced else loss


def loss_refusal(method: Method, loss: Loss, mix: Mix) -> str | None:
    """Why a loss cannot go with a method, or with mixing, as a sentence, or None."""
    if not loss.balanced:
        return None
    if not mix.keeps_prior:
        return (
            f"{loss.label} corrects for the class frequencies of the labels, which "
            f"{mix.label} changes: take mix=mixup or loss=ce"
        )
    if not method.balances or method.deferred:
        return None
    return (
        f"{loss.label} corrects for the class frequencies of the data, and "
        f"{method.label} changes them from the start: take erm, a deferred method "
        "(drs, drw, m2m), which goes on with cross entropy, or loss=ce"
    )
