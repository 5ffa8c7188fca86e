"""A classifier that learns enough in a few steps, and two classes that are apart."""

import numpy as np

from keras_m2m.sklearn import M2mClassifier

# As tests of M2m with few steps have it: nothing to act on.
HARDLY_ACCEPTED = "ignore:.*(g accepted|nothing was translated)"


def tiny(method="erm", **parameters):
    """Trained in two epochs, at a rate that few steps need."""
    few = {"epochs": 2, "hidden": 16, "steps": 2, "learning_rate": 1.0}
    return M2mClassifier(method, **{**few, "random_state": 0, **parameters})


def two_classes(rare=20):
    """60 samples of `"legal"`, and fewer of `"fraud"`, six deviations away."""
    y = np.repeat(["legal", "fraud"], [60, rare])
    noise = np.random.default_rng(0).normal(size=(len(y), 4))
    return noise + 3 * (y == "fraud")[:, None], y
