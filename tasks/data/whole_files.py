"""Files that are there as a whole or not at all."""

import contextlib
import errno
import os
import re
import shutil
import tempfile
import time
from pathlib import Path

import psutil

from tasks.experiment.errors import UserError

_LEFT = 60  # Seconds without a change, after which nobody writes a file any more.


@contextlib.contextmanager
def aside(path: Path):
    """Write to the path that this gives; then it gets its name.

    What had that name before stays until then. Where it was a link, the link is
    replaced and not what it points to.

    Args:
        path: The name. That of the file aside has the same ending.
    """
    # Of this process: another one may write a file of the same name.
    part = path.with_name(f"{path.stem}.{os.getpid()}.part{path.suffix}")
    remove_leftovers(path)
    part.unlink(missing_ok=True)
    try:
        yield part
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)


def remove_leftovers(path: Path) -> None:
    """Remove what processes that were killed left aside.

    Those of a process of this machine stay, and what was written to just now: other
    machines may have the same folder.

    Args:
        path: The name that it was to get.
    """
    stem, suffix, name = map(re.escape, (path.stem, path.suffix, path.name))
    # The second is how earlier versions called it.
    aside = re.compile(rf"{stem}\.(\d{{1,9}})\.part{suffix}|{name}\.(\d{{1,9}})\.part")
    with contextlib.suppress(OSError):  # No folder, or none that may be written to.
        for part in path.parent.iterdir():
            found = aside.fullmatch(part.name)
            if not found or psutil.pid_exists(int(found[1] or found[2])):
                continue
            if time.time() - part.lstat().st_mtime > _LEFT:
                part.unlink()


def write(path: Path, text: str) -> None:
    """Write a text file as a whole or not at all."""
    with aside(path) as part:
        part.write_text(text, encoding="utf-8", errors="replace", newline="")


def copy(source: Path, target: Path) -> None:
    """Copy a file as a whole or not at all."""
    with aside(target) as part:
        shutil.copyfile(source, part)


def make_folder(flag: str, folder: Path) -> None:
    """Make a folder for results and raise unless it can be written to.

    Args:
        flag: Which named it, for the message.
        folder: The folder.

    Raises:
        UserError: If it cannot.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise UserError(
            f"--{flag}: {folder} cannot be made or written to: {error.strerror}"
        ) from error


@contextlib.contextmanager
def made_folder(flag: str, folder: Path):
    """`make_folder`, but what is refused inside this leaves none that was not there.

    Args:
        flag: As for `make_folder`.
        folder: Likewise.
    """
    new = [path for path in (folder, *folder.parents) if not os.path.exists(path)]
    try:
        make_folder(flag, folder)
        yield
    except UserError:
        for path in new:
            with contextlib.suppress(OSError):  # It holds something by now.
                path.rmdir()
        raise


def check_space(folder: Path, size: int, remedy: str) -> None:
    """Raise unless so much can be written.

    Args:
        folder: Where.
        size: Bytes.
        remedy: What to do where it cannot.

    Raises:
        UserError: If the disk or a quota is full, or the folder cannot be written.
    """
    try:
        with tempfile.TemporaryFile(dir=folder) as file:
            _allocate(file, folder, size)
    except OSError as error:
        raise UserError(
            f"{folder} cannot be written to: {error.strerror}. "
            f"{size / 2**20:.0f} MiB are needed there. {remedy}"
        ) from error


def _allocate(file, folder, size):
    if hasattr(os, "posix_fallocate"):  # Which sees quotas too.
        os.posix_fallocate(file.fileno(), 0, size)
    elif shutil.disk_usage(folder).free < size:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
