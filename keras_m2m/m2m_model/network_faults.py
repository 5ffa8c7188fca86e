"""What is wrong with a network, as its trial shows it."""

import keras
import numpy as np

from keras_m2m.m2m_model.network_trial import Outcome
from keras_m2m.m2m_model.network_trial import Trial

# Where all samples have the same outputs, as in a deep network without trained
# weights, or one of zeros, there is nothing to see yet.
_TOO_ALIKE = 1e-3


def fault(name: str, trial: Trial, outcome: Outcome) -> str | None:
    """What keeps M2m from working with a network.

    Args:
        name: `"f"` or `"g"`.
        trial: The trial of the network.
        outcome: Its first, of one array `(batch, num_logits)`.

    Returns:
        The message of an error, or None.

    Example:

    >>> import keras_m2m
    >>> trial = Trial(keras_m2m.mlp(3, (4,)), shape=(8, 4), bounds=(0, 1))
    >>> fault("f", trial, trial.at_the_ends())
    """
    outcomes = [outcome]
    if _of_values(name, trial.network, outcomes):
        # It may be the samples' fault: others must show it too.
        outcomes.append(trial.between())
    message = _of_values(name, trial.network, outcomes)
    return message or _of_range(name, trial, outcome.outputs)


def _of_values(name, network, outcomes):
    finite = [one for one in outcomes if np.isfinite(one.outputs).all()]
    if not finite:
        return (
            f"`{name}` must return finite logits, and returns NaN or infinity for "
            f"samples within the bounds. {_not_finite(network)}"
        )
    if all(_sums_to_one(one.outputs) for one in finite):
        return _probabilities(name, "not negative, and the sum of each row is 1")
    if _without_gradient(finite):
        return (
            f"`{name}` must depend smoothly on its input, since samples move along its "
            "gradient. It has none: the samples are rounded, cast to integers, or "
            "looked up as ids. Translate what comes after that, such as embeddings. "
            f"Received: {name}={network.name!r}"
        )
    return None


def _sums_to_one(outputs):
    return bool((outputs >= 0).all()) and np.allclose(outputs.sum(1), 1, atol=1e-2)


def _without_gradient(outcomes):
    if all(one.gradient is None for one in outcomes):
        return True
    # Nor has a network whose head is all zeros, but its outputs are all the same.
    flat = all(one.gradient is None or not one.gradient.any() for one in outcomes)
    return flat and any(np.ptp(one.outputs, axis=0).any() for one in outcomes)


def _of_range(name, trial, outputs):
    if np.ptp(outputs, axis=0).max() < _TOO_ALIKE:
        return None

    def stays_within(low, high):
        inside = outputs.min() >= low and outputs.max() <= high
        return inside and trial.stays_within(low, high, outputs)

    if stays_within(0, 1):
        return _probabilities(name, "in [0, 1] whatever its weights")
    if name == "g" and stays_within(-1, 1):
        return (
            "`g` must not end in a CosineDense of scale 1 or a tanh: the softmax of "
            "values in [-1, 1] never gets confident, so no translation would be "
            "accepted. Train g with an ordinary Dense head, or give its CosineDense a "
            f"scale such as 30. Received: g={trial.network.name!r}"
        )
    return None


def _probabilities(name, values):
    return (
        f"`{name}` must return logits, but something at its end squashes them, such as "
        "a softmax or sigmoid; remove the activation, and use from_logits=True in the "
        f"loss. Received: outputs of {name} that are {values}"
    )


def _not_finite(network):
    """Which weights are at fault."""
    spoilt = [
        variable.path
        for variable in network.weights
        if not np.isfinite(keras.ops.convert_to_numpy(variable)).all()
    ]
    if not spoilt:
        return "Received: finite weights; look at its layers"
    return (
        "Its training went astray: scale the samples, or lower the learning rate. "
        f"Received: NaN or infinity in {len(spoilt)} weights, first {spoilt[0]!r}"
    )
