"""What a training consists of: its phases, and for each a model and batches."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any
from typing import NamedTuple

import keras
import numpy as np

from keras_m2m.draws import spread_seed
from keras_m2m.losses import FocalLoss
from keras_m2m.m2m_model.replicas import own_part
from keras_m2m.metrics import BalancedAccuracy
from keras_m2m.mixing import MixingModel
from keras_m2m.recipes.losses import loss_of
from keras_m2m.recipes.methods import METHODS
from keras_m2m.recipes.methods import Method
from keras_m2m.recipes.recipe import Recipe
from keras_m2m.recipes.recipe import TrainingSet
from keras_m2m.sampling import PairedDataset
from keras_m2m.sampling import ResampledDataset
from keras_m2m.sampling import is_stream
from keras_m2m.sampling import smote


class Phase(NamedTuple):
    """Epochs `first` to `last - 1`, trained by one method, on mixed batches or not."""

    method: Method
    first: int
    last: int
    mixes: bool = False


def phases(recipe: Recipe) -> list[Phase]:
    """The phases of a recipe: a deferred method comes after plain training."""
    start = recipe.defer_epoch if recipe.method.deferred else 0
    plain = Phase(METHODS["erm"], 0, start)
    both = [plain, Phase(recipe.method, start, recipe.epochs)]
    return [part for phase in both for part in _parts(phase, recipe)]


def _parts(phase, recipe):
    """A phase, or its epochs before those on mixed batches, these, and those after."""
    if not recipe.mix.mixes:
        return [phase] if phase.first < phase.last else []
    ends = recipe.mix_from, recipe.mix_until or phase.last
    start, end = (min(max(epoch, phase.first), phase.last) for epoch in ends)
    parts = [
        phase._replace(last=start),
        phase._replace(first=start, last=end, mixes=True),
        phase._replace(first=max(start, end)),
    ]
    return [part for part in parts if part.first < part.last]


def new_network(
    build: Callable[[str], keras.Model], data: TrainingSet, recipe: Recipe
) -> keras.Model:
    """The untrained network, compiled for plain training.

    Args:
        build: Function from the head that a loss needs to a network.
        data: What to train on.
        recipe: Its loss.
    """
    f = build(recipe.loss.head)
    return _compiled(f, _new_optimizer(recipe.optimizer), recipe.loss, data, recipe)


def _new_optimizer(like):
    if like is None:
        return keras.optimizers.SGD(momentum=0.9)
    return type(like).from_config(like.get_config())


def mixing_model(
    f: keras.Model, data: TrainingSet, recipe: Recipe
) -> MixingModel | None:
    """What plain epochs on mixed batches fit, all of a training's; None for none.

    One for all, so that what it draws goes on from one phase to the next.
    """
    mixing = recipe.mix.make(data.class_counts)
    return mixing and MixingModel(f, mixing, recipe.seed)


def model_of(
    phase: Phase,
    f: keras.Model,
    g: keras.Model | None,
    data: TrainingSet,
    recipe: Recipe,
    mixing: MixingModel | None = None,
) -> keras.Model:
    """What `fit` is called on: `f`, or a model around it with the optimizer of `f`.

    Args:
        phase: Values that its method fixes win over those of the recipe.
        f: The network to train.
        g: The frozen classifier, or None for none.
        data: What to train on.
        recipe: The method and its seed.
        mixing: What `mixing_model` made for an earlier phase, or None.
    """
    loss = loss_of(phase.method, recipe.loss)
    if phase.method.model is None:
        if not phase.mixes and loss is recipe.loss:
            return f  # As it was compiled.
        mixing = mixing or mixing_model(f, data, recipe)
        model = mixing if phase.mixes else f
        return _compiled(model, f.optimizer, loss, data, recipe)
    model = phase.method.model(
        f,
        g,
        data,
        **{**recipe.m2m, **phase.method.flags},
        bounds=data.bounds,
        seed=recipe.seed,
        mixing=_mixing_of_m2m(data, recipe) if phase.mixes else None,
    )
    return _compiled(model, f.optimizer, loss, data, recipe)


def _mixing_of_m2m(data, recipe):
    return (recipe.mix.balanced or recipe.mix.make)(data.class_counts)


def _compiled(model, optimizer, loss, data, recipe):
    balanced = BalancedAccuracy(data.num_classes)
    metrics = [balanced, *_cross_entropies(loss.head)]
    made = loss.make(data.class_counts)
    jit_compile = recipe.jit_compile
    model.compile(optimizer, made, metrics=metrics, jit_compile=jit_compile)
    return model


def _cross_entropies(head):
    """The cross entropy of logits, which the loss and its weight decay do not show."""
    if head == "dense":
        kind = keras.metrics.SparseCategoricalCrossentropy
        return [kind(from_logits=True, name="cross_entropy")]
    if head == "logit":
        # Keras' own takes labels of two axes only, and these batches have one.
        losses = FocalLoss(gamma=0, reduction=None)
        return [keras.metrics.MeanMetricWrapper(losses, name="cross_entropy")]
    return []  # Cosines have no cross entropy.


def fit_arguments(phase: Phase, data: TrainingSet, recipe: Recipe) -> dict[str, Any]:
    """The batches of a phase and their weights, as `fit` takes them.

    Raises:
        ValueError: If SMOTE is asked for and samples are a stream or have weights.
    """
    batches = _batches(phase, data, recipe, phase.method.sampling, recipe.seed)
    if phase.mixes and recipe.mix.paired and not phase.method.translate:
        seed = spread_seed(recipe.seed, stream=4)
        others = _batches(phase, data, recipe, "class", seed)
        batches = PairedDataset(batches, others)
    weights = phase.method.weights
    if weights is None or data.sample_weight is not None:
        return batches.fit_arguments
    by_class = weights(data.class_counts).tolist()
    return {**batches.fit_arguments, "class_weight": dict(enumerate(by_class))}


def _batches(phase, data, recipe, sampling, seed):
    drawn = _with_smote(data, recipe.seed) if phase.method.smote else data
    return ResampledDataset(
        *(drawn.x, drawn.y),
        batch_size=recipe.batch_size,
        sampling=sampling,
        first_epoch=phase.first,
        epochs=phase.last,
        seed=seed,
        augment=data.augment,
        samples_per_epoch=len(data.y),
        shard=own_part(),
        sample_weight=_sample_weight(phase.method, drawn),
    )


def _sample_weight(method, data):
    """Weights of samples, times those of their classes, which Keras takes one of."""
    if data.sample_weight is None or method.weights is None:
        return data.sample_weight
    return data.sample_weight * method.weights(data.class_counts)[data.y]


def steps_per_execution(data: TrainingSet, recipe: Recipe) -> int:
    """The most steps, up to those of the recipe, that divide those of an epoch."""
    steps = -(-len(data.y) // recipe.batch_size)
    most = min(recipe.steps_per_execution, steps)
    return max(n for n in range(1, most + 1) if steps % n == 0)


def _with_smote(data, seed):
    if is_stream(data.x):
        raise ValueError("SMOTE needs all samples in memory. Received: a stream")
    if data.sample_weight is not None:
        raise ValueError(
            "SMOTE makes samples, which have no weight: leave `sample_weight` out"
        )
    if not data.are_images:
        x, y = data.smote(seed) if data.smote else smote(data.x, data.y, seed)
        return replace(data, x=x, y=y)
    # In pixels, so that new images are rounded like the given ones.
    pixels, y = smote(np.rint(data.x * 255).astype("uint8"), data.y, seed)
    return replace(data, x=pixels.astype("float32") / 255, y=y)
