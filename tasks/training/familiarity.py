"""How like those of the training set samples look to a network.

The features of some training samples are kept beside the network. A new sample whose
features point elsewhere than all of theirs is unlike the training set; how far that may
be is what held-out samples show.

Source: Sun et al., Out-of-distribution detection with deep nearest neighbors (ICML
2022). The energy (Liu et al., NeurIPS 2020) needs no features, and was tried on digits:
it takes noise and inverted images for more familiar than the test set.
"""

import functools
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import keras
import numpy as np

from keras_m2m import heads
from tasks.data import whole_files
from tasks.experiment.task import Data
from tasks.training import devices

FILE = "training_features.npz"
_MOST = 2000  # Training samples, equally many of each class as far as there are.
_SHARE = 0.01  # Of samples like those of the training set that are taken for others.


class Familiar(NamedTuple):
    """Features of training samples, and how far from all of them others may be.

    Attributes:
        directions: float16 `(m, dim)`, each of length 1.
        limit: The distance, 1 less the cosine to the nearest, that 99 of 100 held-out
            samples have at most.
    """

    directions: np.ndarray
    limit: float


def familiar(f: keras.Model, data: Data) -> Familiar | None:
    """What is familiar to a network.

    Args:
        f: The network.
        data: What it was trained on. Without a validation set the test set says how
            far samples may be.

    Returns:
        None of a network whose head is not as `keras_m2m.heads` needs it.
    """
    try:
        network = heads.feature_network(f)
    except ValueError:
        return None
    return of_features(functools.partial(devices.predict, network), data)


def of_features(features: Callable, data: Data) -> Familiar:
    """What is familiar by features.

    Args:
        features: Function from samples to them, `(n, dim)`.
        data: As for `familiar`.
    """
    samples, labels = data.train
    rows = _of_each_class(labels, len(data.class_names))
    directions = _directions(features(samples[rows])).astype("float16")
    held_out, _ = data.validation or data.test
    found = distances(directions, features(held_out))
    return Familiar(directions, np.quantile(found, 1 - _SHARE, method="higher").item())


def distances(directions: np.ndarray, features: np.ndarray) -> np.ndarray:
    """1 less the cosine to the nearest of some directions.

    Args:
        directions: `(m, dim)`, of length 1.
        features: `(n, dim)`.

    Returns:
        float32 `(n,)`, from 0 to 2.

    Example:

    >>> distances(np.eye(2), np.array([[3.0, 0.0], [-1.0, 0.0]])).tolist()
    [0.0, 1.0]
    """
    cosines = _directions(features) @ directions.astype("float32").T
    return 1 - cosines.max(axis=1)


def save(known: Familiar | None, folder: Path) -> None:
    """Write it beside a network; None writes nothing."""
    if known is None:
        return
    with whole_files.aside(folder / FILE) as part:
        np.savez(part, **known._asdict())


def load(folder: Path) -> Familiar | None:
    """What `save` wrote; None where nothing is, or it is damaged."""
    try:
        with np.load(folder / FILE, allow_pickle=False) as archive:
            return Familiar(archive["directions"], archive["limit"].item())
    except Exception:  # NumPy and zipfile raise many kinds.
        return None


def _of_each_class(labels, num_classes):
    """Rows of equally many samples of each class, drawn by seed 0."""
    rng = np.random.default_rng(0)
    most = max(1, _MOST // num_classes)
    rows = [np.flatnonzero(labels == k) for k in range(num_classes)]
    return np.sort(np.concatenate([rng.permutation(own)[:most] for own in rows]))


def _directions(features):
    features = np.asarray(features, "float32")
    lengths = np.linalg.norm(features, axis=1, keepdims=True)
    return features / np.maximum(lengths, np.finfo("float32").tiny)
