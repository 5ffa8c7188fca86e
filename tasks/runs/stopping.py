"""Ctrl-C and SIGTERM: a command ends where it is, and says how to go on.

What is on the disk is whole at any moment, so there is nothing to wait for. The first
signal raises `Stopped`, which unwinds what is under way, and raises it again as long as
that goes on: what is raised in a callback of the garbage collector, where JAX has one,
is lost. A second signal ends the process at once. So does the first before the work
begins, while modules are imported, and after its end, while Python takes them down.
"""

import os
import signal
import sys

_SIGNALS = (signal.SIGINT, signal.SIGTERM)
_AGAIN = 2  # Seconds.
_state = {"at_work": False, "received": None}


class Stopped(KeyboardInterrupt):
    """The process was asked to end."""


def listen() -> None:
    """Take the signals, those that the shell lets the process ignore aside."""
    for number in _SIGNALS:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _stop)


def work_begins() -> None:
    """From now on there may be something to unwind."""
    _state["at_work"] = True


def received() -> int | None:
    """The number of the signal that came, or None."""
    return _state["received"]


def work_ends() -> None:
    """Raise no more: nothing is left to unwind."""
    _state["at_work"] = False
    if hasattr(signal, "setitimer"):
        signal.setitimer(signal.ITIMER_REAL, 0)


def end(message: str) -> None:
    """Print why and end the process, as the signal would have it.

    At once: Python takes seconds to take down what such a process has imported.
    """
    sys.stdout.flush()
    print(f"\nstopped. {message}", file=sys.stderr, flush=True)
    os._exit(128 + (_state["received"] or signal.SIGINT))


def _stop(number, frame):
    if not _state["at_work"] or _state["received"]:
        os.write(2, b"\nstopped\n")
        os._exit(128 + number)
    _state["received"] = number
    if hasattr(signal, "setitimer"):  # Not on Windows.
        signal.signal(signal.SIGALRM, _raise)
        signal.setitimer(signal.ITIMER_REAL, _AGAIN, _AGAIN)
    raise Stopped


def _raise(number, frame):
    raise Stopped
