"""What is done with a trained network: another head, or its logits adjusted."""

import functools
from collections.abc import Callable
from collections.abc import Mapping
from typing import Any

import keras
import numpy as np

from keras_m2m import heads
from keras_m2m.recipes.after import AUTO
from keras_m2m.recipes.after import NO_TAU
from keras_m2m.recipes.after import After


def network_after(
    f: keras.Model,
    after: After,
    features: Callable[[str], heads.Features],
    labels: Mapping[str, np.ndarray],
    prior: np.ndarray,
    training: Mapping[str, Any],
) -> tuple[keras.Model, dict]:
    """What `after` makes of a trained network, without training it again.

    Args:
        f: The trained network, which stays as it is.
        after: What is to be done.
        features: Function from `"train"` or `"validation"` to the features of f.
        labels: The labels of each.
        prior: That of the batches that f was trained on last.
        training: Arguments of `heads.retrained_head` for a head that is trained.

    Returns:
        The new network, and what there is to know of it, ready for JSON.
    """
    if after.adjust != NO_TAU:
        make = functools.partial(_adjusted, prior)
        return _with_tau(f, make, after.adjust, features, labels)
    if after.head == "tau_norm":
        return _with_tau(f, heads.tau_normalised, "1", features, labels)
    if after.head == "tau_norm_auto":
        return _with_tau(f, heads.tau_normalised, AUTO, features, labels)
    samples = features("train"), labels["train"]
    if after.head == "ncm":
        return heads.nearest_class_mean(f, *samples), {}
    make = {"crt": heads.retrained_head, "lws": heads.scaled_head}[after.head]
    return make(f, *samples, **training), dict(training)


def _adjusted(prior, f, tau):
    return heads.adjust_logits(f, prior, tau)


def _with_tau(f, make, tau, features, labels):
    """A network of a given strength, or of that which is best on validation."""
    if tau != AUTO:
        return make(f, float(tau)), {"tau": float(tau)}
    choice = heads.choose_tau(make, f, features("validation"), labels["validation"])
    about = {"taus": choice.taus, "val_balanced_accuracy": choice.scores}
    return make(f, choice.tau), {"tau": choice.tau, **about}
