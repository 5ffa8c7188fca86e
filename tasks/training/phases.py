"""What a training consists of: its phases, and for each a model and batches."""

from typing import NamedTuple

import keras
import numpy as np

import keras_m2m
from keras_m2m.draws import spread_seed
from keras_m2m.sampling import is_stream
from tasks.experiment.errors import UserError
from tasks.experiment.recipes import LOSSES
from tasks.experiment.recipes import METHODS
from tasks.experiment.recipes import MIXES
from tasks.experiment.recipes import UNMIXED
from tasks.experiment.recipes import Method
from tasks.experiment.recipes import loss_of
from tasks.experiment.recipes import method_of
from tasks.experiment.settings import Settings
from tasks.experiment.task import Data
from tasks.experiment.task import Task
from tasks.training import devices


class Phase(NamedTuple):
    """Epochs `first` to `last - 1`, trained by one method, on mixed batches or not."""

    method: Method
    first: int
    last: int
    mixes: bool = False


def phases(settings: Settings) -> list[Phase]:
    """The phases of `settings.method`: a deferred one comes after plain training."""
    method = method_of(settings.method)
    start = settings.defer_epoch if method.deferred else 0
    both = [Phase(METHODS["erm"], 0, start), Phase(method, start, settings.epochs)]
    return [part for phase in both for part in _parts(phase, settings)]


def _parts(phase, settings):
    """A phase, or its epochs before those on mixed batches, these, and those after."""
    if settings.mix == UNMIXED:
        return [phase] if phase.first < phase.last else []
    ends = settings.mix_from, settings.mix_until or phase.last
    start, end = (min(max(epoch, phase.first), phase.last) for epoch in ends)
    parts = [
        phase._replace(last=start),
        phase._replace(first=start, last=end, mixes=True),
        phase._replace(first=max(start, end)),
    ]
    return [part for part in parts if part.first < part.last]


def new_network(task: Task, data: Data, settings: Settings) -> keras.Model:
    """The untrained network, compiled for plain training."""
    f = devices.prepared(task.build(data, LOSSES[settings.loss].head, settings))
    optimizer = keras.optimizers.SGD(momentum=0.9)
    return _compiled(f, optimizer, LOSSES[settings.loss], data, settings)


def mixing_model(
    f: keras.Model, data: Data, settings: Settings
) -> keras_m2m.MixingModel | None:
    """What plain epochs on mixed batches fit, all of a training's; None for none.

    One for all, so that what it draws goes on from one phase to the next.
    """
    mixing = MIXES[settings.mix].make(data.class_counts)
    return mixing and keras_m2m.MixingModel(f, mixing, settings.seed)


def model_of(
    phase: Phase,
    f: keras.Model,
    g: keras.Model | None,
    data: Data,
    settings: Settings,
    mixing: keras_m2m.MixingModel | None = None,
) -> keras.Model:
    """What `fit` is called on: `f`, or a model around it with the optimizer of `f`.

    Args:
        phase: Values that its method fixes win over those of `settings`.
        f: The network to train.
        g: The frozen classifier: one made of `phase.method.teachers` networks, by
            `ablations.teacher`; None for none.
        data: What to train on.
        settings: The method and its seed.
        mixing: What `mixing_model` made for an earlier phase, or None.
    """
    loss = loss_of(phase.method, settings.loss)
    if not phase.method.translate:
        if not phase.mixes and loss is LOSSES[settings.loss]:
            return f  # As it was compiled.
        mixing = mixing or mixing_model(f, data, settings)
        model = mixing if phase.mixes else f
        return _compiled(model, f.optimizer, loss, data, settings)
    settings = settings.replace(**phase.method.flags)
    model = phase.method.model(
        f,
        g,
        data,
        beta=settings.beta,
        lam=settings.lam,
        gamma=settings.gamma,
        steps=settings.steps,
        step_size=settings.step_size,
        bounds=data.bounds,
        noise=settings.noise,
        seed=settings.seed,
        mixing=_mixing_of_m2m(data, settings) if phase.mixes else None,
    )
    return _compiled(model, f.optimizer, loss, data, settings)


def _mixing_of_m2m(data, settings):
    mix = MIXES[settings.mix]
    return (mix.balanced or mix.make)(data.class_counts)


def _compiled(model, optimizer, loss, data, settings):
    num_classes = len(data.class_names)
    balanced = keras_m2m.BalancedAccuracy(num_classes)
    metrics = [balanced, *_cross_entropies(loss.head)]
    jit_compile = {"auto": "auto", "true": True, "false": False}[settings.jit_compile]
    made = loss.make(data.class_counts)
    model.compile(optimizer, made, metrics=metrics, jit_compile=jit_compile)
    return model


def _cross_entropies(head):
    """The cross entropy of logits, which the loss and its weight decay do not show."""
    if head == "dense":
        kind = keras.metrics.SparseCategoricalCrossentropy
        return [kind(from_logits=True, name="cross_entropy")]
    if head == "logit":
        # Keras' own takes labels of two axes only, and these batches have one.
        losses = keras_m2m.FocalLoss(gamma=0, reduction=None)
        return [keras.metrics.MeanMetricWrapper(losses, name="cross_entropy")]
    return []  # Cosines have no cross entropy.


def fit_arguments(phase: Phase, data: Data, settings: Settings) -> dict:
    """The batches of a phase and their class weights, as `fit` takes them.

    Raises:
        UserError: If SMOTE is asked for and samples are a stream.
    """
    batches = _batches(phase, data, settings, phase.method.sampling, settings.seed)
    if phase.mixes and MIXES[settings.mix].paired and not phase.method.translate:
        seed = spread_seed(settings.seed, stream=4)
        others = _batches(phase, data, settings, "class", seed)
        batches = keras_m2m.PairedDataset(batches, others)
    if phase.method.weights is None:
        return batches.fit_arguments
    weights = phase.method.weights(data.class_counts).tolist()
    return {**batches.fit_arguments, "class_weight": dict(enumerate(weights))}


def _batches(phase, data, settings, sampling, seed):
    x, y = data.train
    return keras_m2m.ResampledDataset(
        *(_with_smote(data, settings.seed) if phase.method.smote else (x, y)),
        batch_size=settings.batch_size,
        sampling=sampling,
        first_epoch=phase.first,
        epochs=phase.last,
        seed=seed,
        augment=data.augment,
        samples_per_epoch=len(x),
    )


def steps_per_execution(data: Data, settings: Settings) -> int:
    """The most steps, up to `--steps_per_execution`, that divide those of an epoch."""
    steps = -(-len(data.train[0]) // settings.batch_size)
    most = min(settings.steps_per_execution, steps)
    return max(n for n in range(1, most + 1) if steps % n == 0)


def _with_smote(data, seed):
    x, y = data.train
    if is_stream(x):
        raise UserError("--method=smote needs all samples in memory, not a stream")
    if not data.are_images:
        return keras_m2m.smote(x, y, seed)
    # In pixels, so that new images are rounded like the given ones.
    pixels, y = keras_m2m.smote(np.rint(x * 255).astype("uint8"), y, seed)
    return pixels.astype("float32") / 255, y
