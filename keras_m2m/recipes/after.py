"""What is done with a network after its training: another head, adjusted logits."""

import math
from dataclasses import dataclass

import numpy as np

from keras_m2m.imbalance import ClassCounts
from keras_m2m.losses.corrections import corrects_prior
from keras_m2m.recipes.losses import Loss
from keras_m2m.recipes.losses import loss_of
from keras_m2m.recipes.methods import Method
from keras_m2m.recipes.mixes import Mix

TRAINED = "trained"


@dataclass(frozen=True)
class Head:
    """A head that takes the place of the trained one.

    Attributes:
        label: What stands behind the method in tables.
        about: One line for `--help`.
        needs_products: Whether it is made of weights that are no directions.
        needs_validation: Whether something is chosen on validation.
    """

    label: str
    about: str
    needs_products: bool = False
    needs_validation: bool = False


HEADS = {
    TRAINED: Head("", "the one that was trained"),
    "tau_norm": Head("τ-norm", "weights of unit length, no bias", needs_products=True),
    "tau_norm_auto": Head(
        "τ-norm (τ by validation)",
        "weights over their norm to the power of τ, chosen on validation",
        needs_products=True,
        needs_validation=True,
    ),
    "crt": Head("cRT", "a new one, trained by class-balanced batches"),
    "lws": Head("LWS", "a factor for each class, trained in the same way"),
    "ncm": Head("NCM", "the nearest class mean, by cosine"),
}
AUTO = "auto"
NO_TAU = "0"


@dataclass(frozen=True)
class After:
    """What is done with a network after its training; by default nothing.

    Attributes:
        head: A key of `HEADS`.
        adjust: τ of post-hoc logit adjustment as a text, `"0"` for none, or `"auto"`
            for the best one on validation.
    """

    head: str = TRAINED
    adjust: str = NO_TAU

    def __bool__(self) -> bool:
        return bool(self.name)

    @property
    def name(self) -> str:
        """What rows are named by, such as `"crt"` or `"adjust=1"`; empty for none."""
        if self.head != TRAINED:
            return self.head
        return "" if self.adjust == NO_TAU else f"adjust={self.adjust}"

    @property
    def label(self) -> str:
        """What it is called in tables and figures."""
        if self.head != TRAINED:
            return HEADS[self.head].label
        about = {"1": "", AUTO: " (τ by validation)"}
        tau = about.get(self.adjust, f" (τ = {self.adjust})")
        return f"logit adjustment{tau}"

    @property
    def needs_validation(self) -> bool:
        return HEADS[self.head].needs_validation or self.adjust == AUTO


NOTHING = After()


def read_after(name: str) -> After | None:
    """What a name stands for, as `After.name` writes it; None for no such thing."""
    if name in HEADS and name != TRAINED:
        return After(head=name)
    flag, _, tau = name.partition("=")
    tau = tau_of(tau or "1") if flag == "adjust" else None
    return After(adjust=tau) if tau and tau != NO_TAU else None


def tau_of(text: str) -> str | None:
    """A τ as all of its spellings are kept, `"1"` for `"1.0"`; None for no τ."""
    if text == AUTO:
        return text
    try:
        tau = float(text)
    except ValueError:
        return None
    return f"{tau:g}" if math.isfinite(tau) and 0 <= tau <= 10 else None


def made_after(head: str, adjust: float | str) -> After:
    """What a head and a τ stand for.

    Args:
        head: A key of `HEADS`.
        adjust: τ in `[0, 10]`, 0 for none, or `"auto"`.

    Raises:
        ValueError: If one is something else.
    """
    if head not in HEADS:
        raise ValueError(
            f"`head` must be one of {', '.join(HEADS)}. Received: head={head!r}"
        )
    tau = tau_of(str(adjust))
    if tau is None:
        raise ValueError(
            f'`adjust` must be a number in [0, 10] or "{AUTO}". '
            f"Received: adjust={adjust!r}"
        )
    return After(head, tau)


def batch_prior(method: Method, class_counts: ClassCounts) -> np.ndarray:
    """The prior of the batches that a network was trained on last.

    Args:
        method: The method of its last epochs.
        class_counts: Training samples per class.

    Returns:
        Shares of the classes, float64.
    """
    counts = np.asarray(class_counts, "float64")
    if method.sampling == "class" or method.smote:
        counts = np.ones_like(counts)
    if method.weights is not None:
        counts = counts * method.weights(class_counts)
    return counts / counts.sum()


def after_refusal(method: Method, loss: Loss, mix: Mix, after: After) -> str | None:
    """Why something cannot be done after a training, as a sentence, or None."""
    return _head_refusal(loss, after) or _adjust_refusal(method, loss, mix, after)


def _head_refusal(loss, after):
    if after.head == TRAINED:
        return None
    if after.adjust != NO_TAU:
        return (
            "only the head that was trained has a prior to adjust: cRT and LWS are "
            "trained by class-balanced batches, τ-norm and NCM give no "
            "probabilities; give a head or adjust, not both"
        )
    if loss.head == "logit":
        return f"another head needs a logit for each class, and {loss.label} has one"
    if HEADS[after.head].needs_products and loss.head == "cosine":
        return f"the head of {loss.label} is normalised as it is"
    return None


def _adjust_refusal(method, loss, mix, after):
    if after.adjust == NO_TAU:
        return None
    if not mix.keeps_prior:
        return f"{mix.label} changes the class frequencies that it would adjust for"
    if loss.head == "cosine":
        return f"the outputs of {loss.label} are cosines and no log-probabilities"
    if corrects_prior(loss_of(method, loss).make([2, 1])):
        return f"{loss.label} holds the prior already, and must not be adjusted twice"
    if np.ptp(batch_prior(method, [2, 1])) < 1e-9:
        return (
            f"the batches of {method.label} have a uniform prior, so that adjusting by "
            "the prior of its batches changes nothing; take it after plain training"
        )
    return None
