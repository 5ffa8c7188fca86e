"""Training of one network by one recipe: a plain phase, then a re-balanced one."""

import sys
import time
from dataclasses import dataclass
from pathlib import Path

import keras
import numpy as np

import keras_m2m
from keras_m2m.sampling import is_stream
from tasks import devices
from tasks import run_folder
from tasks.health import StopAtNonFiniteLoss
from tasks.recipes import LOSSES
from tasks.recipes import METHODS
from tasks.recipes import Method
from tasks.settings import Settings
from tasks.task import Data
from tasks.task import Task
from tasks.task import UserError


@dataclass(frozen=True)
class Trained:
    """What a training run left.

    Attributes:
        f: The network, with the weights that the protocol tests.
        model: What the last phase fitted: f, or the `M2mModel` around it.
        history: One dict of logs per epoch.
        tested_epoch: The epoch that the weights are from.
        seconds: Wall time per phase, `phase_1` and where there is one `phase_2`.
    """

    f: keras.Model
    model: keras.Model
    history: list[dict]
    tested_epoch: int
    seconds: dict[str, float]


def train(
    task: Task,
    data: Data,
    settings: Settings,
    folder: Path,
    g: keras.Model | None = None,
) -> Trained:
    """Train a network by `settings.method` and `settings.loss`.

    Both phases share one optimizer, so that its momentum and the schedule of its
    learning rate go on.

    Args:
        task: Builds the network.
        data: What to train and validate on.
        settings: The recipe, its schedule and its seed.
        folder: Where checkpoints and TensorBoard's files go. Training goes on from
            the newest checkpoint that is there.
        g: The frozen classifier, for M2m.

    Returns:
        `Trained`.

    Raises:
        UserError: If the loss is not finite, or the disk is full.
    """
    keras.utils.set_random_seed(settings.seed)
    method = METHODS[settings.method]
    f = devices.prepared(task.build(data, LOSSES[settings.loss].head, settings))
    optimizer = keras.optimizers.SGD(momentum=0.9)
    _compile(f, optimizer, data, settings)
    best = keras_m2m.BestWeights(f) if settings.protocol == "m2m" else None
    resume = _resume(folder, f, best)
    start = settings.defer_epoch if method.deferred else 0
    phases = [(METHODS["erm"], 0, start), (method, start, settings.epochs)]
    seconds, model = {}, f
    for recipe, first, last in phases:
        if first == last:
            continue
        if recipe.translate:
            model = _m2m_model(f, g, data, settings)
            _compile(model, optimizer, data, settings)
        began = time.perf_counter()
        resume.restore(model)
        if resume.epochs_done < last:
            first = max(first, resume.epochs_done)
            callbacks = _callbacks(recipe, data, settings, folder, best, resume)
            _fit(model, recipe, first, last, data, settings, callbacks)
        seconds[f"phase_{len(seconds) + 1}"] = time.perf_counter() - began
    if best is not None:
        best.restore()
    tested = settings.epochs - 1 if best is None else best.epoch
    return Trained(f, model, resume.history, tested, seconds)


def _resume(folder, f, best):
    """The checkpoints, whose last two and one aside have weights, momentum, best."""
    folder.mkdir(parents=True, exist_ok=True)
    weights = sum(keras.ops.size(v) * 4 for v in f.variables)
    run_folder.check_space(folder, int(12 * weights) + 2**24)
    resume = keras_m2m.ExactResume(folder / run_folder.CHECKPOINTS, f, best)
    if resume.epochs_done:
        print(f"{folder}: going on after {resume.epochs_done} epochs", flush=True)
    return resume


def _m2m_model(f, g, data, settings):
    return keras_m2m.M2mModel(
        f,
        g,
        data.class_counts,
        beta=settings.beta,
        lam=settings.lam,
        gamma=settings.gamma,
        steps=settings.steps,
        step_size=settings.step_size,
        bounds=data.bounds,
        noise=settings.noise,
        seed=settings.seed,
    )


def _compile(model, optimizer, data, settings):
    num_classes = len(data.class_names)
    metrics = [keras_m2m.BalancedAccuracy(num_classes)]
    if settings.loss != "ldam":  # whose outputs are cosines, not logits
        # The loss includes the weight decay; this does not.
        metrics.append(
            keras.metrics.SparseCategoricalCrossentropy(
                from_logits=True, name="cross_entropy"
            )
        )
    jit_compile = {"auto": "auto", "true": True, "false": False}[settings.jit_compile]
    loss = LOSSES[settings.loss].make(data.class_counts)
    model.compile(optimizer, loss, metrics=metrics, jit_compile=jit_compile)


def _callbacks(recipe, data, settings, folder, best, resume):
    rate = keras_m2m.warmup_step_decay(
        settings.learning_rate, drops=settings.rate_drops
    )
    callbacks = [
        keras.callbacks.LearningRateScheduler(rate),
        _TensorBoardByEpoch(str(folder / "tensorboard"), write_graph=False),
        StopAtNonFiniteLoss(settings.method, bool(recipe.weights)),
        keras_m2m.WatchAcceptance(class_names=data.class_names),
    ]
    # Last, so that no checkpoint is of an epoch that another stops at.
    return [*callbacks, *([] if best is None else [best]), resume]


class _TensorBoardByEpoch(keras.callbacks.TensorBoard):
    """Curves over epochs: a record of each batch takes longer than an MLP's step."""

    # So Keras does not wait for the end of each batch to call what does nothing.
    async_safe = True

    def on_train_batch_end(self, batch, logs=None):
        pass


def _fit(model, recipe: Method, first, last, data, settings, callbacks):
    x, y = data.train
    batches = keras_m2m.ResampledDataset(
        *(_with_smote(data, settings.seed) if recipe.smote else (x, y)),
        batch_size=settings.batch_size,
        sampling=recipe.sampling,
        first_epoch=first,
        epochs=last,
        seed=settings.seed,
        augment=data.augment,
        samples_per_epoch=len(x),
    )
    weights = recipe.weights(data.class_counts) if recipe.weights else None
    try:
        model.fit(
            **batches.fit_arguments,
            class_weight=None if weights is None else dict(enumerate(weights.tolist())),
            validation_data=devices.divisible(data.validation),
            validation_batch_size=devices.whole(1024),
            callbacks=callbacks,
            # A bar where somebody looks, else a line an epoch.
            verbose=1 if sys.stdout.isatty() else 2,
        )
    except OSError as error:
        raise UserError(
            f"Files of the run cannot be written or read: {error}. The checkpoint of "
            "the last epoch that was saved stays: --resume goes on from it"
        ) from error


def _with_smote(data, seed):
    x, y = data.train
    if is_stream(x):
        raise UserError("--method=smote needs all samples in memory, not a stream")
    if not data.are_images:
        return keras_m2m.smote(x, y, seed)
    # In pixels, so that new images are rounded like the given ones.
    pixels, y = keras_m2m.smote(np.rint(x * 255).astype("uint8"), y, seed)
    return pixels.astype("float32") / 255, y
