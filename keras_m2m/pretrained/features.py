"""What a network gives for an image, as one vector."""

import math
from typing import Any

import keras


def vectors(outputs: Any, what: str) -> Any:
    """The output of a backbone as vectors.

    Maps are averaged over their positions. Of the tokens of a transformer the first is
    taken where it has one for the whole image, and else their average: those of the
    patches of a square image are a square number.

    Args:
        outputs: A symbolic tensor `(n, d)`, `(n, tokens, d)`, or maps `(n, h, w, d)` in
            the order that Keras is set to.
        what: The network, as the subject of the message.

    Returns:
        A symbolic tensor `(n, d)`.

    Raises:
        ValueError: If it is something else.

    Example:

    >>> vectors(keras.Input((7, 7, 512)), "a network").shape
    (None, 512)
    """
    axes = len(getattr(outputs, "shape", ()))
    if axes == 2:
        return outputs
    if axes == 4:
        return keras.layers.GlobalAveragePooling2D(name="features")(outputs)
    if axes == 3:
        tokens = outputs.shape[1]
        if tokens is not None and math.isqrt(tokens) ** 2 != tokens:
            return outputs[:, 0]
        return keras.layers.GlobalAveragePooling1D(name="features")(outputs)
    raise ValueError(
        f"{what} must give vectors (n, d), tokens (n, t, d) or maps (n, h, w, d). "
        f"Received: an output of {getattr(outputs, 'shape', outputs)}"
    )
