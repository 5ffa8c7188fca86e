"""Training of one network by one method: a plain phase, then a re-balanced one."""

import sys
import time
from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np

import keras_m2m
from tasks.data.whole_files import check_space
from tasks.experiment.errors import UserError
from tasks.experiment.settings import Settings
from tasks.experiment.task import Data
from tasks.experiment.task import Task
from tasks.training import devices
from tasks.training import phases
from tasks.training.curves import Curves
from tasks.training.health import StopAtNonFiniteLoss
from tasks.training.health import WarnOfExplosion

CHECKPOINTS = "checkpoints"  # The folder of a training's, in its folder.


@dataclass(frozen=True)
class Trained:
    """What a training run left.

    Attributes:
        f: The network, with the weights that the protocol tests.
        model: What the last phase fitted: f, or the `M2mModel` around it.
        history: One dict of logs per epoch.
        tested_epoch: The epoch that the weights are from.
        translations: Rows translated and rows accepted in the last epoch, two int64
            arrays `(K, K)` indexed `[target, seed]`; None without any.
        seconds: Wall time per phase, `phase_1` and where there is one `phase_2`; of the
            epochs alone that were not there already.
    """

    f: keras.Model
    model: keras.Model
    history: list[dict]
    tested_epoch: int
    translations: tuple[np.ndarray, np.ndarray] | None
    seconds: dict[str, float]


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
    keras.utils.set_random_seed(settings.seed)
    f = phases.new_network(task, data, settings)
    best = keras_m2m.BestWeights(f) if settings.protocol == "m2m" else None
    watch = keras_m2m.WatchAcceptance(class_names=data.class_names, once=True)
    resume = _resume(folder, f, best, watch, settings, training, begun_as)
    # `resume` last, so that it saves no epoch that another stops at.
    keeping = [watch, resume] if best is None else [watch, best, resume]
    mixing = phases.mixing_model(f, data, settings)
    seconds = {}
    for phase in phases.phases(settings):
        model = phases.model_of(phase, f, g, data, settings, mixing)
        began = time.perf_counter()
        _restore(resume, model)
        if resume.epochs_done < phase.last:
            phase = phase._replace(first=max(phase.first, resume.epochs_done))
            callbacks = _callbacks(phase.method, settings, folder)
            callbacks += _watching_explosions(phase.method, resume.history, data)
            _fit(model, phase, data, settings, [*callbacks, *keeping])
        seconds[f"phase_{len(seconds) + 1}"] = time.perf_counter() - began
    if best is not None:
        best.restore()
    tested = settings.epochs - 1 if best is None else best.epoch
    translations = None
    if watch.translated is not None:
        translations = watch.translated, watch.accepted
    return Trained(f, model, resume.history, tested, translations, seconds)


def _fit(model, phase, data, settings, callbacks):
    model.steps_per_execution = phases.steps_per_execution(data, settings)
    model.fit(
        **phases.fit_arguments(phase, data, settings),
        validation_data=devices.divisible(data.validation),
        validation_batch_size=devices.whole(1024),
        callbacks=callbacks,
        # A bar where somebody looks, else a line an epoch.
        verbose=1 if sys.stdout.isatty() else 2,
    )
    # To predict, TensorFlow would write out as many.
    model.steps_per_execution = 1


def _resume(folder, f, best, watch, settings, training, begun_as):
    folder.mkdir(parents=True, exist_ok=True)
    apart = settings.checkpoint_seconds
    names = training, begun_as
    resume = keras_m2m.ExactResume(folder / CHECKPOINTS, f, best, watch, *names, apart)
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


def _restore(resume, model):
    try:
        resume.restore(model)
    except ValueError as error:
        raise UserError(f"{error}. Remove that folder to train anew") from error


def _callbacks(method, settings, folder):
    rate = keras_m2m.warmup_step_decay(
        settings.learning_rate, drops=settings.rate_drops
    )
    return [
        keras_m2m.MomentumCorrectedScheduler(rate),
        Curves(folder / "tensorboard"),
        StopAtNonFiniteLoss(
            f"{folder} ({method.about})", bool(method.weights), method.translate
        ),
    ]


def _watching_explosions(method, history, data):
    """What compares M2m's loss with that of the plain training before it."""
    plain = [logs for logs in history if "acceptance_rate" not in logs]
    if not method.translate or not plain:
        return []
    return [WarnOfExplosion(plain[-1], len(data.class_names))]
