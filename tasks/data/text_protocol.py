"""What the paper's two text datasets share: classes, network, schedule."""

from collections import Counter
from collections.abc import Sequence

import keras
import numpy as np

import keras_m2m
from tasks.experiment.errors import UserError
from tasks.experiment.settings import Settings
from tasks.experiment.task import Data
from tasks.experiment.task import Flag
from tasks.experiment.task import Preset

DEFAULTS = {
    "epochs": 15,
    "defer_epoch": 10,
    "drops": ["10:0.1"],
    "batch_size": 64,
    "weight_decay": 5e-5,
}
PRESETS = {"paper": Preset({"beta": 0.9, "lam": 0.5, "gamma": 0.9}, "ours", when={})}
VERIFY = Flag("boolean", "verify", True, "require the published files, by checksum")


def tested_classes(
    train: Sequence[str], test: Sequence[str], least: int, kind: str
) -> list[str]:
    """Sorted names of the classes that have enough test samples.

    Args:
        train: The class of each training sample.
        test: The class of each test sample.
        least: Test samples that a class must have.
        kind: What a sample is, for the message.

    Returns:
        At least two names, each of a class that has training samples.

    Raises:
        UserError: If there are fewer, or one has no training sample.
    """
    counts = Counter(test)
    class_names = sorted(name for name in counts if counts[name] >= least)
    missing = sorted(set(class_names) - set(train))
    if missing or len(class_names) < 2:
        raise UserError(
            f"At least two classes are needed that have {least} or more test {kind}, "
            f"and training {kind} of each. Found {len(class_names)}; without training "
            f"{kind}: {missing or 'none'}"
        )
    return class_names


def of_classes(
    samples: Sequence[tuple[str, str]], class_names: list[str]
) -> tuple[list[str], np.ndarray]:
    """The samples of some classes, in their order.

    Args:
        samples: Pairs `(text, class)`.
        class_names: The classes to keep.

    Returns:
        Their texts, and their labels, int64 `(n,)`.
    """
    index = {name: k for k, name in enumerate(class_names)}
    kept = [(text, index[name]) for text, name in samples if name in index]
    return [text for text, _ in kept], np.array([k for _, k in kept], "int64")


def build(data: Data, head: str, settings: Settings) -> keras.Model:
    """The paper's two-layer network; its inputs are not normalised."""
    return keras_m2m.mlp(
        len(data.class_names),
        data.train[0].shape[1:],
        head=head,
        weight_decay=settings.weight_decay,
    )
