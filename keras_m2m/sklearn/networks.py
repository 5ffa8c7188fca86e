"""The network of an estimator: one by the shape of samples, or the user's."""

import inspect
from collections.abc import Callable
from typing import Any

import keras

from keras_m2m.checks import check_model
from keras_m2m.checks import check_whole
from keras_m2m.models import cifar_resnet
from keras_m2m.models import mlp
from keras_m2m.sklearn.samples import is_images
from keras_m2m.units import moments

_DEPTH = 20  # Of the ResNet for images.


def default_build(
    X: Any, hidden: int, weight_decay: float, normalise: bool
) -> Callable[..., keras.Model]:
    """What builds networks for such samples.

    Args:
        X: Training samples, an array `(n, ...)` or a sparse matrix.
        hidden: Units of the hidden layer, where samples are no images.
        weight_decay: As for `mlp`.
        normalise: Whether networks normalise samples, by their moments here.

    Returns:
        Function `(num_classes, input_shape, head)`.
    """
    options: dict[str, Any] = {"weight_decay": weight_decay}
    if normalise:
        options["mean"], options["variance"] = moments(X)
    check_whole(hidden=hidden)

    def build(num_classes: int, input_shape: tuple, head: str) -> keras.Model:
        if is_images(X):
            return cifar_resnet(_DEPTH, num_classes, input_shape, head=head, **options)
        return mlp(num_classes, input_shape, hidden=hidden, head=head, **options)

    return build


def by_head(
    build: Callable[..., keras.Model],
    num_classes: int,
    input_shape: tuple,
    X: Any = None,
) -> Callable[[str], keras.Model]:
    """`build` as a function of the head alone.

    Args:
        build: What builds networks.
        num_classes: Number of classes.
        input_shape: Shape of a sample.
        X: Training samples, of which a `build` that leaves `mean` and `variance` open,
            as the networks of `keras_m2m` do, gets the moments; None for no moments.

    Raises:
        ValueError: If it does not take `(num_classes, input_shape, head)`; from the
            function, if it returns no model.
    """
    try:
        signature = inspect.signature(build)
        signature.bind(num_classes, input_shape, head="dense")
    except TypeError as error:
        raise ValueError(
            "`build` must be a function to an untrained network of logits, called as "
            f"build(num_classes, input_shape, head=head): {error}. "
            f"Received: build={build!r}"
        ) from error

    statistics = {}
    if X is not None and _leaves_open(signature, "mean", "variance"):
        statistics = dict(zip(("mean", "variance"), moments(X), strict=True))

    def checked(head: str) -> keras.Model:
        made = build(num_classes, input_shape, head=head, **statistics)
        return check_model(**{"build(...)": made})

    return checked


def _leaves_open(signature, *names):
    return all(
        name in signature.parameters and signature.parameters[name].default is None
        for name in names
    )
