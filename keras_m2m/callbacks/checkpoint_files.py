"""Checkpoints as files: written aside and renamed, with a digest of every byte."""

import hashlib
import io
import json
import os
import pathlib
import re
import warnings
from collections.abc import Callable

import numpy as np

_KEPT = 2  # The newest, and the one before it in case that is damaged.
_DIGEST = hashlib.sha256().digest_size
_NAME = re.compile(r"epoch-\d+\.npz")


def write(folder: pathlib.Path, epochs_done: int, about: dict, arrays: dict) -> None:
    """Write the checkpoint of an epoch and remove those that are no longer kept.

    The file is an `.npz` that NumPy reads, followed by its SHA-256.

    Args:
        folder: Where checkpoints are; made if missing.
        epochs_done: Number of epochs that the state has seen.
        about: What JSON can hold.
        arrays: NumPy arrays by name.

    Raises:
        OSError: If the disk is full or not writable. The checkpoints before it stay.
    """
    content = io.BytesIO()
    text = np.frombuffer(json.dumps(about).encode(), "uint8")
    np.savez(content, about=text, **arrays)
    payload = content.getvalue()
    folder.mkdir(parents=True, exist_ok=True)
    aside = folder / "unfinished.part"
    aside.unlink(missing_ok=True)  # A killed process left it; or it is a link.
    try:
        with open(aside, "xb") as file:
            file.write(payload)
            file.write(hashlib.sha256(payload).digest())
            file.flush()
            os.fsync(file.fileno())
        os.replace(aside, folder / f"epoch-{epochs_done:05d}.npz")
    except OSError:
        aside.unlink(missing_ok=True)
        raise
    # A later one is damaged, or this one would not have come after it.
    found = _newest_first(folder)
    later = [path for path in found if _epochs_done(path) > epochs_done]
    for path in [*later, *found[len(later) :][_KEPT:]]:
        path.unlink()


def read_newest(
    folder: pathlib.Path, is_known: Callable[[int, dict], bool] = lambda *_: True
) -> tuple[int, dict, dict] | None:
    """The newest checkpoint that is whole.

    Args:
        folder: Where checkpoints are, or will be.
        is_known: Whether a checkpoint of so many epochs may hold such an `about`.

    Returns:
        `(epochs_done, about, arrays)` as they were written; None without any.

    Warns:
        UserWarning: For every damaged checkpoint that is passed over.
    """
    for path in _newest_first(folder):
        content = _content(path)
        if content is not None and is_known(_epochs_done(path), content[0]):
            return _epochs_done(path), *content
        message = f"The checkpoint {path} is damaged and is passed over"
        warnings.warn(message, stacklevel=2)
    return None


def _content(path):
    """What was written, or None if it is not that."""
    payload = _whole(path)
    if payload is None:
        return None
    try:
        with np.load(io.BytesIO(payload), allow_pickle=False) as archive:
            arrays = dict(archive)
        return {**json.loads(arrays.pop("about").tobytes())}, arrays
    except Exception:  # NumPy raises many kinds for what it cannot read.
        return None


def _whole(path):
    """What was written before the digest, or None if any of it changed."""
    try:
        content = path.read_bytes()
    except OSError:
        return None
    payload, digest = content[:-_DIGEST], content[-_DIGEST:]
    return payload if hashlib.sha256(payload).digest() == digest else None


def _newest_first(folder):
    files = folder.iterdir() if folder.is_dir() else []
    # To open a pipe would wait for ever.
    found = [path for path in files if _NAME.fullmatch(path.name) and path.is_file()]
    return sorted(found, key=_epochs_done, reverse=True)


def _epochs_done(path):
    return int(path.stem.removeprefix("epoch-"))
