"""`--dry_run`: what a run would do, and what it would cost."""

import time

import keras
import numpy as np
import psutil

import keras_m2m
from keras_m2m.recipes import LOSSES
from keras_m2m.recipes import METHODS
from keras_m2m.recipes import phases
from keras_m2m.recipes.mixes import UNMIXED
from tasks.experiment.settings import Settings
from tasks.experiment.task import Data
from tasks.experiment.task import Task
from tasks.training import devices
from tasks.training.recipe import builder
from tasks.training.recipe import recipe_of
from tasks.training.recipe import training_set

_STEPS = 5  # That are timed, after as many that compile and warm up.


def print_plan(task: Task, data: Data, settings: Settings, methods: list[str]) -> None:
    """Print phases, parameters, memory, and the time that timed steps promise.

    Args:
        task: Builds the networks, which stay untrained.
        data: What would be trained on.
        settings: The value of every flag.
        methods: The methods to train.
    """
    trainings = {method: settings.replace(method=method) for method in methods}
    if not settings.g and any(METHODS[method].translate for method in methods):
        of_g = settings.replace(
            method="erm",
            loss=LOSSES[settings.loss].of_g,
            mix=UNMIXED,
            seed=settings.seed + 1,
        )
        trainings = {"g": of_g, **trainings}
    network = _untrained(task, data, settings)
    validation = _validation_seconds(network, data)
    steps_per_epoch = -(-len(data.train[1]) // settings.batch_size)
    print(f"\nPlan: {steps_per_epoch} steps of {settings.batch_size} an epoch")
    timed, total = {}, 0.0
    for name, own, phase in _once(trainings):
        key = phase.method.about, own.loss, phase.mixes
        if key not in timed:
            timed[key] = _seconds(task, data, own, phase)
        first, step = timed[key]
        epochs = phase.last - phase.first
        seconds = first + epochs * (steps_per_epoch * step + validation)
        total += seconds
        print(
            f"  {name}: epochs {phase.first} to {phase.last - 1}, "
            f"{phase.method.about}; {step * 1000:.1f} ms a step, first ones "
            f"{first:.0f} s: {_readable(seconds)}"
        )
    if settings.after:
        print(f"  then, without training f again: {settings.after.label}")
    print(_memory(network, data))
    print(f"In all about {_readable(total)}, loading and pictures aside")


def _once(trainings):
    """The phases of all trainings, plain epochs of a seed and loss once."""
    done = {}
    for name, own in trainings.items():
        for phase in phases.phases(recipe_of(own)):
            plain = own.seed, own.loss, own.mix
            if phase.method is METHODS["erm"]:
                phase = phase._replace(first=max(phase.first, done.get(plain, 0)))
                done[plain] = max(phase.last, done.get(plain, 0))
            if phase.first < phase.last:
                yield name, own, phase


def _untrained(task, data, settings):
    build = builder(task, data, settings)
    return phases.new_network(build, training_set(data), recipe_of(settings))


def _seconds(task, data, settings, phase):
    """Seconds of the first steps, and of each that follows."""
    f, g = _untrained(task, data, settings), None
    if phase.method.translate:
        g = _untrained(task, data, settings.replace(loss=LOSSES[settings.loss].of_g))
    made_of = training_set(data), recipe_of(settings, data)
    model = phases.model_of(phase, f, g, *made_of)
    enough = phase._replace(first=0, last=2 * _STEPS)
    arguments = phases.fit_arguments(enough, *made_of)
    short = {"steps_per_epoch": _STEPS, "epochs": 2}
    ends = [time.perf_counter()]
    clock = keras.callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: ends.append(time.perf_counter())
    )
    # That untrained networks accept nothing is no news, however many rows show it.
    silent = keras_m2m.WatchAcceptance(least_rows=2**31 - 1)
    model.fit(**{**arguments, **short}, callbacks=[clock, silent], verbose=0)
    return ends[1] - ends[0], (ends[2] - ends[1]) / _STEPS


def _validation_seconds(network, data):
    """Seconds that the validation of an epoch takes, from a part of it."""
    if data.validation is None:
        return 0.0
    samples, labels = data.validation
    part = samples[np.arange(min(devices.BATCH_SIZE, len(labels)))]
    devices.predict(network, part)
    began = time.perf_counter()
    devices.predict(network, part)
    return (time.perf_counter() - began) * len(labels) / len(part)


def _memory(network, data):
    count = network.count_params()
    splits = filter(None, (data.train, data.validation, data.test))
    samples = sum(getattr(x, "nbytes", 0) for x, _ in splits)
    # f has weights, gradients, momentum, the best epoch's weights; g has weights.
    networks = 4 * 5 * count
    process = psutil.Process().memory_info().rss
    return (
        f"Network: {count:,} parameters. Memory: {samples / 2**20:.1f} MiB of samples, "
        f"{networks / 2**20:.1f} MiB of weights; after those steps this process "
        f"has {process / 2**20:.0f} MiB"
    )


def _readable(seconds):
    hours, minutes = divmod(round(seconds / 60), 60)
    return f"{hours} h {minutes} min" if seconds >= 60 else f"{seconds:.0f} s"
