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
