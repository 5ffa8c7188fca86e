"""Checks of the losses that f is to be trained by."""

import inspect
from typing import Any

import keras

from keras_m2m.losses.corrections import check_corrects_nothing


def check_loss(loss: Any) -> None:
    """Raise unless a loss takes logits, and class-balanced batches.

    Args:
        loss: A loss as `compile` takes it: an object, a function, a name, or None.

    Raises:
        ValueError: If it takes probabilities, or corrects for class frequencies that
            class-balanced batches do not have.

    Example:

    >>> check_loss(keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    """
    check_takes_logits(loss)
    check_corrects_nothing(loss, "Class-balanced batches, on which M2m trains,")


def check_takes_logits(loss: Any) -> None:
    """Raise if a loss takes probabilities.

    Args:
        loss: As for `check_loss`.

    Example:

    >>> check_takes_logits(None)
    """
    found = keras.losses.get(loss)
    if isinstance(found, keras.losses.Loss):
        try:
            takes_logits = found.get_config().get("from_logits", True)
        except NotImplementedError:  # A user's loss, which does not say.
            return
    elif found is None:
        return
    else:
        parameter = inspect.signature(found).parameters.get("from_logits")
        takes_logits = parameter is None or parameter.default
    if not takes_logits:
        raise ValueError(
            "f returns logits, and this loss takes probabilities. Say so, as in "
            "keras.losses.SparseCategoricalCrossentropy(from_logits=True). "
            f"Received: loss={loss!r}"
        )
