"""Weights from Keras for the networks of `benchmarks/torch_networks.py`."""

import keras
import numpy as np
import torch
from torch import nn

_NORMS = (nn.BatchNorm1d, nn.BatchNorm2d)


def images(x):
    """Keras' channels-last images or series as PyTorch's."""
    return torch.tensor(np.moveaxis(x, -1, 1).copy())


def pairs(model, twin):
    """`(Keras' array, PyTorch's tensor)` of all weights, in PyTorch's layout.

    Running means and variances are among them.
    """
    kinds = [
        (keras.layers.Conv1D, nn.Conv1d),
        (keras.layers.Conv2D, nn.Conv2d),
        (keras.layers.BatchNormalization, _NORMS),
        (keras.layers.Dense, nn.Linear),
    ]
    for ours, theirs in kinds:
        layers = [layer for layer in model.layers if isinstance(layer, ours)]
        modules = [module for module in twin.modules() if isinstance(module, theirs)]
        for layer, module in zip(layers, modules, strict=True):
            tensors = [*module.parameters(), *module.buffers()]
            for value, tensor in zip(layer.get_weights(), tensors):
                value = _torch_layout(value)
                assert value.shape == tuple(tensor.shape)
                yield value, tensor


def copy_weights(model, twin):
    """Give the twin the weights and the running statistics of a Keras model."""
    for value, tensor in pairs(model, twin):
        with torch.no_grad():
            tensor.copy_(torch.tensor(value))


def batch_norms(model, twin):
    """Pairs of BatchNorm layers, Keras' first."""
    ours = [x for x in model.layers if isinstance(x, keras.layers.BatchNormalization)]
    theirs = [x for x in twin.modules() if isinstance(x, _NORMS)]
    return zip(ours, theirs, strict=True)


def _torch_layout(value):
    if value.ndim == 4:
        return value.transpose(3, 2, 0, 1)
    return value.T
