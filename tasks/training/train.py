"""A training of a task: its checkpoints and curves in a folder, on its devices."""

import contextlib
import functools
import sys
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any
from typing import NamedTuple

import keras

import keras_m2m
from keras_m2m.callbacks import checkpoint_files
from keras_m2m.recipes import Diverged
from keras_m2m.recipes import Trained
from keras_m2m.recipes import train_network
from tasks.data.whole_files import check_space
from tasks.experiment.errors import UserError
from tasks.experiment.settings import Settings
from tasks.experiment.task import Data
from tasks.experiment.task import Task
from tasks.training import devices
from tasks.training import hosts
from tasks.training.curves import Curves
from tasks.training.recipe import builder
from tasks.training.recipe import recipe_of
from tasks.training.recipe import training_set

CHECKPOINTS = "checkpoints"  # The folder of a training's, in its folder.


class Order(NamedTuple):
    """One training, as process 0 asks others to go through it as well.

    Attributes:
        values: Those of its flags.
        names: That of the training, and that of the one that it may go on from.
        g: The content of the file of g, or None.
        checkpoint: What the newest one holds, or None.
    """

    values: dict[str, Any]
    names: tuple[str | None, str | None]
    g: bytes | None
    checkpoint: tuple[int, dict, dict] | None


def train(
    task: Task,
    data: Data,
    settings: Settings,
    folder: Path,
    g: keras.Model | None = None,
    training: str | None = None,
    begun_as: str | None = None,
) -> Trained:
    """Train a network by `settings.method` and `settings.loss`.

    Both phases share one optimizer, so that its momentum and the schedule of its
    learning rate go on.

    Args:
        task: Builds the network.
        data: What to train and validate on.
        settings: The method, its schedule and its seed.
        folder: Where checkpoints and TensorBoard's files go. Training goes on from
            the newest checkpoint that is there.
        g: The frozen classifier, for M2m.
        training: Its name, by which it knows its checkpoints.
        begun_as: The name of a training whose checkpoint it may go on from.

    Returns:
        `Trained`.

    Raises:
        UserError: If the loss is not finite, or the disk is full.
    """

    def resume(f, best, watch):
        return _resume(folder, f, best, watch, settings, training, begun_as)

    how: dict[str, Any] = {
        "resume": resume,
        "name": str(folder),
        "callbacks": [Curves(folder / "tensorboard")],
        # A bar where somebody looks, else a line an epoch.
        "verbose": 1 if sys.stdout.isatty() else 2,
    }
    team = hosts.team()
    if team is None:
        return _train(task, data, settings, g, **how)
    checkpoint = checkpoint_files.read_newest(folder / CHECKPOINTS)
    names = training, begun_as
    order = Order(settings.values, names, _content_of(g), checkpoint)
    team.send(order)
    return _train_together(task, data, settings, order, how)


def follow(task: Task, data: Data, settings: Settings, orders: Iterable[Order]) -> None:
    """Go through the trainings of process 0, as another one, which keeps nothing.

    Args:
        task: As process 0 has it.
        data: The same.
        settings: Of this process, of which the orders' values take the place.
        orders: What process 0 asks for.
    """
    for order in orders:
        own = settings.replace(**order.values)
        how = {"resume": functools.partial(_resume_as_well, order), "verbose": 0}
        how |= {"name": f"{order.names[0]}", "callbacks": []}
        with contextlib.suppress(Diverged):  # Process 0 says so.
            _train_together(task, data, own, order, how)
        devices.clear_session()


def _resume_as_well(order, f, best, watch):
    """What goes on from the checkpoint of an order, and saves none."""
    training, begun_as = order.names
    with tempfile.TemporaryDirectory() as folder:
        if order.checkpoint is not None:
            checkpoint_files.write(Path(folder), *order.checkpoint)
        names = {"training": training, "begun_as": begun_as}
        return keras_m2m.ExactResume(folder, f, best, watch, **names, saves=False)


def _train_together(task, data, settings, order, how):
    with hosts.team().scope():
        # New variables must be the same everywhere, also those that a file then fills.
        keras.utils.set_random_seed(settings.seed)
        return _train(task, data, settings, _network_of(order.g), **how)


def _train(task, data, settings, g, callbacks, resume, name, verbose):
    return train_network(
        builder(task, data, settings),
        training_set(data),
        recipe_of(settings, data),
        g,
        restore_best=settings.protocol == "m2m" and data.chooses_epoch,
        callbacks=callbacks,
        resume=resume,
        name=name,
        fit={
            "validation_data": devices.divisible(data.validation),
            "validation_batch_size": devices.whole(1024),
            "verbose": verbose,
        },
    )


def _content_of(network):
    """The file of a network, or None of none."""
    if network is None:
        return None
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "network.keras"
        devices.save(network, path)
        return path.read_bytes()


def _network_of(content):
    """The network of such a file, on the chosen devices."""
    if content is None:
        return None
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "network.keras"
        path.write_bytes(content)
        return keras.saving.load_model(path, compile=False, safe_mode=True)


class ResumeInFolder(keras_m2m.ExactResume):
    """One that says what to do about checkpoints of another training."""

    def restore(self, model):
        try:
            super().restore(model)
        except ValueError as error:
            raise UserError(f"{error}. Remove that folder to train anew") from error


def _resume(folder, f, best, watch, settings, training, begun_as):
    folder.mkdir(parents=True, exist_ok=True)
    apart = settings.checkpoint_seconds
    names = training, begun_as
    resume = ResumeInFolder(folder / CHECKPOINTS, f, best, watch, *names, apart)
    done = resume.epochs_done
    if begun_as and done == settings.defer_epoch:
        print(
            f"{folder}: epochs 1 to {done} are those of starts/{begun_as}", flush=True
        )
    elif 0 < done < settings.epochs:
        print(f"{folder}: going on after {done} epochs", flush=True)
    elif not done:
        # Of each training of the run, the first of which is g's: two checkpoints and
        # one aside, each of weights, momentum and best weights; and the saved model.
        trainings = 2 + len(settings.compare)
        size = trainings * 11 * 4 * f.count_params() + 2**24
        check_space(folder, size, "Another folder: --out_dir, of tables --runs")
    return resume
