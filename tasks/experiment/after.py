"""What is done with a network after its training: another head, adjusted logits."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from tasks.experiment.recipes import LOSSES
from tasks.experiment.recipes import MIXES
from tasks.experiment.recipes import loss_of
from tasks.experiment.recipes import method_of
from tasks.experiment.recipes import split_mix

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


def batch_prior(method: str, class_counts) -> np.ndarray:
    """The prior of the batches that a network was trained on last.

    Args:
        method: Of `METHODS` or `ABLATIONS`.
        class_counts: Training samples per class.

    Returns:
        Shares of the classes, float64.
    """
    made, counts = method_of(method), np.asarray(class_counts, "float64")
    if made.sampling == "class" or made.smote:
        counts = np.ones_like(counts)
    if made.weights is not None:
        counts = counts * made.weights(class_counts)
    return counts / counts.sum()


def refusal(loss: str, method: str, after: After) -> str | None:
    """Why something cannot be done after a training, as a sentence, or None.

    Args:
        loss: A key of `LOSSES`.
        method: Of `METHODS` or `ABLATIONS`.
        after: What is to be done.
    """
    head, of_loss = HEADS[after.head], LOSSES[loss]
    if after.head != TRAINED:
        if after.adjust != NO_TAU:
            return (
                "only the head that was trained has a prior to adjust: cRT and LWS are "
                "trained by class-balanced batches, τ-norm and NCM give no "
                "probabilities; give --head or --adjust"
            )
        if of_loss.head == "logit":
            return f"another head needs a logit for each class, and {loss} has one"
        if head.needs_products and of_loss.head == "cosine":
            return f"the head of {loss} is normalised as it is"
    if after.adjust == NO_TAU:
        return None
    mix, _ = split_mix(method)
    if not MIXES[mix].keeps_prior:
        return f"{mix} changes the class frequencies that it would adjust for"
    if of_loss.head == "cosine":
        return f"the outputs of {loss} are cosines and no log-probabilities"
    of_last_epochs = loss_of(method_of(method), loss).make([2, 1])
    if getattr(of_last_epochs, "corrects_prior", False):
        return f"{loss} holds the prior already, and must not be adjusted twice"
    if np.ptp(batch_prior(method, [2, 1])) < 1e-9:
        return (
            f"the batches of {method} have a uniform prior, so that adjusting by the "
            "prior of its batches changes nothing; take it after plain training"
        )
    return None


def of_flags(flags: Mapping) -> After:
    """What was done after a training, by the flags of a record."""
    return After(flags.get("head", TRAINED), flags.get("adjust", NO_TAU))


def about_heads() -> str:
    """All heads, for `--help`."""
    return "; ".join(f"{name}: {head.about}" for name, head in HEADS.items())
