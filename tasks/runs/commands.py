"""What all commands of `tasks` share: how they print, and how they end."""

import functools
import io
import logging
import shlex
import sys
import warnings
from collections.abc import Callable
from collections.abc import Sequence

from absl import app
from absl import flags

from keras_m2m.recipes import Diverged
from tasks.experiment.errors import UserError
from tasks.runs import stopping


def main(
    work: Callable[[list[str]], object],
    how_to_go_on: Callable[[], str] = lambda: "",
    known_only: bool = False,
) -> None:
    """Be a command of this process: read its flags, work, end with one message.

    Args:
        work: What to do with the arguments that are no flags.
        how_to_go_on: As for `call`.
        known_only: As for `read`.
    """

    def run(arguments):
        # Without a result, which absl would take for the status.
        call(lambda: work(arguments[1:]), how_to_go_on)

    prepare()
    app.run(run, flags_parser=functools.partial(read, known_only=known_only))


def read(arguments: list[str], known_only: bool = False) -> list[str]:
    """Read the flags of the command; a mistake in them ends it with one message.

    Args:
        arguments: The command line, the program's name first.
        known_only: Whether to give back flags that are not defined, which else are a
            mistake.

    Returns:
        What is left of it.
    """
    try:
        return flags.FLAGS(arguments, known_only=known_only)
    except flags.Error as error:
        sys.exit(f"error: {error}")


def prepare() -> None:
    """Set up what a command prints, once its modules are imported."""
    # Else libraries log each file they read and each function they trace.
    for name in ("absl", "tensorflow"):
        logging.getLogger(name).setLevel(logging.ERROR)
    # A warning is for the user, who has no use for the line of code that gave it.
    warnings.formatwarning = lambda message, *_, **__: f"warning: {message}\n"
    # A terminal or a file of another encoding must not end a run at a `×`.
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")


def call(work: Callable, how_to_go_on: Callable[[], str] = lambda: "") -> object:
    """Do the work of a command; what goes wrong ends the process with one message.

    Args:
        work: What to do.
        how_to_go_on: Gives what to say where it is stopped by Ctrl-C or SIGTERM.

    Returns:
        What `work` does.
    """
    stopping.work_begins()
    try:
        result = work()
        sys.stdout.flush()
        stopping.work_ends()
        return result
    except BaseException as error:
        stopping.work_ends()
        # Frameworks may turn it into an error of their own on its way.
        if stopping.received() or isinstance(error, KeyboardInterrupt):
            stopping.end(how_to_go_on())
        if isinstance(error, UserError | Diverged | OSError):
            sys.exit(f"error: {error}")
        raise


def again(without: Sequence[str] = ()) -> str:
    """The command line of this process, some flags left out."""
    return shlex.join([part for part in sys.orig_argv if part not in without])
