"""What the g of a training is made of."""

from pathlib import Path

import keras

from keras_m2m.m2m_model import check_networks
from keras_m2m.recipes import LOSSES
from keras_m2m.recipes.mixes import UNMIXED
from tasks.experiment.errors import UserError
from tasks.experiment.recipes import method_of
from tasks.experiment.settings import Settings
from tasks.experiment.task import Data
from tasks.experiment.task import Task


def teachers(settings: Settings) -> list[Settings]:
    """The plain trainings whose networks are g of a cell: never of its own seed.

    Their batches are not mixed: g has to be sure of samples to accept them.
    """
    count, loss = method_of(settings.method).teachers, LOSSES[settings.loss].of_g
    count = 0 if settings.g else count
    return [
        settings.replace(
            method="erm", loss=loss, mix=UNMIXED, seed=settings.seed + 1 + i
        )
        for i in range(count)
    ]


def given(settings: Settings, task: Task, data: Data) -> keras.Model:
    """The g of `--g`.

    Raises:
        UserError: If the file holds none that fits.
    """
    try:
        # In Keras' safe mode, which runs no code out of the file.
        g = load(Path(settings.g))
    except Exception as error:  # Keras raises many kinds for a file it cannot read.
        reason = str(error).partition("\n")[0]
        raise UserError(
            f"--g={settings.g} is no model that Keras loads: {reason}"
        ) from error
    try:
        check_networks(task.build(data, "dense", settings), g, len(data.class_names))
    except ValueError as error:
        raise UserError(f"--g={settings.g} does not fit the data: {error}") from error
    return g


def load(path: Path) -> keras.Model:
    """A saved network, by Keras' safe mode, which runs no code out of the file."""
    if not path.is_file():  # To open a pipe would wait for ever.
        raise FileNotFoundError(f"{path} is no file")
    return keras.saving.load_model(path, compile=False, safe_mode=True)
