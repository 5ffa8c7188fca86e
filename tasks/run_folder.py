"""The folder of a run: that it can be written, and whose unfinished run it holds.

unfinished.json   what the run is, while it lasts; then it becomes finished.json
checkpoints/      of f; in g/ those of g, in METHOD/ those of a compared method;
                  removed at the end
result.json       of f, and in METHOD/ of a compared method
"""

import errno
import hashlib
import json
import os
import shutil
import warnings
import zlib
from pathlib import Path

import keras

from keras_m2m.sampling import is_stream
from tasks import devices
from tasks.recipes import METHODS
from tasks.settings import Settings
from tasks.task import Data
from tasks.task import UserError
from tasks.versions import versions

CHECKPOINTS = "checkpoints"
_UNFINISHED, _FINISHED = "unfinished.json", "finished.json"
# Flags that change where and whether a run runs, but no number of it.
# What is read from files that flags name has a checksum.
_NOT_OF_THE_RUN = {"resume", "dry_run", "out_dir", "data_dir", "embeddings"}


def flags_of_the_run(settings: Settings) -> dict:
    """The flags that the numbers of a run follow from."""
    flags = vars(settings).items()
    return {name: value for name, value in flags if name not in _NOT_OF_THE_RUN}


def make(settings: Settings) -> Path:
    """The folder for the results, made and found to be writable.

    Args:
        settings: `out_dir`, or what the default is made of.

    Returns:
        Its path.

    Raises:
        UserError: If it cannot be made or written to.
    """
    name = f"{settings.task}-{settings.method}-{settings.loss}-seed{settings.seed}"
    folder = Path(settings.out_dir or Path("runs") / name)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UserError(f"--out_dir={folder} cannot be made: {error}") from error
    check_space(folder, 1)
    return folder


def check_space(folder: Path, size: int) -> None:
    """Raise unless so much can be written.

    Args:
        folder: Where.
        size: Bytes.

    Raises:
        UserError: If the disk or a quota is full, or the folder cannot be written.
    """
    probe = folder / "probe.part"
    try:
        with open(probe, "wb") as file:
            _allocate(file, size)
    except OSError as error:
        raise UserError(
            f"{folder} cannot be written to: {error.strerror}. A run needs "
            f"{size / 2**20:.0f} MiB there. Another folder: --out_dir, of tables --runs"
        ) from error
    finally:
        probe.unlink(missing_ok=True)


def _allocate(file, size):
    if hasattr(os, "posix_fallocate"):  # Which sees quotas too.
        os.posix_fallocate(file.fileno(), 0, size)
    elif shutil.disk_usage(file.name).free < size:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def start(folder: Path, settings: Settings, data: Data) -> bool:
    """Claim the folder for a run, a new one or with `--resume` the one it holds.

    Args:
        folder: Folder for the results.
        settings: The run's.
        data: What it trains and tests on.

    Returns:
        Whether there is something to run; False if `--resume` finds it finished.

    Raises:
        UserError: If the folder holds an unfinished run and `--resume` is not given,
            or a run of other flags or data and it is given.
    """
    run = json.loads(json.dumps(_description(settings, data)))
    unfinished, finished = folder / _UNFINISHED, folder / _FINISHED
    # What was cut off before it saved anything has nothing to go on with.
    if unfinished.exists() and any(_checkpoints(folder)):
        if not settings.resume:
            raise UserError(
                f"{folder} holds a run that was cut off. Go on with it by --resume, or "
                f"give another --out_dir, or remove {unfinished} to begin anew"
            )
        _check_same(read(unfinished), run, folder)
        return True
    if settings.resume and finished.exists():
        _check_same(read(finished), run, folder)
        _remove_checkpoints(folder)  # Of a run that was killed after its end.
        return False
    _remove_leftovers(folder)
    write_aside(unfinished, json.dumps(run, indent=1) + "\n")
    return True


def finish(folder: Path) -> None:
    """Let go of a folder after the last result is written."""
    os.replace(folder / _UNFINISHED, folder / _FINISHED)
    _remove_checkpoints(folder)


def write_aside(path: Path, text: str) -> None:
    """Write a file so that it is there as a whole or not at all."""
    aside = path.with_name(path.name + ".part")
    aside.write_text(text)
    os.replace(aside, path)


def read(path: Path) -> dict:
    """What `write_aside` wrote, a JSON object.

    Raises:
        UserError: If it is none.
    """
    try:
        return {**json.loads(path.read_text())}
    except (ValueError, TypeError) as error:
        raise UserError(
            f"{path} is damaged: {error}. Remove it to begin anew"
        ) from error


def _places(folder):
    """Where the trainings of a run keep what is theirs."""
    return [folder, folder / "g", *(folder / method for method in METHODS)]


def _checkpoints(folder):
    """The checkpoints of a run, of whatever training."""
    for place in _places(folder):
        yield from place.glob(f"{CHECKPOINTS}/*.npz")


def _remove_checkpoints(folder):
    for place in _places(folder):
        shutil.rmtree(place / CHECKPOINTS, ignore_errors=True)


def _remove_leftovers(folder):
    """What would be taken for the new run's if that were killed."""
    _remove_checkpoints(folder)
    (folder / _FINISHED).unlink(missing_ok=True)
    for place in _places(folder):
        (place / "result.json").unlink(missing_ok=True)
        shutil.rmtree(place / "tensorboard", ignore_errors=True)


def _description(settings, data):
    run = {
        "flags": flags_of_the_run(settings),
        "backend": keras.config.backend(),
        "devices": devices.count(),
        "checksum of the data": digest(data),
        "versions": versions(),
    }
    if settings.g:
        run["content of --g"] = hashlib.sha256(
            Path(settings.g).read_bytes()
        ).hexdigest()
    return run


def digest(data: Data) -> int:
    """A number that changes with the data, as far as it is in memory."""
    found = zlib.crc32("\n".join(data.class_names).encode())
    for samples, labels in filter(None, (data.train, data.validation, data.test)):
        found = zlib.crc32(labels.tobytes(), found)
        if not is_stream(samples):
            found = zlib.crc32(memoryview(samples.ravel()).cast("B"), found)
    return found


def _check_same(before, now, folder):
    before, now = ({**run, **run.get("flags", {})} for run in (before, now))
    changed = [
        f"{key}: {before.get(key)} then, {now.get(key)} now"
        for key in sorted(before.keys() | now.keys())
        if before.get(key) != now.get(key) and key not in ("flags", "versions")
    ]
    if changed:
        raise UserError(
            f"--resume: {folder} holds another run. Give the same flags, or another "
            "--out_dir. What differs:\n  " + "\n  ".join(changed)
        )
    if before.get("versions") != now.get("versions"):
        warnings.warn(
            "Packages changed since the run began, so its numbers may not be those of "
            f"an uninterrupted one: {before.get('versions')} then",
            stacklevel=2,
        )
