"""Whether data fits into memory, asked before it is read."""

import psutil

from tasks.task import UserError


def check_memory(needed: int, what: str, advice: str) -> None:
    """Refuse data that this machine has no memory for.

    Args:
        needed: Bytes.
        what: What needs them, as the subject of the message.
        advice: What the user can do.

    Raises:
        UserError: If fewer are available now.
    """
    available = psutil.virtual_memory().available
    if needed > available:
        raise UserError(
            f"{what} would need {_gib(needed)} of memory, and {_gib(available)} are "
            f"free. {advice}"
        )


def _gib(size):
    return f"{size / 2**30:,.1f} GiB"
