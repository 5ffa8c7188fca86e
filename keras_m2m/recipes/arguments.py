"""What `train` makes of its arguments, with errors for people."""

import inspect
from collections.abc import Callable
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any

import keras
from numpy.typing import ArrayLike

from keras_m2m.checks import check_bounds
from keras_m2m.checks import check_labels
from keras_m2m.checks import check_names
from keras_m2m.checks import check_real
from keras_m2m.checks import check_samples
from keras_m2m.checks import check_weights
from keras_m2m.checks import check_whole
from keras_m2m.checks import is_sparse
from keras_m2m.imbalance import acceptance_probability
from keras_m2m.m2m_model.settings import check_lengths
from keras_m2m.m2m_model.settings import check_units
from keras_m2m.recipes.after import After
from keras_m2m.recipes.after import after_refusal
from keras_m2m.recipes.losses import LOSSES
from keras_m2m.recipes.losses import loss_refusal
from keras_m2m.recipes.methods import METHODS
from keras_m2m.recipes.methods import Method
from keras_m2m.recipes.mixes import MIXES
from keras_m2m.recipes.recipe import Recipe
from keras_m2m.recipes.recipe import TrainingSet
from keras_m2m.sampling import is_stream
from keras_m2m.units import standard_units


def named(**names: str) -> dict[str, Any]:
    """What the names of a method, a loss and a mix stand for."""
    tables: dict[str, Any] = {"method": METHODS, "loss": LOSSES, "mix": MIXES}
    for what, name in names.items():
        if not isinstance(name, str) or name not in tables[what]:
            known = ", ".join(tables[what])
            raise ValueError(
                f"`{what}` must be one of {known}. Received: {what}={name!r}"
            )
    return {what: tables[what][name] for what, name in names.items()}


def schedule(
    epochs: int, defer_epoch: int | None, drops: Mapping[int, float] | None
) -> dict[str, Any]:
    """Epochs, where the deferred ones begin, and drops of the rate."""
    check_whole(epochs=epochs)
    start = defer_epoch
    if start is None:
        start = min(epochs - 1, round(0.8 * epochs))  # Of 2, the second.
    if drops is None:
        drops = {round(0.8 * epochs): 0.1, round(0.9 * epochs): 0.1}
    return {
        "epochs": epochs,
        "defer_epoch": check_whole(0, epochs - 1, defer_epoch=start),
        "drops": dict(drops),
    }


def checked_optimizer(optimizer: Any) -> keras.optimizers.Optimizer | None:
    """An optimizer, if it is one of Keras, or None."""
    if optimizer is None or isinstance(optimizer, keras.optimizers.Optimizer):
        return optimizer
    raise ValueError(
        "`optimizer` must be a keras.optimizers.Optimizer, or None for SGD. "
        f"Received: optimizer={optimizer!r}"
    )


def training_set(
    x: Any,
    y: ArrayLike,
    num_classes: int | None,
    class_names: Sequence[str] | None,
    sample_weight: ArrayLike | None,
    bounds: tuple[float, float] | None,
    augment: Callable | None,
    smote: Callable | None,
) -> TrainingSet:
    """Samples and labels, checked before anything is trained."""
    labels = check_labels(y, num_classes)
    if num_classes is None:
        num_classes = int(labels.max(initial=0)) + 1
    check_whole(2, num_classes=num_classes)
    names = check_names(class_names=class_names)
    if names is not None and len(names) != num_classes:
        raise ValueError(
            f"`class_names` must be {num_classes} names, one for each class. "
            f"Received: class_names={class_names}"
        )
    bounds = check_bounds(bounds)
    if not (is_stream(x) or is_sparse(x)):
        x = check_samples(x, bounds)
    return TrainingSet(
        *(x, labels, num_classes),
        sample_weight=check_weights(sample_weight, labels),
        class_names=names,
        bounds=bounds,
        augment=augment,
        smote=smote,
    )


def of_m2m(
    method: Method, x: Any, bounds: tuple[float, float] | None, given: dict[str, Any]
) -> dict[str, Any]:
    """Arguments of `M2mModel`, checked before g is trained for it.

    Args:
        method: Without a translation there are none.
        x: Samples, which units follow from where they are `"auto"`.
        bounds: Their limits, or None.
        given: The arguments, as `train` takes them.
    """
    if not method.translate:
        return {}
    acceptance_probability([2, 1], given["beta"])
    check_real(0, lam=given["lam"])
    check_real(0, 1, gamma=given["gamma"])
    check_whole(steps=given["steps"])
    check_lengths(check_bounds(bounds), given["step_size"], given["noise"])
    units = given["units"]
    if isinstance(units, str):
        if units != "auto":
            raise ValueError(
                f'`units` must be numbers, "auto" or None. Received: units={units!r}'
            )
        units = None if bounds or is_stream(x) else standard_units(x)
    return {**given, "units": check_units(units, None)}


def check_combination(
    recipe: Recipe, after: After, data: TrainingSet, validated: bool
) -> None:
    """Raise if parts of a recipe do not go together, or not with the data."""
    parts = recipe.method, recipe.loss, recipe.mix
    why = loss_refusal(*parts) or after_refusal(*parts, after)
    if recipe.loss.head == "logit" and data.num_classes != 2:
        why = (
            f"{recipe.loss.label} is for two classes, and there are {data.num_classes}"
        )
    if after.needs_validation and not validated:
        why = f"{after.label} needs validation_data"
    if why:
        raise ValueError(f"This does not go together: {why}")


def by_head(
    build: Callable[..., keras.Model], head: str
) -> Callable[[str], keras.Model]:
    """`build` as a function of the head, whether it takes one or not."""
    if not callable(build) or isinstance(build, keras.Model):
        raise ValueError(
            "`build` must be a function to an untrained network, such as a lambda. "
            f"Received: build={build!r}"
        )
    try:
        inspect.signature(build).bind(head)
    except TypeError:
        if head != "dense":
            raise ValueError(
                f"This loss needs a {head} head: let `build` take the head, as in "
                "lambda head: keras_m2m.mlp(3, (20,), head=head). Received: a build "
                "without arguments"
            ) from None
        return lambda head: build()
    return build
