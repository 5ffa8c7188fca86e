"""What is done with a trained network: another head, or its logits adjusted."""

import functools
from collections.abc import Callable

import keras

from keras_m2m import heads
from keras_m2m.sampling import is_stream
from tasks.data.streams import Augmented
from tasks.experiment.after import AUTO
from tasks.experiment.after import NO_TAU
from tasks.experiment.after import batch_prior
from tasks.experiment.settings import Settings
from tasks.experiment.task import Data
from tasks.training import devices

_EPOCHS = 10  # Of a new head, as Kang et al. train it on ImageNet-LT.


def network_after(
    f: keras.Model, data: Data, settings: Settings, kept: dict
) -> tuple[keras.Model, dict]:
    """What `settings.after` makes of a trained network, without training it again.

    A new head is trained with the batch size, rate and weight decay of the network.

    Args:
        f: The trained network, which stays as it is.
        data: What it was trained on. Training samples are taken without augmentation;
            of a stream, one augmented sample each.
        settings: What it was trained by, and what is to be done.
        kept: Features of `f` by the part of the data, to which new ones are added.

    Returns:
        The new network, and what there is to know of it, ready for JSON.
    """
    features = functools.partial(_features, f, data, settings.seed, kept)
    after = settings.after
    if after.adjust != NO_TAU:
        prior = batch_prior(settings.method, data.class_counts)
        make = functools.partial(_adjusted, prior)
        return _with_tau(f, make, after.adjust, data, features)
    if after.head == "tau_norm":
        return _with_tau(f, heads.tau_normalised, "1", data, features)
    if after.head == "tau_norm_auto":
        return _with_tau(f, heads.tau_normalised, AUTO, data, features)
    labels = data.train[1]
    if after.head == "ncm":
        return heads.nearest_class_mean(f, features("train"), labels), {}
    make = {"crt": heads.retrained_head, "lws": heads.scaled_head}[after.head]
    about = {
        "epochs": _EPOCHS,
        "batch_size": settings.batch_size,
        "learning_rate": settings.learning_rate,
        "weight_decay": settings.weight_decay,
        "seed": settings.seed,
    }
    return make(f, features("train"), labels, **about), about


def _adjusted(prior, f, tau):
    return heads.adjust_logits(f, prior, tau)


def _with_tau(f, make: Callable, tau: str, data: Data, features: Callable):
    """A network of a given strength, or of that which is best on validation."""
    if tau != AUTO:
        return make(f, float(tau)), {"tau": float(tau)}
    choice = heads.choose_tau(make, f, features("validation"), data.validation[1])
    about = {"taus": choice.taus, "val_balanced_accuracy": choice.scores}
    return make(f, choice.tau), {"tau": choice.tau, **about}


def _features(f, data, seed, kept, part):
    if part not in kept:
        samples = getattr(data, part)[0]
        if part == "train" and is_stream(samples):
            samples = Augmented(samples, data.augment, seed)
        values = devices.predict(heads.feature_network(f), samples)
        kept[part] = heads.Features(values)
    return kept[part]
