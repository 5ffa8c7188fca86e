"""Paths that users give, and files that may be something else than files."""

import errno
import os
import re
import stat
from pathlib import Path

from keras_m2m.keras_home import keras_home as library_keras_home
from tasks.experiment.errors import UserError

_SHOWN = 80  # Characters of a path in a message.


def read_path(flag: str, text: str) -> str:
    """A path as a flag gives it, with `~` for a home folder.

    Whether something is there is for others to say.

    Args:
        flag: Its name, for messages.
        text: The flag's value.

    Returns:
        The path.

    Raises:
        UserError: If it is empty, is none for this system (too long, a character that
            no path has, the home of nobody), or leads where nothing may be looked at.
    """
    shown = text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."
    if not text:
        raise UserError(f"--{flag}= is empty. Give a path, or leave the flag out")
    try:
        # What needs no `~` stays as it was written.
        path = str(Path(text).expanduser()) if text.startswith("~") else text
        os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        pass
    except OSError as error:
        raise UserError(f"--{flag}={shown!r} is no path: {error.strerror}") from error
    except (RuntimeError, ValueError) as error:  # Nobody's home; a NUL byte.
        raise UserError(f"--{flag}={shown!r} is no path: {error}") from error
    return path


def as_name(text: str) -> str:
    """A text as part of the name of a folder or file.

    Example:

    >>> as_name("cifar_lt --rho=10")
    'cifar_lt_--rho=10'
    """
    return re.sub(r"[^\w.=-]+", "_", text)


def keras_home() -> Path:
    """The folder that Keras keeps files in.

    Raises:
        UserError: If it is the home of nobody.
    """
    try:
        return library_keras_home()
    except RuntimeError as error:
        raise UserError(f"KERAS_HOME, or ~/.keras, is no path: {error}") from error


def check_is_file(path: Path) -> None:
    """Raise what opening a folder raises, for pipes and devices too.

    Those are waited for, or never end.

    Raises:
        OSError: If it is no file, or is not there.
    """
    mode = os.stat(path).st_mode
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), path)
    if not stat.S_ISREG(mode):
        raise OSError(errno.EINVAL, "Is no file, but a pipe or a device", path)
