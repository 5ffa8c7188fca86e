"""Whether data fits into memory, asked before it is read."""

import contextlib
import threading
from collections.abc import Iterator

import psutil

from tasks.experiment.errors import UserError


def available() -> int:
    """Bytes that are free now."""
    return psutil.virtual_memory().available


def check_memory(needed: int, what: str, advice: str) -> None:
    """Refuse data that this machine has no memory for.

    Args:
        needed: Bytes.
        what: What needs them, as the subject of the message.
        advice: What the user can do.

    Raises:
        UserError: If fewer are available now.
    """
    free = available()
    if needed > free:
        raise UserError(
            f"{what} would need {_gib(needed)} of memory, and {_gib(free)} are free. "
            f"{advice}"
        )


class MemoryBudget:
    """Memory that threads take and give back, and wait for while others have it.

    Args:
        size: Bytes.
    """

    def __init__(self, size: int) -> None:
        self.size, self.used = size, 0
        self._changed = threading.Condition()

    @contextlib.contextmanager
    def taken(self, amount: int) -> Iterator[None]:
        """Hold so many bytes for a while.

        Raises:
            MemoryError: If there are never so many.
        """
        if amount > self.size:
            raise MemoryError(
                f"to decode it takes {_gib(amount)} of memory, and {_gib(self.size)} "
                "are free"
            )
        with self._changed:
            self._changed.wait_for(lambda: self.used + amount <= self.size)
            self.used += amount
        try:
            yield
        finally:
            with self._changed:
                self.used -= amount
                self._changed.notify_all()


def _gib(size):
    return f"{max(size, 0) / 2**30:,.1f} GiB"
