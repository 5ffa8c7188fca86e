"""The folder that Keras keeps files in, of which Keras has no public name."""

import os
import pathlib


def keras_home() -> pathlib.Path:
    """`$KERAS_HOME`, or `~/.keras`.

    Raises:
        RuntimeError: If it is the home of nobody.

    Example:

    >>> keras_home().is_absolute()
    True
    """
    return pathlib.Path(os.environ.get("KERAS_HOME") or "~/.keras").expanduser()
