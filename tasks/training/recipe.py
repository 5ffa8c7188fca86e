"""What the library needs to know of a training, from a task, its data and settings."""

from collections.abc import Callable

import keras

import keras_m2m
from keras_m2m.recipes import LOSSES
from keras_m2m.recipes import MIXES
from keras_m2m.recipes import Recipe
from keras_m2m.recipes import TrainingSet
from keras_m2m.sampling import is_stream
from tasks.experiment.errors import UserError
from tasks.experiment.recipes import method_of
from tasks.experiment.settings import Settings
from tasks.experiment.task import Data
from tasks.experiment.task import Task
from tasks.training import devices

_OF_M2M = ("beta", "lam", "gamma", "steps", "step_size", "noise")
_JIT = {"auto": "auto", "true": True, "false": False}


def recipe_of(settings: Settings, data: Data | None = None) -> Recipe:
    """The recipe that flags stand for.

    Args:
        settings: The value of every flag.
        data: What units of steps follow from; without it there are none.

    Raises:
        UserError: If units are asked for that the data has not.
    """
    of_m2m = {name: settings.values[name] for name in _OF_M2M}
    if data is not None and method_of(settings.method).translate:
        of_m2m["units"] = _units(settings, data)
    same = ("mix_from", "mix_until", "epochs", "defer_epoch", "batch_size")
    same += ("learning_rate", "seed", "steps_per_execution")
    return Recipe(
        method=method_of(settings.method),
        loss=LOSSES[settings.loss],
        mix=MIXES[settings.mix],
        drops=settings.rate_drops,
        m2m=of_m2m,
        jit_compile=_JIT[settings.jit_compile],
        **{name: settings.values[name] for name in same},
    )


def _units(settings, data):
    """What `--units` stands for: of tables, those that their columns have."""
    images = settings.units == "auto" and data.are_images
    if settings.units == "none" or images:
        return None
    if data.units is not None:
        return data.units
    if is_stream(data.train[0]):
        raise UserError(
            f"--units={settings.units} needs all samples in memory, not a stream; give "
            "--units=none"
        )
    return keras_m2m.standard_units(data.train[0])


def training_set(data: Data) -> TrainingSet:
    """What of the data a network is trained on."""
    return TrainingSet(
        *data.train,
        num_classes=len(data.class_names),
        class_names=data.class_names,
        bounds=data.bounds,
        augment=data.augment,
        are_images=data.are_images,
        smote=data.smote,
    )


def builder(task: Task, data: Data, settings: Settings) -> Callable[[str], keras.Model]:
    """Function from a head to the untrained network, for the chosen devices."""
    return lambda head: devices.prepared(task.build(data, head, settings))
