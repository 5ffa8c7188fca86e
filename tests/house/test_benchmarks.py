"""The plain PyTorch M2m of the benchmarks computes what keras_m2m does."""

import json
import pathlib
import sys

import keras
import numpy as np
import pytest

import keras_m2m
from keras_m2m import translation

if keras.config.backend() != "torch":
    pytest.skip("of PyTorch", allow_module_level=True)

import implementations
import m2m_step
import setting
import summary
import torch
import torch_graphs
import torch_m2m
import torch_networks
import torch_steps
import worker_process

from helpers import torch_twin
from helpers.pictures import MEAN
from helpers.pictures import VARIANCE

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


SETTINGS = {"lam": 0.5, "gamma": 0.0, "steps": 2, "step_size": 0.1}
DEVICES = [
    "cpu",
    pytest.param(
        "cuda",
        marks=pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU"),
    ),
]


def a_batch(device):
    """Images and labels with a spare row, three rows to translate, noise for each."""
    generator = torch.Generator().manual_seed(0)
    x = torch.rand(9, 3, 32, 32, generator=generator)
    labels = torch.tensor([0, 0, 0, 1, 1, 2, 2, 2, 0])
    rows, seeds = torch.tensor([[3, 5, 7], [0, 3, 1]])
    noise = 0.01 * torch.randn(3, 3, 32, 32, generator=generator)
    return [tensor.to(device) for tensor in (x, labels, rows, seeds, noise)]


def translated_by_hand(f, g, x, labels, rows, seeds, noise):
    """The rows, translated by themselves."""
    settings = {name: SETTINGS[name] for name in ("lam", "steps", "step_size")}
    classes = labels[seeds], labels[rows]
    return torch_m2m.translate(f, g, x[seeds], *classes, noise, **settings)


@pytest.fixture(params=DEVICES)
def on_device(networks, request, monkeypatch):
    (_, f), (_, g) = networks
    # TF32 would hide mistakes of a thousandth.
    monkeypatch.setattr(torch.backends.cudnn, "allow_tf32", False)
    yield request.param, f.eval().to(request.param), g.to(request.param)
    f.cpu(), g.cpu()


def assert_moved_alike(new, expected, start):
    """Up to rounding, of the way that each image went."""
    assert (new - expected).norm() < 1e-3 * (expected - start).norm()


@pytest.mark.filterwarnings("ignore:Please use the new API")
def test_a_padded_translation_is_that_of_its_rows_and_leaves_the_others(on_device):
    device, f, g = on_device
    x, labels, rows, seeds, noise = a_batch(device)
    expected = translated_by_hand(f, g, x, labels, rows, seeds, noise)
    padded_rows, padded_seeds = torch_graphs.padded(rows, seeds, 8).to(device)
    noise = torch.cat([noise, torch.ones(5, 3, 32, 32, device=device)])
    new = torch_graphs.rewrite_padded(
        f, g, x, labels, padded_rows, padded_seeds, noise, **SETTINGS
    )
    assert_moved_alike(new[rows], expected, x[seeds])
    others = [0, 1, 2, 4, 6]
    assert torch.equal(new[others], x[others])


def test_a_padded_translation_without_confidence_changes_nothing(networks):
    (_, f), (_, g) = networks
    x, labels, rows, seeds, noise = a_batch("cpu")
    settings = {**SETTINGS, "gamma": 1.1}
    new = torch_graphs.rewrite_padded(f, g, x, labels, rows, seeds, noise, **settings)
    assert torch.equal(new, x)


@pytest.mark.filterwarnings("ignore:Please use the new API")
def test_a_graph_computes_the_translation_that_it_captured(on_device):
    device, f, g = on_device
    if device == "cpu":
        pytest.skip("only a GPU has graphs")
    x, labels, rows, seeds, noise = a_batch(device)
    expected = translated_by_hand(f, g, x, labels, rows, seeds, noise)
    batch, new = x.clone(), torch.empty_like(x)
    x.zero_()

    def translate():
        chosen = rows, seeds, noise
        new.copy_(torch_graphs.rewrite_padded(f, g, x, labels, *chosen, **SETTINGS))

    graph = torch_graphs.captured(translate)
    x.copy_(batch)
    graph.replay()
    assert_moved_alike(new[rows], expected, x[seeds])


@pytest.mark.parametrize("count, size", [(0, 8), (1, 8), (8, 8), (9, 16), (41, 42)])
def test_rows_are_filled_up_to_a_size_that_was_captured(count, size):
    rows, seeds = torch.arange(count), torch.arange(count) + 1
    filled_rows, filled_seeds = torch_graphs.padded(rows, seeds, 42)
    assert len(filled_rows) == size
    assert size in torch_graphs.sizes(42)
    assert torch.equal(filled_rows[:count], rows)
    assert torch.equal(filled_seeds[:count], seeds)
    assert (filled_rows[count:] == 42).all()


def test_a_frozen_twin_follows_the_network_that_is_trained():
    network = torch_networks.cifar_resnet(8, 3, MEAN, VARIANCE)
    twin, x = torch_steps.frozen_twin(network), torch.rand(4, 3, 32, 32)
    optimizer = torch.optim.SGD(network.parameters(), 0.1)
    torch_m2m.ordinary_step(network, optimizer, x, torch.tensor([0, 1, 2, 0]))
    assert torch.equal(twin(x), network.eval()(x))
    assert not any(weight.requires_grad for weight in twin.parameters())


def test_what_is_not_installed_is_left_out(monkeypatch):
    monkeypatch.setattr(
        implementations.importlib.util,
        "find_spec",
        lambda name: None if name == "tensorflow" else name,
    )
    wanted, left = implementations.chosen(None, on_gpu=True)
    assert next(iter(wanted)) == "plain PyTorch"
    assert "JAX, fit" in wanted
    assert left["TensorFlow"] == "tensorflow is not installed"
    assert not any(name.startswith("TensorFlow") for name in wanted)


def test_every_combination_of_choices_is_tried():
    assert len(set(implementations.all_choices("jax"))) == 2**3
    assert "unroll=True,branches=False,forward_gradient=True" in (
        implementations.all_choices("jax")
    )


def test_a_worker_that_ends_is_an_error_with_what_it_wrote():
    worker = worker_process.Worker(["--model=none"], "torch")
    with pytest.raises(worker_process.WorkerError, match="ended with 2") as error:
        worker.ask("about")
    worker.stop()
    assert "invalid choice: 'none'" in error.value.log


def benchmark_options(*flags):
    return m2m_step.arguments().parse_args(["--steps_per_turn=1", *flags])


def test_without_time_no_implementation_is_started():
    options = benchmark_options("--seconds=0")
    run = m2m_step.Run(options, implementations.IMPLEMENTATIONS, {})
    run.everything()
    assert set(run.result["left_out"]) == set(implementations.IMPLEMENTATIONS)
    assert not run.result["complete"]


def a_result(name, ordinary, m2m, kernels=None):
    """What a run without the reference has after a turn on a GPU."""
    row = {"rows": 76.0, "first_m2m_step": 9.0, "precision": "TF32", "rounds": 1}
    row["seconds"] = {"ordinary": [ordinary], "m2m": [m2m]}
    rates = {"float32": 1e12, "tf32": 4e12, "bfloat16": 8e12}
    rates |= {"seconds_per_launch": 5e-6, "seconds_per_launch_in_graph": 1e-6}
    return {
        "machine": {"gpu": "a card"},
        "rates": [rates],
        "implementations": {name: {**row, "kernels": kernels}},
    }


def test_a_summary_needs_no_reference_and_shows_milliseconds_on_a_gpu():
    found = summary.of(a_result("JAX", 0.002, 0.0135), benchmark_options())
    row = found["implementations"]["JAX"]
    assert row["translation"]["median"] == pytest.approx(0.0115)
    assert row["m2m"]["ratio"] is None
    assert "| JAX | 76 | 2.00 (2.00-2.00) | 11.50 (11.50-11.50) |" in (
        summary.table(found)
    )


@pytest.mark.parametrize(
    "precision, rate", [("float32", 4e12), ("mixed_bfloat16", 8e12)]
)
def test_products_bound_a_step_at_the_rate_of_its_precision(precision, rate):
    options = benchmark_options(f"--precision={precision}", "--model=resnet8")
    bound = summary.of(a_result("JAX", 1, 2), options)["bound"]
    per_pass = setting.multiply_adds(setting.keras_network(options))
    assert bound["ordinary"] == pytest.approx(3 * 128 * per_pass / rate)


def test_launches_bound_a_step_by_its_kernels():
    result = a_result("by hand", 1, 2, {"ordinary": 300, "m2m": 4300})
    bound = summary.of(result, benchmark_options())["launch_bound"]
    assert bound["ordinary"] == pytest.approx(300e-6)
    assert bound["translation"] == pytest.approx(4000e-6)


class Answers:
    """In place of a worker: its n-th step takes n seconds, n + 100 with M2m."""

    def __init__(self, arguments, backend):
        self.steps = {"ordinary": 0, "m2m": 100}

    def ask(self, what, *_, seconds=None):
        if what in self.steps:
            self.steps[what] += 1
            return self.steps[what]
        return {"about": {}, "memory": 1, "rates": {"float32": 1e12}}[what]

    def stop(self):
        pass


def test_every_round_counts_and_the_steps_that_start_a_worker_do_not(monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    monkeypatch.setattr(m2m_step, "Worker", Answers)
    wanted, left = implementations.chosen(["PyTorch"], on_gpu=False)
    run = m2m_step.Run(benchmark_options("--rounds=2"), wanted, left)
    run.everything()
    assert run.result["complete"]
    assert len(run.result["rates"]) == 2
    for row in run.result["implementations"].values():
        assert row["rounds"] == 2
        assert row["seconds"] == {"ordinary": [2, 3], "m2m": [102, 103]}


def test_the_benchmark_runs_and_writes_what_it_prints(tmp_path, monkeypatch, capsys):
    path = tmp_path / "steps.json"
    sizes = ["--model=resnet8", "--batch_size=8", "--steps=1", "--rounds=1"]
    only = ["--only", "PyTorch", "plain PyTorch, CUDA graphs"]
    monkeypatch.setattr(sys, "argv", ["m2m_step.py", *sizes, f"--json={path}", *only])
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    m2m_step.main()
    result = json.loads(path.read_text())
    assert list(result["implementations"]) == ["plain PyTorch", "PyTorch"]
    assert result["complete"]
    assert result["left_out"] == {"plain PyTorch, CUDA graphs": "there is no GPU"}
    assert (
        capsys.readouterr().out.count("\n") == 5
    )  # a head of two lines, two rows, the bound
    for row in result["implementations"].values():
        assert row["m2m"]["median"] > 0
        assert row["ordinary"]["median"] > 0
        assert row["rounds"] == len(row["m2m"]["all"]) == 1
