"""Cells of the tables: each is trained once, and found again by what it is.

A cell is a method, a loss and a seed on one dataset, with every flag that its numbers
follow from. What came of it is a small file in one folder, `results`; its network and
what other cells begin with are in another, `runs`:

TASK/starts/NAME   plain training of a seed and loss up to `defer_epoch`, from which
                   plain training and all deferred methods of the two go on
TASK/NAME          of a cell: f.keras, training.json, history.csv, log.txt

NAME ends in a digest of all that the numbers follow from, so that a change of any flag
or of the data makes another cell.
"""

import contextlib
import gc
import hashlib
import json
import os
import shutil
import warnings
from pathlib import Path

import keras

from tasks.data import whole_files
from tasks.experiment import ablations
from tasks.experiment.errors import UserError
from tasks.experiment.recipes import LOSSES
from tasks.experiment.recipes import method_of
from tasks.experiment.settings import Settings
from tasks.experiment.task import Data
from tasks.experiment.task import Task
from tasks.records import folder_lock
from tasks.records import records
from tasks.records import reports
from tasks.records import run_folder
from tasks.records.records import flags_of
from tasks.records.versions import commit
from tasks.records.versions import versions
from tasks.training import devices
from tasks.training.health import Diverged
from tasks.training.train import CHECKPOINTS
from tasks.training.train import Trained
from tasks.training.train import train

# What `training.json` says of a training that did not fail.
_ABOUT = {"history", "tested_epoch", "seconds", "translations", "commit", "versions"}


class Cells:
    """The cells of one dataset.

    Args:
        task: The dataset's `Task`.
        data: What it loaded.
        results: Folder for a small JSON file per cell.
        runs: Folder for networks, checkpoints and logs.

    Attributes:
        commit: Of the code that runs, as `versions.commit` tells it, or None.
    """

    def __init__(self, task: Task, data: Data, results: Path, runs: Path) -> None:
        self.task, self.data = task, data
        self.results, self.runs = results / task.name, runs / task.name
        self._checksum = run_folder.digest(data)
        self.commit = commit()  # Now: a later one is of other code.

    def configuration(self, settings: Settings) -> dict:
        """All that the numbers of a cell follow from, ready for JSON."""
        return {
            "flags": flags_of(settings),
            "backend": keras.config.backend(),
            "devices": devices.count(),
            "checksum of the data": self._checksum,
        }

    def name(self, settings: Settings) -> str:
        """Name of the cell's file and folder."""
        text = json.dumps(self.configuration(settings), sort_keys=True)
        digest = hashlib.sha256(text.encode()).hexdigest()[:10]
        return f"{settings.method}-{settings.loss}-seed{settings.seed}-{digest}"

    def find(self, settings: Settings, prefix: str = "") -> dict | None:
        """The result of a cell, if it is done.

        Raises:
            UserError: If its file is damaged.
        """
        about = self.configuration(settings)
        del about["flags"]
        return records.find(self.results.parent, settings, prefix, **about)

    def result(self, settings: Settings) -> dict:
        """The result of a cell, which is trained if that was not done.

        Args:
            settings: Its method, loss, seed and all other flags.

        Returns:
            What `reports.result_of` gives, and `commit`; of M2m also the rows
            `translated` and `accepted` in the last epoch, `[target, seed]`. Of a
            training that diverged, the same without scores and with `failed`.
        """
        found = self.find(settings)
        if found is None:
            try:
                self._write(settings, self._tested(settings))
            except Diverged as error:
                self._write(settings, self._failed(settings, error.what))
            found = self.find(settings)
        return found

    def network(self, settings: Settings) -> keras.Model:
        """The network of a cell, trained if that was not done; it is not tested here.

        Raises:
            Diverged: If its training does.
        """
        self._training(settings)
        path = self._folder(settings) / "f.keras"
        try:
            return _load(path)
        except Exception as error:  # Keras raises many kinds for a file it cannot read.
            if path.exists():
                warnings.warn(
                    f"{path} is damaged and is made again: {error}", stacklevel=2
                )
        # Networks take room, and may have been removed.
        path.with_name("training.json").unlink(missing_ok=True)
        self._training(settings)
        return _load(path)

    def teacher(self, settings: Settings) -> keras.Model | None:
        """g of a cell: the network of plain training from another seed, or of two.

        Returns:
            A network that no other cell holds; None if the method takes none.

        Raises:
            Diverged: If its training does, which it says.
        """
        try:
            return ablations.teacher([self.network(own) for own in _teachers(settings)])
        except Diverged as error:
            raise Diverged(f"g, {error}", f"of g, {error.what}") from error

    def train(self, settings: Settings, folder: Path) -> Trained:
        """Train a cell's network, from the shared start of its seed and loss.

        Args:
            settings: The cell's.
            folder: Where its checkpoints go; a training that was cut off there goes on.

        Returns:
            `Trained`.

        Raises:
            Diverged: If it does, or what it begins with.
        """
        g = self.teacher(settings)
        method = method_of(settings.method)
        plain = settings.method == "erm" or method.deferred
        if plain and 0 < settings.defer_epoch < settings.epochs:
            self._begin(settings, folder)
        return train(self.task, self.data, settings, folder, g)

    def _begin(self, settings, folder):
        """Give a cell the checkpoint that its plain part ends with."""
        own = settings.replace(method="erm", epochs=settings.defer_epoch)
        start = self.runs / "starts" / self.name(own)
        start.mkdir(parents=True, exist_ok=True)
        with folder_lock.held(start, wait=True):
            train(self.task, self.data, own, start)
        if not (folder / CHECKPOINTS).exists():
            aside = folder / f"{CHECKPOINTS}.part"
            shutil.rmtree(aside, ignore_errors=True)
            shutil.copytree(start / CHECKPOINTS, aside)
            os.replace(aside, folder / CHECKPOINTS)

    def validate(self, settings: Settings) -> float:
        """Balanced accuracy on validation of the epoch that would be tested.

        Trains the cell for that; one that diverged scores 0.
        """
        try:
            about = self._training(settings)
        except Diverged:
            return 0.0
        return about["history"][about["tested_epoch"]]["val_balanced_accuracy"]

    def _tested(self, settings):
        about = self._training(settings)
        f = self.network(settings)
        pairs = about.pop("translations")
        made_by = {name: about.pop(name) for name in ("commit", "versions")}
        trained = Trained(f, f, translations=None, **about)
        about_g = {"seeds": [own.seed for own in _teachers(settings)]}
        result = reports.result_of(trained, self.data, settings, about_g, {})
        return {**result, **made_by, **dict(zip(("translated", "accepted"), pairs))}

    def _training(self, settings):
        """What is known of a cell's training, which is done if it was not.

        Raises:
            Diverged: If it did.
        """
        folder = self._folder(settings)
        about = _known(folder)
        if about is None:
            folder.mkdir(parents=True, exist_ok=True)
            with folder_lock.held(folder, wait=True):
                # Another process may have trained it meanwhile.
                about = _known(folder) or self._trained(settings, folder)
        if "failed" in about:
            name = f"{settings.method} from seed {settings.seed}"
            raise Diverged(f"{name}: {about['failed']}", about["failed"])
        return about

    def _trained(self, settings, folder):
        path = folder / "log.txt"
        with open(path, "a", encoding="utf-8") as log, contextlib.redirect_stdout(log):
            about = self._train(settings, folder)
        whole_files.write(folder / "training.json", json.dumps(about))
        shutil.rmtree(folder / CHECKPOINTS, ignore_errors=True)
        # Else memory grows with every cell.
        devices.clear_session()
        gc.collect()
        return about

    def _train(self, settings, folder):
        """Train a cell and save its network; returns what else there is to know."""
        try:
            trained = self.train(settings, folder)
        except Diverged as error:
            return {"failed": error.what}
        reports.write_history(folder, trained.history)
        devices.save(trained.f, folder / "f.keras")
        return {
            "history": trained.history,
            "tested_epoch": trained.tested_epoch,
            "seconds": trained.seconds,
            "translations": [pair.tolist() for pair in trained.translations or ()],
            "commit": self.commit,
            "versions": versions(),
        }

    def _failed(self, settings, what):
        return {
            "failed": what,
            "seed": settings.seed,
            "protocol": settings.protocol,
            "class_names": self.data.class_names,
            "class_counts": self.data.class_counts.tolist(),
            "commit": self.commit,
            "versions": versions(),
        }

    def _write(self, settings, result):
        path = self._result_file(settings)
        path.parent.mkdir(parents=True, exist_ok=True)
        about = {"task": self.task.name, "source": self.data.source}
        records.write(path, {**about, **result, **self.configuration(settings)})

    def _folder(self, settings):
        return self.runs / self.name(settings)

    def _result_file(self, settings):
        return self.results / f"{self.name(settings)}.json"


def _teachers(settings):
    """The plain trainings whose networks are g of a cell: never of its own seed."""
    count, loss = method_of(settings.method).teachers, LOSSES[settings.loss].of_g
    return [
        settings.replace(method="erm", loss=loss, seed=settings.seed + 1 + i)
        for i in range(count)
    ]


def _known(folder):
    """What `training.json` says of a training; None if it is not done."""
    file = folder / "training.json"
    if not file.exists():
        return None
    try:
        about = run_folder.read(file)
    except UserError:
        about = {}
    if "failed" in about or about.keys() >= _ABOUT:
        return about
    warnings.warn(f"{file} is damaged: the training is made again", stacklevel=2)
    return None


def _load(path):
    if not path.is_file():  # To open a pipe would wait for ever.
        raise FileNotFoundError(f"{path} is no file")
    return keras.saving.load_model(path, compile=False, safe_mode=True)
