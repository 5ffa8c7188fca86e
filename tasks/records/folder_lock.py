"""One process a folder: who writes to it holds its lock.

The lock is the operating system's, on the file `lock`, so that it ends with the process
however that ends. `lock.holder` says who has it.
"""

import contextlib
import errno
import os
import platform
import sys
import time
import warnings
from pathlib import Path

import filelock

from tasks.experiment.errors import UserError

_UNKNOWN = {errno.ENOLCK, errno.ENOTSUP, errno.ENOSYS}


class Busy(UserError):
    """Another process holds the lock."""


@contextlib.contextmanager
def held(folder: Path, wait: bool = False):
    """Hold the lock of a folder inside this.

    Args:
        folder: A folder that is there.
        wait: Whether to wait for another process to let go of it, and say so.

    Raises:
        Busy: If another process holds it, and `wait` is False.

    Warns:
        UserWarning: If the file system has no locks.
    """
    lock, holder = filelock.FileLock(folder / "lock"), folder / "lock.holder"
    try:
        _acquire(lock, holder, wait)
    except OSError as error:
        if error.errno not in _UNKNOWN:
            raise
        warnings.warn(
            f"{folder} is on a file system without locks ({error.strerror}): start no "
            "second run there while this one lasts",
            stacklevel=3,
        )
        yield
        return
    try:
        since = time.strftime("%Y-%m-%d %H:%M:%S %z")
        holder.write_text(f"process {os.getpid()} on {platform.node()} since {since}")
        yield
    finally:
        holder.unlink(missing_ok=True)
        lock.release()


def _acquire(lock, holder, wait):
    try:
        lock.acquire(timeout=0)
    except filelock.Timeout:
        try:
            by = holder.read_text()
        except OSError:
            by = "another process"
        if not wait:
            raise Busy(
                f"{holder.parent} is in use by {by}. Wait until it ends, or give "
                "another folder"
            ) from None
        print(f"{holder.parent} is in use by {by}: waiting for it", file=sys.stderr)
        lock.acquire(poll_interval=0.5)
