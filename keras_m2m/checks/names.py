"""Checks of what things are called."""


def check_name(name: str | None) -> str | None:
    """Return the name of a loss or metric if it is a string, or None.

    Example:

    >>> check_name("focal_loss")
    'focal_loss'
    """
    if not isinstance(name, str | None):
        raise ValueError(f"`name` must be a string. Received: name={name!r}")
    return name
