"""The folder of a run: that it can be written, and whose unfinished run it holds.

lock              held by the process that writes here; see folder_lock.py
unfinished.json   what the run is, while it lasts; then finished.json
checkpoints/      of f; in g/ those of g, in METHOD/ those of a compared method;
                  removed at the end
result.json       of f, and in METHOD/ of a compared method
"""

import hashlib
import json
import shutil
import warnings
import zlib
from pathlib import Path

import keras

from keras_m2m.sampling import is_stream
from tasks.data.whole_files import make_folder
from tasks.data.whole_files import write
from tasks.experiment.errors import UserError
from tasks.experiment.recipes import METHODS
from tasks.experiment.settings import Settings
from tasks.experiment.settings import flags_of_the_run
from tasks.experiment.task import Data
from tasks.records.versions import versions
from tasks.training import devices
from tasks.training.train import CHECKPOINTS

_UNFINISHED, _FINISHED = "unfinished.json", "finished.json"
# What a run may go on with, with a warning, and its name there.
_MAY_CHANGE = {"versions": "Packages", "threads": "The number of threads"}


def make(settings: Settings) -> Path:
    """The folder for the results, made and found to be writable.

    Args:
        settings: `out_dir`, or what the default is made of.

    Returns:
        Its path.

    Raises:
        UserError: If it cannot be made or written to.
    """
    folder = path_of(settings)
    make_folder("out_dir", folder)
    return folder


def path_of(settings: Settings) -> Path:
    """The folder for the results, there or not."""
    name = f"{settings.task}-{settings.method}-{settings.loss}-seed{settings.seed}"
    return Path(settings.out_dir or Path("runs") / name)


def start(folder: Path, settings: Settings, data: Data) -> dict | None:
    """Claim the folder for a run: a new one, or with `--resume` the one it holds.

    Results are removed by `--overwrite` alone.

    Args:
        folder: Folder for the results.
        settings: The run's.
        data: What it trains and tests on.

    Returns:
        What the run is, for `finish`; None if the folder holds it finished.

    Raises:
        UserError: If the folder holds an unfinished run and `--resume` is not given,
            or a run of other flags or data, or nobody knows of which.
    """
    run = json.loads(json.dumps(_description(settings, data)))
    unfinished, finished = folder / _UNFINISHED, folder / _FINISHED
    if settings.overwrite:
        _remove_leftovers(folder)
    elif finished.exists():
        _check_same(read(finished), run, folder)
        unfinished.unlink(missing_ok=True)
        _remove_checkpoints(folder)  # Of a run that was killed after its end.
        return None
    elif not any(_checkpoints(folder)) and not any(_results(folder)):
        # What was cut off before it saved anything has nothing to go on with.
        _remove_leftovers(folder)
    else:
        _check_goes_on(folder, settings, run)
        return run
    write(unfinished, json.dumps(run, indent=1) + "\n")
    return run


def _check_goes_on(folder, settings, run):
    unfinished = folder / _UNFINISHED
    if not unfinished.exists():
        raise UserError(
            f"{folder} holds checkpoints or results, but neither {_UNFINISHED} nor "
            f"{_FINISHED}, which say of what run they are. Give another --out_dir, or "
            "remove them by --overwrite and begin anew"
        )
    if not settings.resume:
        raise UserError(
            f"{folder} holds a run that was cut off. Go on with it by --resume, or "
            "give another --out_dir, or begin anew by --overwrite"
        )
    _check_same(read(unfinished), run, folder)


def finish(folder: Path, run: dict) -> None:
    """Let go of a folder after the last result is written.

    Args:
        folder: The folder.
        run: What `start` gave.
    """
    # Not renamed: it may have been removed meanwhile.
    write(folder / _FINISHED, json.dumps(run, indent=1) + "\n")
    (folder / _UNFINISHED).unlink(missing_ok=True)
    _remove_checkpoints(folder)


def saved(settings: Settings) -> str:
    """What a run that ends now leaves to go on with, in a sentence."""
    folder = path_of(settings)
    epochs = {
        "f" if path.parents[1] == folder else path.parents[1].name: path.stem
        for path in sorted(_checkpoints(folder))
    }
    if (folder / _FINISHED).exists():
        return f"The run is finished. Its results are in {folder}"
    if not epochs:
        return "Nothing is saved yet, so --resume begins anew"
    found = [f"{name} {int(stem[len('epoch-') :])}" for name, stem in epochs.items()]
    return f"Whole epochs are saved in {folder} ({', '.join(found)}): --resume goes on"


def read(path: Path) -> dict:
    """A file that holds a JSON object.

    Raises:
        UserError: If it is none.
    """
    try:
        if not path.is_file():  # To open a pipe would wait for ever.
            raise ValueError("it is no file")
        return {**json.loads(path.read_text(encoding="utf-8"))}
    except (ValueError, TypeError, RecursionError) as error:
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


def _results(folder):
    """The results of a run, of whatever method."""
    for place in _places(folder):
        yield from place.glob("result.json")


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
        "compare": settings.compare,
        "backend": keras.config.backend(),
        "devices": devices.count(),
        "checksum of the data": digest(data),
        "versions": versions(),
        "threads": devices.threads(),
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
        if before.get(key) != now.get(key) and key not in ("flags", *_MAY_CHANGE)
    ]
    if changed:
        raise UserError(
            f"{folder} holds another run. Give the same flags, or another --out_dir, "
            "or replace that run by --overwrite. What differs:\n  "
            + "\n  ".join(changed)
        )
    for key, what in _MAY_CHANGE.items():
        if before.get(key, now[key]) != now[key]:
            warnings.warn(
                f"{what} changed since the run began, so its numbers may not be those "
                f"of an uninterrupted one: {before[key]} then, {now[key]} now",
                stacklevel=2,
            )
