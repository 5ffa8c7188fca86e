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
from keras_m2m.checks import check_model
from keras_m2m.checks import check_names
from keras_m2m.checks import check_real
from keras_m2m.checks import check_same_length
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
    if not isinstance(drops, Mapping | None):
        raise ValueError(
            "`drops` must map epochs to factors of the rate, as {48: 0.1, 54: 0.1} "
            f"does, or be None. Received: drops={drops!r}"
        )
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
    bounds = check_bounds(bounds)
    labels = check_labels(y, num_classes)
    if not (is_stream(x) or is_sparse(x)):
        x = check_samples(x, bounds)
        check_same_length(x, labels)
    if num_classes is None:
        num_classes = int(labels.max(initial=0)) + 1
    check_whole(2, num_classes=num_classes)
    names = check_names(class_names=class_names)
    if names is not None and len(names) != num_classes:
        raise ValueError(
            f"`class_names` must be {num_classes} names, one for each class. "
            f"Received: class_names={class_names}"
        )
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


def validation(given: Any, data: TrainingSet) -> tuple[Any, Any] | None:
    """Samples and labels to validate on, checked before anything is trained.

    Args:
        given: `(x, y)`, or None.
        data: What is trained on.
    """
    if given is None:
        return None
    if not isinstance(given, list | tuple) or len(given) != 2:
        raise ValueError(
            "`validation_data` must be (x, y), samples and labels. "
            f"Received: validation_data of {type(given).__name__}"
        )
    x, y = given
    if is_sparse(x):
        raise ValueError(
            "Samples of `validation_data` must be dense: use x.toarray(). "
            f"Received: x of {type(x).__name__}"
        )
    try:
        if not is_stream(x):
            x = check_samples(x, integers=True)
            _check_shapes(x, data.x)
        y = check_labels(y, data.num_classes)
        check_same_length(x, y)
    except ValueError as error:
        raise ValueError(f"`validation_data` does not fit: {error}") from error
    return x, y


def _check_shapes(x, trained_on):
    own = getattr(trained_on, "shape", None)
    if own is not None and x.shape[1:] != own[1:]:
        raise ValueError(
            f"Samples must have the shape of those of training, {own[1:]}. "
            f"Received: {x.shape[1:]}"
        )


def checked_callbacks(callbacks: Any) -> list[keras.callbacks.Callback]:
    """Callbacks as a list, of one alone too."""
    found = callbacks if isinstance(callbacks, list | tuple) else [callbacks]
    for callback in found:
        if not isinstance(callback, keras.callbacks.Callback):
            raise ValueError(
                "`callbacks` must be keras.callbacks.Callback objects. "
                f"Received: {callback!r}"
            )
    return [*found]


def by_head(
    build: Callable[..., keras.Model], head: str, num_classes: int
) -> Callable[[str], keras.Model]:
    """`build` as a function of the head, whether it takes one or not.

    Args:
        build: As `train` takes it. One that can be called without arguments takes a
            head only if an argument is called so: its defaults are of other things.
        head: The one that the loss needs.
        num_classes: How many logits a network must have.
    """
    if not callable(build) or isinstance(build, keras.Model):
        raise ValueError(
            "`build` must be a function to an untrained network, such as a lambda. "
            f"Received: build={build!r}"
        )
    makes = _called_with_head(build)
    if makes is None and head != "dense":
        raise ValueError(
            f"This loss needs a {head} head: let `build` take the head, as in "
            "lambda head: keras_m2m.mlp(3, (20,), head=head). Received: a build "
            "without a head"
        )
    makes = makes or (lambda head: build())
    return lambda head: _of_logits(makes(head), num_classes)


def _called_with_head(build):
    """The function of the head that `build` is, or None if it takes none."""
    takes = inspect.signature(build).parameters
    needed = {name for name, parameter in takes.items() if _is_needed(parameter)}
    if "head" in takes and needed <= {"head"}:
        return lambda head: build(head=head)
    if len(needed) > 1:
        raise ValueError(
            "`build` must be called as build(head) or build(): fill in the rest, as in "
            "lambda head: keras_m2m.mlp(3, (20,), head=head). "
            f"Received: a build({', '.join(takes)})"
        )
    several = any(p.kind == p.VAR_POSITIONAL for p in takes.values())
    return build if needed or several else None


def _is_needed(parameter):
    several = parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD)
    return parameter.default is parameter.empty and not several


def _of_logits(network, num_classes):
    check_model(**{"build(...)": network})
    shape = getattr(network, "output_shape", None) if network.built else None
    fits = {num_classes, 1} if num_classes == 2 else {num_classes}
    if isinstance(shape, tuple) and shape[-1] not in fits:
        raise ValueError(
            f"`build` must return a network of {num_classes} logits: classes are "
            f"0 to {num_classes - 1}, by the labels or by `num_classes`. "
            f"Received: output_shape={shape}"
        )
    return network
