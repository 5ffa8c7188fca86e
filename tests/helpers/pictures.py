"""Random images, and networks to call on them whose every weight matters."""

import keras
import numpy as np

from helpers.gradients import to_numpy

# Far from each other, so that a mixed-up channel or statistic shows.
MEAN, VARIANCE = [0.3, 0.5, 0.7], [0.04, 0.09, 0.25]
STATISTICS = {"mean": MEAN, "variance": VARIANCE}


def photos(n=4, size=32):
    return np.random.default_rng(0).random((n, size, size, 3)).astype("float32")


def scrambled(model):
    """The model with other BatchNorm statistics, scales and offsets than 0 and 1."""
    rng = np.random.default_rng(0)
    for layer in model.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            values = [rng.uniform(0.5, 1.5, v.shape) for v in layer.get_weights()]
            layer.set_weights(values)
    return model


def outputs(model, x, training=False):
    if keras.config.backend() == "jax" and not training:
        return model.predict_on_batch(x)  # Eagerly, each operation is compiled.
    return to_numpy(model(x, training=training))
