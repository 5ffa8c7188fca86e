"""How a step is compiled changes its cost and nothing else."""

import keras
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from keras import ops

from helpers.compilation import MODES
from helpers.compilation import normal
from helpers.compilation import run
from helpers.m2m_cases import COMPILE
from helpers.m2m_cases import LOSS
from helpers.m2m_cases import SHAPES
from helpers.m2m_cases import convolutional
from helpers.m2m_cases import image_shape
from helpers.m2m_cases import linear
from helpers.m2m_cases import sgd
from keras_m2m import M2mModel
from keras_m2m.m2m_model import compilation
from keras_m2m.m2m_model.compilation import PARTS
from keras_m2m.m2m_model.compilation import apply_to_first
from keras_m2m.m2m_model.compilation import with_rounded_rows

SIZES = (PARTS // 8, PARTS // 2, PARTS)  # of 8 rows: 1, 4 and 8
COMPILED = SHAPES[-1]
BACKEND = keras.config.backend()


# A function of the first rows.


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("count", range(9))
def test_the_first_rows_are_computed_and_the_others_are_zero(mode, count):
    x = normal(8, 3)
    result = run(
        mode, lambda x, n: apply_to_first(ops.square, n, SIZES, x), x, np.int32(count)
    )
    size = next(size for size in (1, 4, 8) if size >= count)
    np.testing.assert_allclose(result[:size], x[:size] ** 2, rtol=1e-6)
    assert not result[size:].any()


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("count, size", [(0, 1), (1, 1), (2, 4), (4, 4), (5, 8)])
def test_no_more_rows_than_the_next_size_are_computed(mode, count, size):
    def rows_seen(x, y):
        return ops.ones_like(x) * ops.shape(x)[0]

    def first(x, y, n):
        return apply_to_first(rows_seen, n, SIZES, x, y)

    seen = run(mode, first, np.zeros(8, "int32"), normal(8, 2), np.int32(count))
    assert seen[0] == size


@pytest.mark.parametrize(
    "rows, longer",
    [(1, 8), (8, 8), (9, 16), (61, 64), (65, 72), (128, 128), (129, 144)],
)
def test_rows_are_rounded_up_to_one_of_few_numbers(rows, longer):
    seen = []

    def squares(x, weights):
        seen.append((x.shape[0], weights.shape[0]))
        return ops.square(x) * weights[:, None]

    x, weights = normal(rows, 2), normal(rows, seed=1)
    result = with_rounded_rows(squares, *map(ops.convert_to_tensor, (x, weights)))
    assert seen == [(longer, longer)]
    expected = x**2 * weights[:, None]
    np.testing.assert_allclose(ops.convert_to_numpy(result), expected, rtol=1e-6)


# The plan.


@given(st.floats(0, 1))
def test_sizes_ascend_to_the_whole_batch(share):
    sizes = compilation._likely_sizes(share, (2, 0.5, -0.5))
    assert sizes[-1] == PARTS
    assert list(sizes) == sorted(set(sizes))
    assert sizes[0] >= 1
    assert len(sizes) <= 4


@pytest.mark.parametrize("share", [0.11, 0.16, 0.6])
def test_the_usual_number_of_rows_is_close_to_a_compiled_size(share):
    wanted = np.random.default_rng(0).binomial(128, share, size=1000)
    sizes = np.array(compilation._likely_sizes(share, (2, 0.5, -0.5))) * 128 / PARTS
    translated = sizes[np.searchsorted(sizes, wanted)]
    assert translated.mean() < 1.3 * wanted.mean()


def planned(mode, network=linear, **arguments):
    model = M2mModel(network(1), network(2), [10, 100, 1], **arguments)
    model.compile(sgd(), LOSS, **COMPILE[mode])
    return model._plan


def test_code_of_fixed_shapes_takes_all_rows_and_other_code_the_wanted_ones():
    assert planned(COMPILED).static == (BACKEND != "torch")
    assert planned("eager").static == (BACKEND == "jax")
    assert planned("eager").sizes == (PARTS,)


def with_groups(seed):
    """A network with a convolution that gets no forward gradient."""
    conv = keras.layers.Conv2D(4, 3, groups=2)
    head = [keras.layers.Flatten(), keras.layers.Dense(3)]
    return keras.Sequential([keras.Input((8, 8, 4)), conv, *head])


@pytest.mark.skipif(BACKEND == "torch", reason="PyTorch has no XLA")
@pytest.mark.parametrize("network, slow", [(convolutional, False), (with_groups, True)])
def test_steps_are_written_out_and_not_branched_where_nesting_is_slow(network, slow):
    plan = planned(COMPILED, network=network)
    assert plan.unroll == slow
    assert (len(plan.sizes) == 1) == slow


@pytest.mark.skipif(BACKEND == "torch", reason="PyTorch has no XLA")
def test_on_a_gpu_the_whole_batch_is_translated_in_a_loop(monkeypatch):
    monkeypatch.setattr(keras.distribution, "list_devices", lambda: ["gpu:0"])
    plan = planned(COMPILED)
    assert plan.sizes == (PARTS,)
    assert not plan.unroll
    assert not plan.forward_gradient


@pytest.mark.parametrize("unroll", [True, False])
def test_the_users_choice_of_unrolling_wins(unroll):
    assert planned(COMPILED, unroll=unroll).unroll == unroll


@pytest.mark.parametrize("choice", ["unroll", "forward_gradient"])
@pytest.mark.parametrize("flag", [True, False])
def test_a_choice_of_the_user_wins_and_the_others_stay(choice, flag):
    plan = planned(COMPILED, compilation={choice: flag, "branches": None})
    assert plan == planned(COMPILED)._replace(**{choice: flag})


def test_without_branches_the_whole_batch_is_compiled_for():
    assert planned(COMPILED, compilation={"branches": False}).sizes == (PARTS,)


@pytest.mark.skipif(BACKEND == "torch", reason="PyTorch translates the wanted rows")
def test_branches_are_for_a_few_sizes_even_where_nesting_is_slow():
    plan = planned(COMPILED, with_groups, compilation={"branches": True})
    assert plan.sizes == planned(COMPILED).sizes
    assert len(plan.sizes) > 1


def test_shapes_can_be_static_where_nothing_is_compiled():
    assert planned("eager", compilation={"static": True}).static
    assert planned("eager", compilation={"branches": True}).static


@pytest.mark.skipif(BACKEND == "torch", reason="PyTorch has no XLA")
def test_shapes_that_vary_are_refused_by_compile_where_xla_has_to_know_them():
    with pytest.raises(ValueError, match="Code that XLA compiles has static shapes"):
        planned(COMPILED, compilation={"static": False})


@pytest.mark.parametrize(
    "compilation, message",
    [
        ({"unrolled": True}, "dict of True, False or None for some of 'unroll', "),
        (True, "Received: compilation=True"),
        ({"branches": "few"}, "`branches` must be True or False. Received: branches="),
        ({"branches": True, "static": False}, "`branches` are for static shapes"),
    ],
)
def test_choices_that_are_none_are_refused(compilation, message):
    with pytest.raises(ValueError, match=message):
        M2mModel(linear(1), linear(2), [10, 100, 1], compilation=compilation)


@pytest.mark.skipif(BACKEND != "torch", reason="only PyTorch records")
def test_translations_on_a_gpu_are_recorded_unless_steps_are_eager(monkeypatch):
    assert not planned("auto").alone
    monkeypatch.setattr(compilation, "is_recorded", lambda model: True)
    assert planned("auto").alone
    assert planned("xla").alone
    assert not planned("auto", compilation={"alone": False}).alone
    assert not planned("eager").alone
    with pytest.raises(ValueError, match="recorded as a CUDA graph has no branches"):
        planned("auto", compilation={"branches": True})


@pytest.mark.skipif(BACKEND != "tensorflow", reason="the others can")
def test_tensorflow_compiles_no_translation_alone():
    with pytest.raises(ValueError, match="TensorFlow compiles whole steps"):
        compilation.check_choices({"alone": True})


def test_a_contradiction_is_refused():
    with pytest.raises(ValueError, match="`unroll` contradicts `compilation`"):
        compilation.check_choices({"unroll": True}, unroll=False)


# The step.


def trained(sizes, unroll=False, other_than=None, **choices):
    """The plan of a training unless it is `other_than`, and what came of it."""
    f, g, rng = convolutional(1), convolutional(2), np.random.default_rng(0)
    counts = [1000, 10000, 100]
    # Of another number of seeds PyTorch draws other noise.
    settings = {"gamma": 0.0, "steps": 2, "step_size": 0.1, "noise": 0.0}
    choices = {"unroll": unroll, **choices}
    model = M2mModel(f, g, counts, compilation=choices, seed=3, **settings)
    x = rng.normal(size=(48, *image_shape())).astype("float32")
    y = rng.integers(3, size=48)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(compilation, "_likely_sizes", lambda *_: sizes)
        model.compile(sgd(), LOSS, **COMPILE[COMPILED])
        plan = model._plan
        if plan == other_than:
            pytest.skip("the same code")
        history = model.fit(x, y, batch_size=16, shuffle=False, verbose=0)
    return plan, f.get_weights(), history.history["replaced_rate"][-1]


@pytest.fixture(scope="module")
def whole():
    """A training that compiled the translation for whole batches."""
    return trained((PARTS,))


@pytest.mark.parametrize(
    "arguments",
    [
        {"sizes": (16, 40, 64), "branches": True},
        {"sizes": (PARTS,), "unroll": True},
        {"sizes": (PARTS,), "forward_gradient": True},
        {"sizes": (PARTS,), "forward_gradient": False},
        {"sizes": (PARTS,), "static": True},
        pytest.param(
            {"sizes": (PARTS,), "alone": True},
            marks=pytest.mark.skipif(BACKEND == "tensorflow", reason="is refused"),
        ),
    ],
    ids=[
        "three sizes",
        "written out",
        "forward gradients",
        "native gradients",
        "static shapes",
        "alone",
    ],
)
def test_training_does_not_depend_on_how_it_is_compiled(whole, arguments):
    plan, others, other_rate = whole
    _, weights, rate = trained(**arguments, other_than=plan)
    assert rate == other_rate
    assert 0.1 < rate < 0.9
    for value, other in zip(weights, others, strict=True):
        np.testing.assert_allclose(value, other, rtol=1e-5, atol=1e-5)
