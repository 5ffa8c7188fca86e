"""Checks of the networks that a function is handed."""

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
