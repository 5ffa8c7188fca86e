"""Presets of the image tasks: which one holds, and how beta was chosen for ours."""

import pathlib

import numpy as np
import pytest
import tensorflow_datasets as tfds

from keras_m2m import generation_probability
from keras_m2m import long_tailed_counts
from keras_m2m import translation_share
from tasks import celeba5
from tasks import cifar_lt
from tasks import sun397
from tasks.experiment.settings import parse

GRID = {"beta": (0.9, 0.99, 0.999), "lam": (0.01, 0.1, 0.5), "gamma": (0.9, 0.99)}


def kept(class_counts, beta):
    """Share of the candidates of a batch that R keeps."""
    candidates = generation_probability(class_counts).mean()
    return translation_share(class_counts, beta) / candidates


def sun397_counts():
    """Training images per class, from those that TensorFlow Datasets lists."""
    lists = pathlib.Path(tfds.__file__).parent / "image_classification"
    lines = [path.read_text().split() for path in lists.glob("sun397_tfds_*.txt")]
    names = [line.rpartition("/")[0] for part in lines for line in part]
    return np.unique(names, return_counts=True)[1] - sun397.VALIDATION - sun397.TEST


def cifar(num_classes, rho):
    flags = [f"--dataset=cifar{num_classes}", f"--rho={rho}"]
    counts = long_tailed_counts(50_000 // num_classes, num_classes, rho)
    return cifar_lt.TASK, flags, counts


OURS = {
    "cifar10_rho10": cifar(10, 10),
    "cifar100_rho100": cifar(100, 100),
    "cifar100_rho10": cifar(100, 10),
    "celeba5": (celeba5.TASK, [], np.array([2423, 2078, 1499, 424, 227])),
    "sun397": (sun397.TASK, [], sun397_counts()),
}


@pytest.mark.parametrize("task, flags, class_counts", OURS.values(), ids=OURS)
def test_ours_keep_nearest_to_the_share_of_candidates_that_the_authors_keep(
    task, flags, class_counts
):
    settings = parse(task, flags)
    authors = kept(long_tailed_counts(5000, 10, 100), 0.999)
    nearest = min(
        GRID["beta"], key=lambda beta: abs(kept(class_counts, beta) - authors)
    )
    assert settings.beta == nearest


@pytest.mark.parametrize("task", [cifar_lt, celeba5, sun397])
def test_presets_of_the_papers_protocol_are_from_its_grid(task):
    presets = {k: p for k, p in task.TASK.presets.items() if p.when is not None}
    for preset in presets.values():
        assert all(preset.values[name] in GRID[name] for name in GRID)


@pytest.mark.parametrize(
    "flags, preset",
    [
        ([], "cifar10_rho100"),
        (["--rho=10"], "cifar10_rho10"),
        (["--dataset=cifar100"], "cifar100_rho100"),
        (["--dataset=cifar100", "--rho=10"], "cifar100_rho10"),
        (["--dataset=cifar100", "--rho=50"], None),
        (["--imbalance=step"], None),
    ],
)
def test_the_preset_follows_from_the_dataset_and_the_ratio(flags, preset):
    assert parse(cifar_lt.TASK, flags).preset == preset


def test_only_the_authors_setting_is_called_theirs():
    assert [k for k, p in cifar_lt.TASK.presets.items() if p.source == "authors"] == [
        "cifar10_rho100"
    ]
