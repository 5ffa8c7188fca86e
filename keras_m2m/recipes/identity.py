"""What the numbers of a training follow from, as a name for its checkpoints."""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import keras
import numpy as np

from keras_m2m.recipes.recipe import Recipe
from keras_m2m.recipes.recipe import TrainingSet


def identity_of(
    f: keras.Model,
    data: TrainingSet,
    recipe: Recipe,
    validation_data: tuple[Any, Any] | None = None,
    g: keras.Model | None = None,
) -> str:
    """A digest of what a network follows from; of samples, where they are an array.

    Args:
        f: The network, whose weights do not count.
        data: What it is trained on.
        recipe: How.
        validation_data: `(x, y)`, which choose the epoch, or None.
        g: The frozen classifier, whose weights count, or None.
    """
    digest = hashlib.sha256(structure(f).encode())
    frozen = [] if g is None else g.get_weights()
    for part in (data.y, data.x, data.sample_weight, *(validation_data or ()), *frozen):
        if isinstance(part, np.ndarray):
            digest.update(np.ascontiguousarray(part).data)
    numbers = replace(recipe, steps_per_execution=1, optimizer=None)
    about = {
        **vars(numbers),
        **{what: getattr(recipe, what).label for what in ("method", "loss", "mix")},
        "optimizer": recipe.optimizer and recipe.optimizer.get_config(),
        "bounds": data.bounds,
        # Of many entries, `repr` leaves out those in the middle.
        "m2m": {
            name: value.tobytes() if isinstance(value, np.ndarray) else value
            for name, value in recipe.m2m.items()
        },
    }
    digest.update(repr(about).encode())
    return digest.hexdigest()


def structure(network: keras.Model) -> str:
    """The layers of a network and their settings, whatever the layers are called.

    Keras numbers the names of layers through a process, so that the same function
    gives other names when it is called again.

    Args:
        network: A network; one whose settings Keras cannot give is its class alone.

    Example:

    >>> dense = [keras.Sequential([keras.layers.Dense(2)]) for _ in "ab"]
    >>> structure(dense[0]) == structure(dense[1])
    True
    """
    try:
        config = network.get_config()
    except (NotImplementedError, TypeError, ValueError):  # Of a class of the user's.
        return type(network).__qualname__
    numbers = {
        name: number for number, name in enumerate(dict.fromkeys(_names(config)))
    }
    return json.dumps(_renamed(config, numbers), default=lambda x: type(x).__qualname__)


def _names(config: Any) -> Iterator[str]:
    if isinstance(config, dict):
        if isinstance(config.get("name"), str):
            yield config["name"]
        config = config.values()
    if not isinstance(config, str):
        for part in config if np.iterable(config) else ():
            yield from _names(part)


def _renamed(config: Any, numbers: dict[str, int]) -> Any:
    if isinstance(config, dict):
        return {str(key): _renamed(value, numbers) for key, value in config.items()}
    if isinstance(config, list | tuple):
        return [_renamed(value, numbers) for value in config]
    return numbers.get(config, config) if isinstance(config, str) else config
