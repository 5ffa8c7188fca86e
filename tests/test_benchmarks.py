"""The plain PyTorch M2m of the benchmarks computes what keras_m2m does."""

import json
import pathlib
import subprocess
import sys

import keras
import numpy as np
import pytest

import keras_m2m
from keras_m2m import translation

if keras.config.backend() != "torch":
    pytest.skip("of PyTorch", allow_module_level=True)

import torch
import torch_m2m
import torch_networks
import torch_twin
from pictures import MEAN
from pictures import VARIANCE

FOLDER = pathlib.Path(torch_m2m.__file__).parent
COUNTS = np.array([1000, 100, 10])


@pytest.fixture(scope="module")
def networks():
    """`[(Keras model, its twin in PyTorch)]`, for f and for g."""
    made = []
    for seed in (1, 2):
        keras.utils.set_random_seed(seed)
        model = keras_m2m.cifar_resnet(8, 3, mean=MEAN, variance=VARIANCE)
        twin = torch_networks.cifar_resnet(8, 3, MEAN, VARIANCE).eval()
        torch_twin.copy_weights(model, twin)
        made.append((model, twin))
    return made


def test_a_translation_is_that_of_keras_m2m(networks):
    (f, plain_f), (g, plain_g) = networks
    rng = np.random.default_rng(0)
    x = rng.uniform(size=(6, 32, 32, 3)).astype("float32")
    noise = 0.01 * rng.normal(size=x.shape).astype("float32")
    classes, targets = np.array([0, 0, 0, 1, 1, 0]), np.array([1, 2, 2, 2, 2, 1])
    expected = translation.translate(
        lambda x: f(x, training=False),
        lambda x: g(x, training=False),
        x,
        classes,
        targets,
        keras.ops.convert_to_tensor(noise),
        steps=3,
        bounds=(0, 1),
    )
    moved = torch_m2m.translate(
        plain_f,
        plain_g,
        torch_twin.images(x),
        torch.tensor(classes),
        torch.tensor(targets),
        torch_twin.images(noise),
        lam=0.5,
        steps=3,
        step_size=0.1,
    )
    moved = np.moveaxis(moved.numpy(), 1, -1)
    np.testing.assert_allclose(moved, keras.ops.convert_to_numpy(expected), atol=1e-4)


def test_as_many_rows_are_chosen_and_kept_as_keras_m2m_says():
    labels = torch.arange(3).repeat(2000)
    acceptance = keras_m2m.acceptance_probability(COUNTS, 0.999)
    rows, seeds, keep = torch_m2m.choose(
        labels, torch.tensor(COUNTS), torch.tensor(acceptance, dtype=torch.float32)
    )
    generated = keras_m2m.generation_probability(COUNTS).mean()
    assert len(rows) / len(labels) == pytest.approx(generated, abs=0.02)
    kept = float(keep.sum()) / len(labels)
    assert kept == pytest.approx(keras_m2m.translation_share(COUNTS, 0.999), abs=0.02)
    assert (labels[seeds] < labels[rows]).all()


@pytest.mark.parametrize("reject_first", [False, True])
def test_a_rewritten_batch_keeps_the_frequent_class(networks, reject_first):
    (_, f), (_, g) = networks
    labels = torch.arange(3).repeat(4)
    x = torch.rand(12, 3, 32, 32)
    acceptance = keras_m2m.acceptance_probability(COUNTS, 0.9)
    settings = {"lam": 0.5, "gamma": 0.0, "steps": 1, "step_size": 0.1}
    new = torch_m2m.rewrite(
        f,
        g,
        x,
        labels,
        torch.tensor(COUNTS),
        torch.tensor(acceptance, dtype=torch.float32),
        reject_first,
        **settings,
    )
    changed = (new != x).flatten(1).any(dim=1)
    assert changed.any()
    assert not changed[labels == 0].any()


def test_the_benchmark_runs_and_writes_what_it_prints(tmp_path):
    path = tmp_path / "steps.json"
    sizes = ["--model=resnet8", "--batch_size=8", "--steps=1", "--rounds=2"]
    command = [sys.executable, str(FOLDER / "m2m_step.py"), *sizes, f"--json={path}"]
    done = subprocess.run(
        [*command, "--only", "PyTorch"],
        check=True,
        capture_output=True,
        text=True,
        cwd=FOLDER.parent,
    )
    result = json.loads(path.read_text())
    assert list(result["implementations"]) == ["plain PyTorch", "PyTorch"]
    assert done.stdout.count("\n") == 5  # a head of two lines, two rows, the bound
    for row in result["implementations"].values():
        assert row["m2m"]["median"] > row["ordinary"]["low"] > 0
