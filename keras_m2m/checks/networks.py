"""Checks of the networks that a function is handed."""

from typing import Any

import keras


def check_model(**argument: keras.Model) -> keras.Model:
    """Return the one keyword argument if it is a `keras.Model`.

    Example:

    >>> check_model(network=keras.Sequential()).name[:10]
    'sequential'
    """
    ((name, value),) = argument.items()
    if not isinstance(value, keras.Model):
        raise ValueError(f"`{name}` must be a keras.Model. Received: {name}={value!r}")
    return value


def is_graph(network: keras.Model) -> bool:
    """Whether calling the network is running through its graph of layers, and no more.

    Example:

    >>> is_graph(keras.Sequential())
    True
    """
    functional = type(keras.Model(inputs := keras.Input((1,)), inputs))
    plain = (functional.call, keras.Sequential.call)
    return isinstance(network, keras.Model) and type(network).call in plain


def only_input(x: Any) -> Any:
    """The one value of a dict or list of inputs; anything else as it came.

    Args:
        x: What a user gave as samples.

    Returns:
        The samples of a network's single input.

    Raises:
        ValueError: If there are several.

    Example:

    >>> only_input({"features": "samples"})
    'samples'
    """
    if not isinstance(x, dict | list | tuple):
        return x
    if len(x) != 1:
        names = list(x) if isinstance(x, dict) else len(x)
        raise ValueError(
            "f and g have one input, whose samples are an array or tensor; convert "
            f"nested lists by numpy.array. Received: inputs={names}"
        )
    return only_input(next(iter(x.values() if isinstance(x, dict) else x)))
