"""What PyTorch launches on a GPU is recorded once and gives what it gives eagerly."""

import keras
import numpy as np
import pytest
from keras import ops

from helpers.compilation import normal
from helpers.m2m_cases import LOSS
from helpers.m2m_cases import convolutional
from helpers.m2m_cases import image_shape
from helpers.m2m_cases import sgd
from keras_m2m import M2mModel
from keras_m2m import translation
from keras_m2m.folding import FoldedNetwork

if keras.config.backend() != "torch":
    pytest.skip("PyTorch alone has CUDA graphs", allow_module_level=True)

import torch

from keras_m2m._backend import cuda_graphs
from keras_m2m._backend import torch as torch_backend

on_gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")


def scaled(weights, x):
    return weights[0] * x


@pytest.fixture
def recorded(monkeypatch):
    """The shapes that were recorded, as if on a GPU."""
    shapes = []

    def record(fn, weights, tensors, pool):
        shapes.append(tuple(tensors[0].shape))
        return lambda tensors: fn(weights, *tensors)

    monkeypatch.setattr(torch.cuda, "graph_pool_handle", lambda: None)
    monkeypatch.setattr(cuda_graphs, "_on_gpu", lambda tensors: True)
    monkeypatch.setattr(cuda_graphs, "_record", record)
    return shapes


def test_every_shape_is_recorded_once(recorded):
    run = cuda_graphs.replayed(scaled)
    weights = [torch.tensor(2.0)]
    for rows in (3, 5, 3, 5):
        np.testing.assert_array_equal(run(weights, torch.ones(rows)), [2.0] * rows)
    assert recorded == [(3,), (5,)]


def test_weights_that_changed_in_place_are_not_recorded_anew(recorded):
    run, weights = cuda_graphs.replayed(scaled), [torch.tensor(2.0)]
    run(weights, torch.ones(3))
    weights[0].fill_(3.0)
    np.testing.assert_array_equal(run(weights, torch.ones(3)), [3.0] * 3)
    assert len(recorded) == 1


def test_weights_in_another_place_are_recorded_anew(recorded):
    run, two, three = cuda_graphs.replayed(scaled), torch.tensor(2.0), torch.tensor(3.0)
    for weight in (two, three, three):
        np.testing.assert_array_equal(run([weight], torch.ones(1)), [float(weight)])
    assert len(recorded) == 2


def test_what_cannot_be_recorded_runs_as_it_is_after_one_warning(recorded, monkeypatch):
    def fails(*_):
        raise RuntimeError("called a synchronizing operation")

    monkeypatch.setattr(cuda_graphs, "_record", fails)
    run = cuda_graphs.replayed(scaled)
    with pytest.warns(
        UserWarning, match="step by step.*synchronizing operation"
    ) as all_:
        results = [run([torch.tensor(2.0)], torch.ones(1)).item() for _ in range(2)]
    assert results == [2.0, 2.0]
    assert len(all_) == 1


@pytest.mark.parametrize("number", [True, 3, 0.5])
def test_numbers_are_filled_in_on_the_device(number):
    expected = ops.convert_to_tensor(number)
    with cuda_graphs.NumbersMadeOnDevice():
        found = ops.convert_to_tensor(number)
    assert found.dtype == expected.dtype
    assert found.item() == number


class Watch(torch.overrides.TorchFunctionMode):
    """Keeps what tensors are made of in Python."""

    def __init__(self, made):
        super().__init__()
        self.made = made

    def __torch_function__(self, func, types, args=(), kwargs=None):
        makes = func in (torch.as_tensor, torch.tensor, torch.from_numpy)
        if makes and not torch.is_tensor(args[0]):
            self.made.append(args[0])
        return func(*args, **(kwargs or {}))


def test_nothing_of_a_translation_comes_from_the_host():
    """As far as a CPU shows it: no tensor is made of values in Python."""
    made = []
    samples, classes = torch.zeros(2, *image_shape()), torch.tensor([0, 1])
    folded = FoldedNetwork(convolutional(1)), FoldedNetwork(convolutional(2))
    with torch.no_grad(), Watch(made), cuda_graphs.NumbersMadeOnDevice():
        f, g = (each.freeze() for each in folded)
        moved = translation.translate(
            f, g, samples, classes, 1 - classes, noise=samples, bounds=(0.0, 1.0)
        )
        translation.accept(g, moved, classes, gamma=0.5)
    assert made == []


def _model(**arguments):
    f, g = convolutional(1), convolutional(2)
    return M2mModel(
        f, g, [1000, 10000, 100], gamma=0.0, seed=3, step_size=0.1, **arguments
    )


def _seeds(model, rows=16):
    model.compile(sgd(), LOSS)
    x = ops.convert_to_tensor(normal(rows, *image_shape()))
    return model.draw_seeds(x, ops.convert_to_tensor(np.arange(rows) % 3))


def test_no_number_comes_from_the_host_after_a_translation_was_launched(monkeypatch):
    """Or the GPU would be done with it before the ordinary step is launched."""
    made = []

    class Watched(M2mModel):
        def accept(self, seeds, translated):
            made.clear()
            return super().accept(seeds, translated)

    f, g = convolutional(1), convolutional(2)
    model = Watched(f, g, [1000, 10000, 100], step_size=0.1)
    model.compile(sgd(), LOSS)
    batch = torch.zeros(16, *image_shape()), torch.arange(16) % 3
    model.train_step(batch)
    monkeypatch.setattr(torch_backend, "is_recorded", lambda model: True)
    with Watch(made):
        model.train_step(batch)
    assert not [value for value in made if isinstance(value, bool | int | float)]


def test_torch_compile_is_kept_out_of_the_rewriting():
    traced = []

    def rewrite(x):
        traced.append(torch.compiler.is_compiling())
        return x + 1

    def step(x):
        x, _ = torch_backend.run_stateful(None, [], rewrite, x)
        return 2 * x

    compiled = torch.compile(step, backend="eager")
    assert compiled(torch.tensor(3.0)).item() == 8.0
    assert traced == [False]


@on_gpu
def test_arrays_get_to_the_gpu_with_their_dtype():
    with cuda_graphs.ValuesSentAhead():
        found = ops.convert_to_tensor(np.float64([1, 2]), "float32")
    assert found.is_cuda
    assert found.dtype == torch.float32
    assert found.tolist() == [1.0, 2.0]


@on_gpu
def test_a_recorded_translation_is_that_of_eager_code_also_after_training():
    recorded = _model(noise=0.0)
    seeds = _seeds(recorded)
    eager = M2mModel(
        *(recorded.f, recorded.g, [1000, 10000, 100]),
        **{
            "gamma": 0.0,
            "noise": 0.0,
            "step_size": 0.1,
            "compilation": {"alone": False},
        },
    )
    eager.compile(recorded.optimizer, LOSS)
    for _ in range(3):
        found, expected = (
            ops.convert_to_numpy(model.translate(seeds)) for model in (recorded, eager)
        )
        assert np.abs(expected - ops.convert_to_numpy(seeds.samples)).max() > 0.1
        np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)
        recorded.fit(normal(32, *image_shape()), np.arange(32) % 3, verbose=0)


@on_gpu
def test_what_waits_for_values_is_not_recorded():
    class Waits(keras.layers.Layer):
        def call(self, x):
            return x * float(ops.max(x) > -1e9)

    def network(seed):
        keras.utils.set_random_seed(seed)
        layers = [keras.layers.Dense(3)]
        return keras.Sequential([keras.Input((4,)), Waits(), *layers])

    f, g = network(1), network(2)
    model = M2mModel(f, g, [1000, 10000, 100], gamma=0.0, step_size=0.1)
    model.compile(sgd(), LOSS)
    with pytest.warns(UserWarning, match="could not be recorded"):
        model.fit(normal(16, 4), np.arange(16) % 3, verbose=0)
    torch.cuda.synchronize()
    assert np.isfinite(f.get_weights()[0]).all()
