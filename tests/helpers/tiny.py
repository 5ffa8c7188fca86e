"""A data set small enough to try every method on it, and its settings."""

from dataclasses import replace

import keras
import numpy as np

import keras_m2m
from keras_m2m.recipes.phases import new_network
from tasks import digits_lt
from tasks.experiment.settings import Settings
from tasks.experiment.settings import parse
from tasks.experiment.task import Data
from tasks.experiment.task import Preset
from tasks.experiment.task import Task
from tasks.training.recipe import builder
from tasks.training.recipe import recipe_of
from tasks.training.recipe import training_set

FLAGS = [
    "--compare=",
    "--epochs=3",
    "--defer_epoch=1",
    "--drops=2:0.1",
    "--batch_size=14",  # A quarter of the samples: batches of one shape.
    "--steps=2",
    "--step_size=0.3",
    "--checkpoint_seconds=0",
]


def settings(**changes) -> Settings:
    return parse(TASK, FLAGS).replace(**changes)


def blobs(settings) -> Data:
    """Three Gaussian classes of 40, 12 and 4 points, the largest in the middle."""
    rng = np.random.default_rng(0)

    def draw(counts):
        labels = np.repeat(np.arange(3), counts)
        centers = np.array([[2, 0], [-2, 0], [0, 2]])[labels]
        points = centers + rng.normal(size=(len(labels), 2))
        return points.astype("float32"), labels

    return Data(
        train=draw([12, 40, 4]),
        validation=draw([5, 5, 5]) if settings.protocol == "m2m" else None,
        test=draw([6, 6, 6]),
        class_names=["right", "left", "top"],
        source="three blobs",
    )


def two_blobs(settings) -> Data:
    """The two larger of `blobs`: a small class and a large one."""
    data = blobs(settings)

    def drawn(part):
        rows = part[1] < 2
        return part[0][rows], part[1][rows]

    return replace(
        data,
        train=drawn(data.train),
        validation=drawn(data.validation) if data.validation else None,
        test=drawn(data.test),
        class_names=data.class_names[:2],
        source="two blobs",
    )


def build(data: Data, head: str, settings: Settings) -> keras.Model:
    return keras_m2m.mlp(
        *(len(data.class_names), (2,)),
        hidden=8,
        head=head,
        weight_decay=settings.weight_decay,
    )


def untrained(data: Data, settings: Settings, task: Task | None = None) -> keras.Model:
    """A compiled network that a training begins with."""
    made_of = training_set(data), recipe_of(settings)
    return new_network(builder(task or TASK, data, settings), *made_of)


TASK = Task(
    "tiny",
    load=blobs,
    build=build,
    defaults=digits_lt.TASK.defaults,
    presets={"own": Preset({"beta": 0.9, "lam": 0.1, "gamma": 0.0}, "ours", when={})},
)
TWO_CLASSES = replace(TASK, load=two_blobs)


def with_mlp(task: Task) -> Task:
    """A task whose network compiles in seconds: an MLP in place of its own."""
    return replace(task, build=_mlp)


def _mlp(data: Data, head: str, settings: Settings) -> keras.Model:
    return keras_m2m.mlp(len(data.class_names), data.sample_shape, hidden=8, head=head)
