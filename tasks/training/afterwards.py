"""What is done with a trained network of a task, from its features."""

import functools

import keras

from keras_m2m import heads
from keras_m2m.recipes.after import batch_prior
from keras_m2m.recipes.afterwards import network_after
from tasks.data.streams import Augmented
from tasks.experiment.recipes import method_of
from tasks.experiment.settings import Settings
from tasks.experiment.task import Data
from tasks.training import devices

_EPOCHS = 10  # Of a new head, as Kang et al. train it on ImageNet-LT.


def done_after(
    f: keras.Model, data: Data, settings: Settings, kept: dict
) -> tuple[keras.Model, dict]:
    """What `settings.after` makes of a trained network, without training it again.

    A new head is trained with the batch size, rate and weight decay of the network.

    Args:
        f: The trained network, which stays as it is.
        data: What it was trained on. Training samples are taken without augmentation;
            where it makes samples of a stream, one augmented sample each.
        settings: What it was trained by, and what is to be done.
        kept: Features of `f` by the part of the data, to which new ones are added.

    Returns:
        The new network, and what there is to know of it, ready for JSON.
    """
    training = {
        "epochs": _EPOCHS,
        "batch_size": settings.batch_size,
        "learning_rate": settings.learning_rate,
        "weight_decay": settings.weight_decay,
        "seed": settings.seed,
    }
    parts = {"train": data.train, "validation": data.validation}
    return network_after(
        f,
        settings.after,
        features=functools.partial(_features, f, data, settings.seed, kept),
        labels={name: part[1] for name, part in parts.items() if part},
        prior=batch_prior(method_of(settings.method), data.class_counts),
        training=training,
    )


def _features(f, data, seed, kept, part):
    if part not in kept:
        samples = getattr(data, part)[0]
        # A stream of samples has a shape; of another augmentation makes them.
        if part == "train" and not hasattr(samples, "shape"):
            samples = Augmented(samples, data.augment, seed)
        values = devices.predict(heads.feature_network(f), samples)
        kept[part] = heads.Features(values)
    return kept[part]
