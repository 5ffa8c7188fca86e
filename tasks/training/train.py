"""A training of a task: its checkpoints and curves in a folder, on its devices."""

import sys
from pathlib import Path

import keras

import keras_m2m
from keras_m2m.recipes import Trained
from keras_m2m.recipes import train_network
from tasks.data.whole_files import check_space
from tasks.experiment.errors import UserError
from tasks.experiment.settings import Settings
from tasks.experiment.task import Data
from tasks.experiment.task import Task
from tasks.training import devices
from tasks.training.curves import Curves
from tasks.training.recipe import builder
from tasks.training.recipe import recipe_of
from tasks.training.recipe import training_set

CHECKPOINTS = "checkpoints"  # The folder of a training's, in its folder.


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
    names = settings, training, begun_as

    def resume(f, best, watch):
        return _resume(folder, f, best, watch, *names)

    return train_network(
        builder(task, data, settings),
        training_set(data),
        recipe_of(settings, data),
        g,
        restore_best=settings.protocol == "m2m" and data.chooses_epoch,
        callbacks=[Curves(folder / "tensorboard")],
        resume=resume,
        name=str(folder),
        fit={
            "validation_data": devices.divisible(data.validation),
            "validation_batch_size": devices.whole(1024),
            # A bar where somebody looks, else a line an epoch.
            "verbose": 1 if sys.stdout.isatty() else 2,
        },
    )


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
        check_space(folder, size)
    return resume
