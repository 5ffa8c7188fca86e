"""Losses as functions of arrays: their values, PyTorch's gradients, a step by them."""

import keras
import numpy as np

from helpers.gradients import to_numpy

# PyTorch has no graph here; its compiler takes minutes for the smallest model.
COMPILED = [False] if keras.backend.backend() == "torch" else [False, True]


def batch(scale=1.0, size=12, num_classes=3):
    rng = np.random.default_rng(0)
    logits = scale * rng.standard_normal((size, num_classes))
    return rng.integers(num_classes, size=size), logits.astype("float32")


def each(loss):
    """The same loss without reduction, as NumPy to NumPy."""
    config = {**loss.get_config(), "reduction": None}
    unreduced = type(loss).from_config(config)
    return lambda labels, logits: to_numpy(unreduced(labels, logits))


def torch_gradient(fn, labels, logits):
    """Gradient of the summed PyTorch losses, in float64."""
    import torch  # Late: without it, the other helpers work.

    x = torch.tensor(logits, dtype=torch.float64, requires_grad=True)
    fn(x, torch.tensor(labels)).sum().backward()
    return x.grad.numpy()


def one_step(loss, labels, logits, compiled):
    """Trains `logits`, as the kernel of a linear model of the identity, once."""
    size, num_classes = logits.shape
    model = keras.Sequential(
        [keras.Input((size,)), keras.layers.Dense(num_classes, use_bias=False)]
    )
    model.set_weights([logits])
    model.compile(keras.optimizers.SGD(1.0), loss, jit_compile=compiled)
    model.train_on_batch(np.eye(size, dtype="float32"), labels)
    return to_numpy(model.weights[0])
