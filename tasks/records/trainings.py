"""Trainings: each is made once, and found again by what it is.

A training is one network by a method, a loss and a seed on one data set, with every
flag that its numbers follow from. What came of it is a small file in one folder,
`results`; its network and what other trainings begin with are in another, `runs`:

TASK/starts/NAME   plain training of a seed and loss up to `defer_epoch`, from which
                   plain training and all deferred methods of the two go on
TASK/NAME          of a training: f.keras, training.json, history.csv; began.json and
                   checkpoints. Of what is done after one: f.keras alone. Of a result
                   predictions.npz, once they are asked for

NAME ends in a digest of all that the numbers follow from, so that a change of any flag
or of the data makes another training. Checkpoints say the NAME that they are of.
"""

import contextlib
import json
import shutil
import warnings
from pathlib import Path

import keras

from keras_m2m.recipes import Diverged
from keras_m2m.recipes import Trained
from keras_m2m.recipes import phases
from tasks.data import whole_files
from tasks.experiment import ablations
from tasks.experiment.recipes import REFERENCES
from tasks.experiment.recipes import method_of
from tasks.experiment.settings import Settings
from tasks.experiment.task import Data
from tasks.experiment.task import Task
from tasks.records import folder_lock
from tasks.records import identity
from tasks.records import records
from tasks.records.identity import has_given_g
from tasks.records.identity import name_of
from tasks.records.progress import about_training
from tasks.records.progress import begin_from
from tasks.records.progress import known
from tasks.records.progress import logged
from tasks.records.progress import shared_start
from tasks.records.progress import warn_of_changes
from tasks.records.references import References
from tasks.records.result import failed_result
from tasks.records.result import result_of
from tasks.records.result import write_history
from tasks.records.teachers import given
from tasks.records.teachers import load
from tasks.records.teachers import teachers
from tasks.records.versions import commit
from tasks.training import devices
from tasks.training.afterwards import done_after
from tasks.training.recipe import recipe_of
from tasks.training.recipe import training_set
from tasks.training.train import CHECKPOINTS
from tasks.training.train import train


class Trainings:
    """The trainings on one data set.

    Args:
        task: The data set's `Task`.
        data: What it loaded.
        results: Folder for a small JSON file per training.
        runs: Folder for networks, checkpoints and logs.
        quiet: Whether what a training prints goes to its log.txt.

    Attributes:
        commit: Of the code that runs, as `versions.commit` gives it, or None.
        references: The `References` on the same data.
        wait: Whether to wait for a training that another process is making; else
            `folder_lock.Busy` is raised.
    """

    def __init__(
        self, task: Task, data: Data, results: Path, runs: Path, quiet: bool = True
    ) -> None:
        self.task, self.data, self.quiet, self.wait = task, data, quiet, True
        self.results, self.runs = results / task.name, runs / task.name
        self._checksum, self._features = identity.checksum(data), {}
        self.references = References(data, self.network)
        self.commit = commit()  # Now: a later one is of other code.

    def configuration(self, settings: Settings) -> dict:
        """All that the numbers of a cell follow from, ready for JSON."""
        return identity.configuration(settings, self._checksum)

    def name(self, settings: Settings) -> str:
        """Name of the cell's file and folder."""
        return name_of(self.configuration(settings))

    def find(self, settings: Settings, prefix: str = "") -> dict | None:
        """The result of a cell, if it is there.

        Args:
            settings: The cell's.
            prefix: What the name of its file begins with.

        Warns:
            UserWarning: If a file is damaged, which is set aside.
        """
        about = {"content of --g": None, **self.configuration(settings)}
        del about["flags"]
        return records.find_sound(self.results.parent, settings, prefix, **about)

    def result(self, settings: Settings) -> dict:
        """The result of a cell, which is trained if that was not done.

        Args:
            settings: Its method, loss, seed and all other flags.

        Returns:
            What `result_of` gives, and `commit`; for M2m also `step_size`, chosen or
            not, and the rows `translated` and `accepted` in the last epoch, `[target,
            seed]`; `after`, where something was done after the training. Of one that
            diverged, the same without scores and with `failed`.
        """
        found = self.find(settings)
        if found is None:
            try:
                self._write(settings, self._tested(settings))
            except Diverged as error:
                failed = failed_result(self.data, settings, error.what)
                self._write(settings, {**failed, "commit": self.commit})
            found = self.find(settings)
        return found

    def network(self, settings: Settings) -> keras.Model:
        """The network of a cell, trained if that was not done; it is not tested here.

        Raises:
            Diverged: If its training does.
        """
        self._training(settings)
        path = self.folder(settings) / "f.keras"
        try:
            return load(path)
        except Exception as error:  # Keras raises many kinds for a file it cannot read.
            if path.exists():
                warnings.warn(
                    f"{path} is damaged and is made again: {error}", stacklevel=2
                )
        # Networks take room, and may have been removed.
        path.with_name("training.json").unlink(missing_ok=True)
        self._training(settings)
        return load(path)

    def teacher(self, settings: Settings) -> keras.Model | None:
        """g of a cell: the network of plain training from another seed, or of two.

        Returns:
            A network that no other cell holds; None if the method takes none.

        Raises:
            Diverged: If its training does, which it says.
        """
        if has_given_g(settings):
            return given(settings, self.task, self.data)
        try:
            return ablations.teacher([self.network(own) for own in teachers(settings)])
        except Diverged as error:
            raise Diverged("g", f"of g, {error.what}", error.advice) from error

    def model(self, settings: Settings) -> keras.Model:
        """The `M2mModel` around a trained f, of a method that translates."""
        f = self.network(settings)
        f.compile("sgd")  # Which no step will use.
        phase = phases.Phase(method_of(settings.method), 0, 1)
        chosen = self._training(settings).get("step_size") or settings.step_size
        recipe = recipe_of(settings.replace(step_size=chosen), self.data)
        made_of = self.teacher(settings), training_set(self.data), recipe
        return phases.model_of(phase, f, *made_of)

    def _train_from_start(self, settings, folder):
        """Train a network, from the shared start of its seed and loss."""
        g, start = self.teacher(settings), shared_start(settings)
        if start is not None:
            begin_from(self.begin(start), folder)
        names = self.name(settings), self.name(start) if start else None
        warn_of_changes(folder)
        return train(self.task, self.data, settings, folder, g, *names)

    def begin(self, start: Settings) -> Path:
        """Train a `shared_start` if that was not done; returns its folder.

        Raises:
            Diverged: If it does.
        """
        folder = self.folder_of_start(start)
        folder.mkdir(parents=True, exist_ok=True)
        with folder_lock.held(folder, wait=self.wait):
            warn_of_changes(folder)
            train(self.task, self.data, start, folder, training=folder.name)
        return folder

    def validate(self, settings: Settings) -> float:
        """Balanced accuracy on validation of the tested epoch; 0 if it diverged."""
        try:
            about = self._training(settings)
        except Diverged:
            return 0.0
        return about["history"][about["tested_epoch"]]["val_balanced_accuracy"]

    def _tested(self, settings):
        if settings.method in REFERENCES:
            return {**self.references.result(settings), "commit": self.commit}
        about = self._training(settings)
        f, done = self._tested_network(settings)
        pairs = about.pop("translations")
        made_by = {k: about.pop(k, None) for k in ("commit", "versions", "step_size")}
        trained = Trained(f, f, translations=None, **about)
        seeds = {"seeds": [own.seed for own in teachers(settings)]}
        about_g = {"file": Path(settings.g).name} if has_given_g(settings) else seeds
        result = result_of(trained, self.data, settings, about_g, {})
        if settings.after:
            return {**result, **made_by, "after": done}
        return {**result, **made_by, **dict(zip(("translated", "accepted"), pairs))}

    def _tested_network(self, settings):
        """What is tested, and what was done after its training."""
        f, name = self.network(settings), self.name(settings)
        if not settings.after:
            return f, {}
        # Of one network: rows of a training come one after the other.
        self._features = {name: self._features.get(name, {})}
        f, done = done_after(f, self.data, settings, self._features[name])
        folder = self.folder_of_result(settings)
        folder.mkdir(parents=True, exist_ok=True)
        devices.save(f, folder / "f.keras")
        return f, done

    def network_of_result(self, settings: Settings) -> keras.Model:
        """The network that a result is of, made again if it is gone."""
        with contextlib.suppress(Exception):  # Keras raises many kinds for a bad file.
            return load(self.folder_of_result(settings) / "f.keras")
        return self._tested_network(settings)[0]

    def _training(self, settings):
        """What is known of a cell's training, which is done if it was not.

        Raises:
            Diverged: If it did.
        """
        folder = self.folder(settings)
        about = known(folder)
        if about is None:
            folder.mkdir(parents=True, exist_ok=True)
            with folder_lock.held(folder, wait=self.wait):
                # Another process may have trained it meanwhile.
                about = known(folder) or self._trained(settings, folder)
        if "failed" in about:
            name = f"{settings.method} from seed {settings.seed}"
            raise Diverged(name, about["failed"], about.get("advice", ""))
        return about

    def _trained(self, settings, folder):
        with logged(folder) if self.quiet else contextlib.nullcontext():
            about = self._train(settings, folder)
        whole_files.write(folder / "training.json", json.dumps(about))
        shutil.rmtree(folder / CHECKPOINTS, ignore_errors=True)
        # Else memory grows with every cell.
        devices.clear_session()
        return about

    def _train(self, settings, folder):
        """Train a cell and save its network; returns what else there is to know."""
        try:
            trained = self._train_from_start(settings, folder)
        except Diverged as error:
            return {"failed": error.what, "advice": error.advice}
        write_history(folder, trained.history)
        devices.save(trained.f, folder / "f.keras")
        return about_training(trained, self.commit)

    def _write(self, settings, result):
        path = self.results / f"{name_of(self._of_result(settings))}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        about = {"task": self.task.name, **identity.about_data(self.data, settings)}
        records.write(path, {**about, **result, **self._of_result(settings)})

    def folder(self, settings: Settings) -> Path:
        """Where the network and the history of a training are, once it is made."""
        return self.runs / self.name(settings)

    def folder_of_start(self, start: Settings) -> Path:
        """Where the checkpoints of a `shared_start` are, once it is made."""
        return self.runs / "starts" / self.name(start)

    def folder_of_result(self, settings: Settings) -> Path:
        """Where the network is that a result is of, once it is made."""
        return self.runs / name_of(self._of_result(settings))

    def _of_result(self, settings):
        return identity.with_after(self.configuration(settings), settings)
