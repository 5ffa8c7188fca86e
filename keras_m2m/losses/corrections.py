"""Losses that correct for class frequencies, and batches without any to correct."""

from typing import Any

import keras


def corrects_prior(loss: Any) -> bool:
    """Whether a loss holds class frequencies: one of ours, or anybody's that says so.

    Example:

    >>> corrects_prior(keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    False
    """
    return bool(getattr(loss, "corrects_prior", False))


def check_corrects_nothing(losses: Any, batches: str) -> None:
    """Raise if a loss would correct for class frequencies that batches do not have.

    Args:
        losses: What `compile` takes as losses.
        batches: What leaves nothing to correct, as the subject of a sentence.

    Example:

    >>> check_corrects_nothing(None, "Class-balanced batches")
    """
    for loss in keras.tree.flatten(losses):
        if corrects_prior(loss):
            raise ValueError(
                f"{batches} leave nothing to correct, and this loss would correct for "
                "class frequencies twice: use it on batches as they come, and cross "
                f"entropy here, or correct the trained network. Received: loss={loss!r}"
            )
