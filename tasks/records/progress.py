"""What the folder of a training says: with what it began, and whether it is done."""

import contextlib
import json
import os
import shutil
import warnings
from collections.abc import Iterator
from pathlib import Path

from keras_m2m.recipes import Trained
from tasks.data import whole_files
from tasks.experiment.recipes import method_of
from tasks.experiment.settings import Settings
from tasks.records import records
from tasks.records.versions import versions
from tasks.training import devices
from tasks.training.train import CHECKPOINTS

# What `training.json` says of a training that did not fail.
_ABOUT = {"history", "tested_epoch", "seconds", "translations", "commit", "versions"}


def warn_of_changes(folder: Path) -> None:
    """Note what a training begins with, or warn of what changed since.

    Args:
        folder: Of the training.

    Warns:
        UserWarning: If packages or the number of threads changed.
    """
    file, now = folder / "began.json", {"packages": versions()}
    now["number of threads"] = devices.threads()
    if (folder / CHECKPOINTS).exists() and file.exists():
        before = {}
        with contextlib.suppress(records.Damaged):
            before = records.read_json(file)
        for what in now:
            if before.get(what, now[what]) != now[what]:
                warnings.warn(
                    f"{folder}: the {what} changed since the training began, so its "
                    "numbers may not be those of an uninterrupted one: "
                    f"{before[what]} then, {now[what]} now",
                    stacklevel=2,
                )
        return
    whole_files.write(file, json.dumps(now))


def known(folder: Path) -> dict | None:
    """What `training.json` says of a training; None if it is not done.

    Warns:
        UserWarning: If the file is damaged.
    """
    file = folder / "training.json"
    if not file.exists():
        return None
    try:
        about = records.read_json(file)
    except records.Damaged:
        about = {}
    if "failed" in about or about.keys() >= _ABOUT:
        return about
    warnings.warn(f"{file} is damaged: the training is made again", stacklevel=2)
    return None


def about_training(trained: Trained, commit: str | None) -> dict:
    """What `training.json` is to say of a training that did not fail.

    Args:
        trained: What was trained.
        commit: Of the code.
    """
    return {
        "history": trained.history,
        "tested_epoch": trained.tested_epoch,
        "seconds": trained.seconds,
        "translations": [pair.tolist() for pair in trained.translations or ()],
        "step_size": trained.step_size,
        "commit": commit,
        "versions": versions(),
    }


def shared_start(settings: Settings) -> Settings | None:
    """The plain training that one goes on from, which others may go on from too.

    It is of the same seed and loss, up to `defer_epoch`.

    Args:
        settings: Of a training.

    Returns:
        Its settings; None for a training that begins by itself.
    """
    plain = settings.method == "erm" or method_of(settings.method).deferred
    if not (plain and 0 < settings.defer_epoch < settings.epochs):
        return None
    return settings.replace(method="erm", epochs=settings.defer_epoch)


def begin_from(start: Path, folder: Path) -> None:
    """Give a training the checkpoint that another ends with, if it has none.

    Args:
        start: Folder of the other one.
        folder: Of the training.
    """
    if not (folder / CHECKPOINTS).exists():
        aside = folder / f"{CHECKPOINTS}.part"
        shutil.rmtree(aside, ignore_errors=True)
        shutil.copytree(start / CHECKPOINTS, aside)
        os.replace(aside, folder / CHECKPOINTS)


@contextlib.contextmanager
def logged(folder: Path) -> Iterator[None]:
    """What is printed inside goes to the `log.txt` of a training."""
    path = folder / "log.txt"
    with open(path, "a", encoding="utf-8") as log, contextlib.redirect_stdout(log):
        yield
