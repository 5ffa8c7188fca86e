"""Datasets whose samples are their own numbers, so that they are found again."""

import numpy as np

from keras_m2m.sampling import ResampledDataset

SAMPLINGS = ["instance", "class"]


def numbered(class_counts=(3, 8, 1)):
    """Samples that are their own numbers, and labels in no particular order."""
    y = np.repeat(np.arange(len(class_counts)), class_counts)
    y = np.random.default_rng(0).permutation(y)
    return np.arange(len(y), dtype="float32")[:, None], y


def dataset(class_counts=(3, 8, 1), **arguments):
    arguments = {"batch_size": 4, "epochs": 3, **arguments}
    return ResampledDataset(*numbered(class_counts), **arguments)


def samples_of(batches):
    """The numbers of all samples, in order, of an iterable of batches."""
    return np.concatenate([x[:, 0] for x, _ in batches]).astype(int)


def order(data, start=0, stop=None):
    stop = len(data) if stop is None else stop
    return samples_of(data[i] for i in range(start, stop)).tolist()
