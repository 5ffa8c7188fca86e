"""What a training consists of: its phases, and for each a model and batches."""

from typing import NamedTuple

import keras
import numpy as np

import keras_m2m
from keras_m2m.sampling import is_stream
from tasks.experiment.errors import UserError
from tasks.experiment.recipes import LOSSES
from tasks.experiment.recipes import METHODS
from tasks.experiment.recipes import Method
from tasks.experiment.recipes import method_of
from tasks.experiment.settings import Settings
from tasks.experiment.task import Data
from tasks.experiment.task import Task
from tasks.training import devices


class Phase(NamedTuple):
    """Epochs `first` to `last - 1`, trained by one method."""

    method: Method
    first: int
    last: int


def phases(settings: Settings) -> list[Phase]:
    """The phases of `settings.method`: a deferred one comes after plain training."""
    method = method_of(settings.method)
    start = settings.defer_epoch if method.deferred else 0
    both = [Phase(METHODS["erm"], 0, start), Phase(method, start, settings.epochs)]
    return [phase for phase in both if phase.first < phase.last]


def new_network(task: Task, data: Data, settings: Settings) -> keras.Model:
    """The untrained network, compiled for plain training."""
    f = devices.prepared(task.build(data, LOSSES[settings.loss].head, settings))
    return _compiled(f, keras.optimizers.SGD(momentum=0.9), data, settings)


def model_of(
    phase: Phase,
    f: keras.Model,
    g: keras.Model | None,
    data: Data,
    settings: Settings,
) -> keras.Model:
    """What `fit` is called on: `f`, or an `M2mModel` with the optimizer of `f`.

    Args:
        phase: Values that its method fixes win over those of `settings`.
        f: The network to train.
        g: The frozen classifier: one made of `phase.method.teachers` networks, by
            `ablations.teacher`; None for none.
        data: What to train on.
        settings: The method and its seed.
    """
    if not phase.method.translate:
        return f
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
    )
    return _compiled(model, f.optimizer, data, settings)


def _compiled(model, optimizer, data, settings):
    num_classes = len(data.class_names)
    loss = LOSSES[settings.loss]
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
    x, y = data.train
    batches = keras_m2m.ResampledDataset(
        *(_with_smote(data, settings.seed) if phase.method.smote else (x, y)),
        batch_size=settings.batch_size,
        sampling=phase.method.sampling,
        first_epoch=phase.first,
        epochs=phase.last,
        seed=settings.seed,
        augment=data.augment,
        samples_per_epoch=len(x),
    )
    if phase.method.weights is None:
        return batches.fit_arguments
    weights = phase.method.weights(data.class_counts).tolist()
    return {**batches.fit_arguments, "class_weight": dict(enumerate(weights))}


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
