"""`train`: a network for imbalanced classes, in one call."""

import os
import pathlib
from collections.abc import Callable
from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import keras
from numpy.typing import ArrayLike

from keras_m2m import heads
from keras_m2m.callbacks import ExactResume
from keras_m2m.checks import check_model
from keras_m2m.checks import check_positive
from keras_m2m.checks import check_whole
from keras_m2m.checks.scalars import LARGEST_WHOLE
from keras_m2m.recipes import arguments
from keras_m2m.recipes.after import batch_prior
from keras_m2m.recipes.after import made_after
from keras_m2m.recipes.afterwards import network_after
from keras_m2m.recipes.best_epoch import can_choose
from keras_m2m.recipes.identity import identity_of
from keras_m2m.recipes.losses import LOSSES
from keras_m2m.recipes.methods import METHODS
from keras_m2m.recipes.mixes import MIXES
from keras_m2m.recipes.mixes import UNMIXED
from keras_m2m.recipes.recipe import Recipe
from keras_m2m.recipes.train_network import Trained
from keras_m2m.recipes.train_network import train_network


def train(
    build: Callable[..., keras.Model],
    x: Any,
    y: ArrayLike,
    *,
    method: str = "m2m",
    loss: str = "ce",
    mix: str = UNMIXED,
    head: str = "trained",
    adjust: float | str = 0.0,
    sample_weight: ArrayLike | None = None,
    validation_data: tuple[Any, ArrayLike] | None = None,
    num_classes: int | None = None,
    class_names: Sequence[str] | None = None,
    epochs: int = 60,
    defer_epoch: int | None = None,
    batch_size: int = 64,
    learning_rate: float = 0.1,
    drops: Mapping[int, float] | None = None,
    optimizer: keras.optimizers.Optimizer | None = None,
    beta: float = 0.99,
    lam: float = 0.1,
    gamma: float = 0.9,
    steps: int = 10,
    step_size: float | str | None = None,
    noise: float | None = None,
    units: ArrayLike | str | None = "auto",
    bounds: tuple[float, float] | None = None,
    g: keras.Model | None = None,
    augment: Callable | None = None,
    smote: Callable | None = None,
    seed: int = 0,
    callbacks: Sequence[keras.callbacks.Callback] = (),
    folder: str | os.PathLike | None = None,
    restore_best: bool | None = None,
    jit_compile: bool | str = "auto",
    steps_per_execution: int = 1,
    verbose: int | str = "auto",
) -> Trained:
    """Train a network on imbalanced classes: by M2m, or by what it is compared with.

    For M2m that is: train g plainly, from the next seed; train f plainly up to
    `defer_epoch`; from then on by `M2mModel` on class-balanced batches, with the same
    optimizer, whose rate warms up, drops, and takes its momentum along. The same call
    gives the same numbers on a CPU. It sets the seeds of Python, NumPy and the backend,
    as `keras.utils.set_random_seed` does, so that new weights follow from `seed`.

    Args:
        build: Function to an untrained network that returns logits `(batch, K)`:
            `build(head)` or `build()`. `head` is `"dense"`, for `loss="ldam"`
            `"cosine"`, for `loss="bce"` `"logit"`, as the models here take it.
        x: Training samples, as `ResampledDataset` takes them: an array or frame
            `(n, ...)` of finite floats, a sparse matrix, or a stream.
        y: Labels, whole numbers `(n,)` in `0..K - 1`, each at least once.
        method: `"erm"`, `"rs"`, `"smote"`, `"rw"`, `"cb_rw"`, `"drs"`, `"drw"` or
            `"m2m"`; `docs/paper_map.md` says what they are.
        loss: `"ce"`, `"focal"`, `"ldam"`, `"bce"` (two classes), `"la"`, `"vs"` or
            `"las"`.
        mix: `"none"`, `"mixup"`, `"remix"` or `"cmo"`.
        head: The head of the result: `"trained"`, `"crt"`, `"lws"`, `"ncm"`,
            `"tau_norm"`, or `"tau_norm_auto"`, which needs validation data.
        adjust: τ of post-hoc logit adjustment by the prior of the last batches, in
            `[0, 10]`, 0 for none; `"auto"` for the best one on validation data.
        sample_weight: Weights of the samples in the loss, `(n,)`, or None.
        validation_data: `(x, y)` for metrics at the ends of epochs, or None.
        num_classes: K; None for one more than the largest label.
        class_names: One for each class, for warnings; None for numbers.
        epochs: Epochs in all, for g as for f.
        defer_epoch: First epoch of `drs`, `drw` and `m2m`; None for 80 % of `epochs`.
        batch_size: Samples a step.
        learning_rate: Of SGD with momentum 0.9, after a warm-up over 5 epochs.
        drops: From an epoch to the factor of the rate from then on; None for a tenth at
            80 and again at 90 % of `epochs`.
        optimizer: One to take instead, or None: copies of it train g and f, at its own
            rate or schedule.
        beta: As for `M2mModel`, like `lam`, `gamma`, `steps`, `step_size`, `noise` and
            `bounds`.
        lam: See `beta`.
        gamma: See `beta`.
        steps: See `beta`.
        step_size: See `beta`.
        noise: See `beta`.
        units: As for `M2mModel`. `"auto"` for `standard_units` of the samples, if there
            are no `bounds` and samples are no stream, and else for none.
        bounds: See `beta`; `(0, 1)` for images.
        g: A classifier trained on the same data, for M2m; None to train it first.
        augment: As for `ResampledDataset`.
        smote: Function from a seed to `(x, y)` with classes filled up, for
            `method="smote"` where x is made of something else, as of a table
            (`keras_m2m.tabular.smote_nc`); None for SMOTE of x.
        seed: Integer of at least 0 that all drawn numbers follow from.
        callbacks: Given to each `fit` of f.
        folder: Where checkpoints go: the same call goes on from them after a kill, and
            returns at once what is finished. None to save nothing.
        restore_best: Whether the result is that of the epoch with the best balanced
            accuracy on validation, for g too; None for yes where 10 samples of each
            class or more validate: fewer cannot tell which epoch is best.
        jit_compile: As for `keras.Model.compile`.
        steps_per_execution: As for `keras.Model.compile`, at most.
        verbose: As for `keras.Model.fit`.

    Returns:
        `Trained`, whose `f` is the `keras.Model` of logits.

    Raises:
        ValueError: If an argument is outside its range, data does not fit, or a
            combination makes no sense, as a loss that corrects for class frequencies
            on batches that are balanced.
        Diverged: If the loss is not finite any more.

    Example:

    >>> import keras_m2m
    >>> import numpy as np
    >>> x = np.random.default_rng(0).normal(size=(110, 4)).astype("float32")
    >>> y = np.repeat([0, 1], [100, 10])
    >>> def build(head):
    ...     return keras_m2m.mlp(2, input_shape=(4,), head=head)
    >>> trained = train(build, x, y, epochs=2, defer_epoch=1, gamma=0, verbose=0)
    >>> trained.f.output_shape, "acceptance_rate" in trained.history[-1]
    ((None, 2), True)

    Source: Kim et al., M2m (CVPR 2020), sections 2.3 and 3.1, for the schedule;
    `METHODS`, `LOSSES` and `MIXES` for the others.
    """
    after = made_after(head, adjust)
    names = arguments.named(method=method, loss=loss, mix=mix)
    of_m2m: dict[str, Any] = {"beta": beta, "lam": lam, "gamma": gamma, "steps": steps}
    of_m2m |= {"step_size": step_size, "noise": noise, "units": units}
    recipe = Recipe(
        **names,
        **arguments.schedule(epochs, defer_epoch, drops),
        batch_size=check_whole(batch_size=batch_size),
        learning_rate=check_positive(learning_rate=learning_rate),
        optimizer=arguments.checked_optimizer(optimizer),
        m2m=arguments.of_m2m(names["method"], x, bounds, of_m2m),
        seed=check_whole(0, LARGEST_WHOLE - 1, seed=seed),  # g has the next one.
        jit_compile=jit_compile,
        steps_per_execution=check_whole(steps_per_execution=steps_per_execution),
    )
    data = arguments.training_set(
        *(x, y, num_classes, class_names, sample_weight, bounds, augment, smote)
    )
    arguments.check_combination(recipe, after, data, validation_data is not None)
    validation_data = arguments.validation(validation_data, data)
    several = arguments.checked_callbacks(callbacks)
    build = arguments.by_head(build, recipe.loss.head, data.num_classes)
    options = {
        "fit": {"validation_data": validation_data, "verbose": verbose},
        "restore_best": _restores(restore_best, validation_data, data.num_classes),
    }
    if g is not None:
        check_model(g=g)
    elif recipe.method.teachers:
        keep = _keeper(folder, "g", data, of_g(recipe), validation_data)
        g = train_network(build, data, of_g(recipe), resume=keep, name="g", **options).f
    keep = _keeper(folder, "f", data, recipe, validation_data, g)
    options |= {"resume": keep, "callbacks": several, "name": "f"}
    trained = train_network(build, data, recipe, g, **options)
    return _followed(trained, after, data, recipe, validation_data)


def of_g(recipe: Recipe) -> Recipe:
    """The plain training that g of a training comes from: never of its own seed.

    Its batches are not mixed: g has to be sure of samples to accept them.
    """
    return replace(
        recipe,
        method=METHODS["erm"],
        loss=LOSSES[recipe.loss.of_g],
        mix=MIXES[UNMIXED],
        seed=recipe.seed + 1,
    )


def _restores(restore_best, validation_data, num_classes):
    if restore_best and validation_data is None:
        raise ValueError(
            "`restore_best` needs validation_data. Received: validation_data=None"
        )
    if restore_best is None and validation_data is not None:
        return can_choose(validation_data[1], num_classes)
    return bool(restore_best)


def _keeper(folder, part, *about):
    """What makes the `ExactResume` of a network, by what its numbers follow from."""
    if folder is None:
        return None
    where = pathlib.Path(folder) / part
    try:
        where.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ValueError(
            "`folder` must be a folder that is there or can be made: "
            f"{error.strerror}. Received: folder={str(folder)!r}"
        ) from error
    return lambda f, best, watch: ExactResume(
        *(where, f, best, watch, identity_of(f, *about)), least_seconds=5.0
    )


def _followed(trained, after, data, recipe, validation_data):
    """A training whose network has had done to it what comes after training."""
    if not after:
        return trained
    f = trained.f
    parts = {"train": (data.x, data.y), "validation": validation_data}
    f, about = network_after(
        f,
        after,
        features=lambda part: heads.features(f, parts[part][0]),
        labels={name: part[1] for name, part in parts.items() if part},
        prior=batch_prior(recipe.method, data.class_counts),
        training={
            "batch_size": recipe.batch_size,
            "learning_rate": recipe.learning_rate,
            "seed": recipe.seed,
        },
    )
    return replace(trained, f=f, after=about)
