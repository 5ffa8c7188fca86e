"""The setting that all implementations are timed in: networks, data, counts."""

import argparse
import math
import os
import pathlib
import sys

import numpy as np

# From a checkout, keras_m2m need not be installed.
sys.path.append(str(pathlib.Path(__file__).parents[1]))
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

# Keras' and PyTorch's builders of one name make the same network.
MODELS = {"resnet8": 8, "resnet20": 20, "resnet32": 32, "preact_resnet18": None}
M2M = {"lam": 0.5, "gamma": 0.9, "step_size": 0.1}
PRECISIONS = ["float32", "mixed_bfloat16"]
_PREPARED = 8  # batches
MEAN, VARIANCE = [0.5] * 3, [0.06] * 3


def arguments(description):
    """A parser with what every benchmark takes."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--model", choices=MODELS, default="resnet32")
    parser.add_argument("--num_classes", type=int, default=10)
    parser.add_argument("--rho", type=float, default=100)
    parser.add_argument("--beta", type=float, default=0.999)
    parser.add_argument("--batch_size", type=int, default=128)
    parser.add_argument("--image_size", type=int, default=32)
    parser.add_argument("--steps", type=int, default=10, help="T of the translation")
    parser.add_argument("--precision", choices=PRECISIONS, default="float32")
    return parser


def class_counts(num_classes, rho):
    """As CIFAR-LT: 50,000 samples over the classes before the tail is cut off."""
    largest = 50_000 / num_classes
    ranks = np.arange(num_classes) / (num_classes - 1)
    return np.maximum(1, np.floor(largest * rho**-ranks)).astype(int)


def batches(options, seed=0):
    """A few class-balanced batches of noise, whose values cost what others do."""
    rng = np.random.default_rng(seed)
    shape = (options.batch_size, options.image_size, options.image_size, 3)
    return [
        (
            rng.uniform(size=shape).astype("float32"),
            rng.integers(options.num_classes, size=options.batch_size),
        )
        for _ in range(_PREPARED)
    ]


def rows_translated(options, rejected_first):
    """Mean share of a batch: all candidates, or those that R leaves."""
    import keras_m2m

    counts = class_counts(options.num_classes, options.rho)
    if rejected_first:
        return keras_m2m.translation_share(counts, options.beta)
    return float(keras_m2m.generation_probability(counts).mean())


def sizes(options):
    """The arguments that say what is timed, for another process."""
    names = ["model", "num_classes", "rho", "beta", "batch_size", "image_size", "steps"]
    return [f"--{name}={getattr(options, name)}" for name in [*names, "precision"]]


def keras_network(options):
    import keras_m2m

    depth = MODELS[options.model]
    shape = (options.image_size, options.image_size, 3)
    common = {"input_shape": shape, "mean": MEAN, "variance": VARIANCE}
    if depth is None:
        return keras_m2m.preact_resnet18(options.num_classes, **common)
    return keras_m2m.cifar_resnet(depth, options.num_classes, **common)


def torch_network(options):
    import torch_networks

    depth = MODELS[options.model]
    if depth is None:
        return torch_networks.preact_resnet18(options.num_classes)
    return torch_networks.cifar_resnet(depth, options.num_classes, MEAN, VARIANCE)


def multiply_adds(network):
    """For one sample through the convolutions and dense layers of a Keras model."""
    import keras

    total = 0
    for layer in network.layers:
        if isinstance(layer, keras.layers.Conv2D):
            height, width = layer.output.shape[1:3]
            total += math.prod(layer.kernel.shape) * height * width
        elif isinstance(layer, keras.layers.Dense):
            total += math.prod(layer.kernel.shape)
    return total
