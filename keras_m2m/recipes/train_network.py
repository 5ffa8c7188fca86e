"""One network, trained by a recipe: a plain phase, then a re-balanced one."""

import time
from collections.abc import Callable
from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np

from keras_m2m.callbacks import BestWeights
from keras_m2m.callbacks import ExactResume
from keras_m2m.callbacks import MomentumCorrectedScheduler
from keras_m2m.callbacks import WatchAcceptance
from keras_m2m.recipes import phases
from keras_m2m.recipes.health import StopAtNonFiniteLoss
from keras_m2m.recipes.health import WarnOfExplosion
from keras_m2m.recipes.health import warn_of_narrow_g
from keras_m2m.recipes.recipe import Recipe
from keras_m2m.recipes.recipe import TrainingSet
from keras_m2m.schedules import warmup_step_decay


@dataclass(frozen=True)
class Trained:
    """What a training left.

    Attributes:
        f: The network, of the last epoch or of the best one on validation.
        model: What the last phase fitted: f, or the `M2mModel` around it.
        history: One dict of logs per epoch.
        tested_epoch: The epoch that the weights are from.
        translations: Rows translated and rows accepted in the last epoch, two int64
            arrays `(K, K)` indexed `[target, seed]`; None without any.
        seconds: Wall time per phase, `phase_1` and where there is one `phase_2`; of the
            epochs alone that were not there already.
        g: The frozen classifier, None without one.
        after: What there is to know of a head or an adjustment that f was given, ready
            for JSON, or None.
    """

    f: keras.Model
    model: keras.Model
    history: list[dict]
    tested_epoch: int
    translations: tuple[np.ndarray, np.ndarray] | None
    seconds: dict[str, float]
    g: keras.Model | None = None
    after: dict | None = None

    @property
    def step_size(self) -> float | None:
        """Of the translations, chosen or given; None without any."""
        return getattr(self.model, "step_size", None)


def train_network(
    build: Callable[[str], keras.Model],
    data: TrainingSet,
    recipe: Recipe,
    g: keras.Model | None = None,
    fit: Mapping[str, Any] | None = None,
    restore_best: bool = False,
    callbacks: Sequence[keras.callbacks.Callback] = (),
    resume: Callable[..., ExactResume] | None = None,
    name: str = "the training",
) -> Trained:
    """Train one network through the phases of a recipe.

    All phases share one optimizer, so that its momentum and the schedule of its
    learning rate go on.

    Args:
        build: Function from a head, of `Loss.head`, to an untrained network.
        data: What to train on.
        recipe: How.
        g: The frozen classifier, for methods with `teachers`.
        fit: Further arguments of `fit`, such as `validation_data` and `verbose`.
        restore_best: Whether to end with the weights of the epoch that had the best
            balanced accuracy on validation, the later one of several.
        callbacks: Given to each `fit`.
        resume: Function `(f, best, watch)` to the `ExactResume` of the training; None
            to save nothing.
        name: What is trained, for messages.

    Returns:
        `Trained`.

    Raises:
        Diverged: If the loss is not finite.
    """
    keras.utils.set_random_seed(recipe.seed)
    f = phases.new_network(build, data, recipe)
    best = BestWeights(f) if restore_best else None
    watch = WatchAcceptance(class_names=data.class_names, once=True)
    keeper = resume(f, best, watch) if resume else _Unsaved()
    # The keeper last, so that it saves no epoch that another stops at.
    keeping = [watch, keeper] if best is None else [watch, best, keeper]
    mixing = phases.mixing_model(f, data, recipe)
    seconds: dict[str, float] = {}
    for phase in phases.phases(recipe):
        model = phases.model_of(phase, f, g, data, recipe, mixing)
        began = time.perf_counter()
        keeper.restore(model)
        if keeper.epochs_done < phase.last:
            if phase.method.teachers and g is not None:
                warn_of_narrow_g(g, data)
            phase = phase._replace(first=max(phase.first, keeper.epochs_done))
            healthy = _healthy(phase.method, data, keeper.history, name)
            several = [*_schedule(recipe), *callbacks, *healthy, *keeping]
            _fit(model, phase, data, recipe, {**(fit or {}), "callbacks": several})
        seconds[f"phase_{len(seconds) + 1}"] = time.perf_counter() - began
    tested = keeper.epochs_done - 1
    if best is not None and best.epoch is not None:
        best.restore()
        tested = best.epoch
    translations = None
    if watch.translated is not None and watch.accepted is not None:
        translations = watch.translated, watch.accepted
    return Trained(f, model, keeper.history, tested, translations, seconds, g)


class _Unsaved(keras.callbacks.Callback):
    """What `ExactResume` knows of a training, without saving it."""

    def __init__(self) -> None:
        super().__init__()
        self.epochs_done = 0
        self.history: list[dict] = []

    def restore(self, model: keras.Model) -> None:
        pass

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        logs = {key: float(value) for key, value in (logs or {}).items()}
        self.history.append({"epoch": epoch, **logs})
        self.epochs_done = epoch + 1


def _fit(model, phase, data, recipe, options):
    model.steps_per_execution = phases.steps_per_execution(data, recipe)
    model.fit(**phases.fit_arguments(phase, data, recipe), **options)
    # To predict, TensorFlow would write out as many.
    model.steps_per_execution = 1


def _schedule(recipe):
    if recipe.optimizer is not None:
        return []
    rate = warmup_step_decay(recipe.learning_rate, drops=recipe.drops)
    return [MomentumCorrectedScheduler(rate)]


def _healthy(method, data, history, name):
    """What stops or warns where epochs of a method go wrong."""
    what = f"{name} ({method.about})"
    stop = StopAtNonFiniteLoss(what, bool(method.weights), method.translate)
    plain = [logs for logs in history if "acceptance_rate" not in logs]
    if not method.translate or not plain:
        return [stop]
    # M2m's loss is compared with that of the plain training before it.
    return [stop, WarnOfExplosion(plain[-1], data.num_classes)]
