"""How a step is best compiled, by backend and device, and for how many rows."""

from collections.abc import Mapping
from typing import NamedTuple

import keras
import numpy as np
from keras import ops

from keras_m2m import checks
from keras_m2m._backend import is_recorded

# What a user may decide, of which `plan` chooses the rest.
CHOICES = ("unroll", "branches", "forward_gradient", "static", "alone")

# A size is this many parts of the batch: TensorFlow traces a step before it knows
# how large the batches are.
PARTS = 64
_USUAL_BATCH = 128
_WORTHWHILE = 0.93
_LEAST_STEP, _STEPS_TO_DOUBLE = 8, 8
# Standard deviations from the mean number of rows, descending. TensorFlow takes long to
# trace and compile a size, ten seconds for a ResNet-32, so it gets one.
_SPREADS = {"jax": (2, 0.5, -0.5), "tensorflow": (2,), "torch": ()}


class Plan(NamedTuple):
    """What `plan` chose.

    Attributes:
        static: Whether the seeds have the length of the batch, the wanted ones
            first, since every other length would be compiled anew.
        sizes: Numbers of rows to compile for, in `PARTS` of a batch, ascending up
            to the whole; only where `static`.
        unroll: Whether the steps of a translation are written out.
        forward_gradient: As for `FoldedNetwork.freeze`.
        alone: Whether the translation is compiled by itself, the step not; on PyTorch,
            recorded as a CUDA graph.
    """

    static: bool
    sizes: tuple[int, ...]
    unroll: bool
    forward_gradient: bool
    alone: bool


def plan(
    model: keras.Model, nests: bool, share: float, choices: Mapping[str, bool]
) -> Plan:
    """Choose what was measured to be fastest (`docs/results/speed.md`).

    Args:
        model: The model whose step it is, compiled.
        nests: Whether loops and branches cost nothing under XLA on a CPU.
        share: Share of a batch that a step translates on average, in `[0, 1]`.
        choices: The user's, as `check_choices` returns them.

    Returns:
        A `Plan`.

    Raises:
        ValueError: If compiled code is to have shapes that vary.
    """
    backend = keras.config.backend()
    alone = choices.get("alone", _compiles_alone(model, backend))
    xla = bool(model.jit_compile) and not model.run_eagerly and backend != "torch"
    xla = xla or (alone and backend == "jax")
    on_cpu = xla and keras.distribution.list_devices()[0].lower().startswith("cpu")
    # JAX would compile the loop of an eager step in every step again.
    eager = backend == "jax" and not xla
    chosen = {
        "unroll": eager or (on_cpu and not nests),
        # A GPU waits at each: the whole batch took 34 ms there, three sizes 40.
        "branches": on_cpu and nests,
        "forward_gradient": on_cpu,
        "static": xla or backend == "jax" or choices.get("branches", False),
        **choices,
    }
    if xla and not chosen["static"]:
        raise ValueError(
            "Code that XLA compiles has static shapes: leave `static` out, or compile "
            "with jit_compile=False. Received: compilation={'static': False}"
        )
    if backend == "torch" and alone and chosen["branches"]:
        raise ValueError(
            "What is recorded as a CUDA graph has no branches: leave `branches` or "
            "`alone` out. Received: compilation={'branches': True}"
        )
    branches = chosen.pop("branches")
    sizes = _likely_sizes(share, _SPREADS[backend]) if branches else (PARTS,)
    return Plan(**{"sizes": sizes, "alone": alone, **chosen})


def _compiles_alone(model, backend):
    """Whether Keras, left to choose, takes steps op by op.

    On JAX a `RandomRotation` in f is enough. In inference mode it does nothing, and
    the translation, nearly all of the work, can be compiled without it. On PyTorch it
    always does, since `torch.compile` is kept out of the translation (`run_stateful`),
    which can be recorded on a GPU.
    """
    if model.run_eagerly:
        return False
    if backend == "torch":
        return is_recorded(model)
    op_by_op = backend == "jax" and not model.jit_compile
    return op_by_op and model.asked_jit_compile is not False


def apply_to_first(fn, count, sizes, *tensors):
    """Call `fn` on the first rows of tensors: `count` or a few more.

    Compiled code holds `fn` once for each of a few sizes and takes the smallest
    that `count` fits in. The largest is the whole, so that it always fits.

    Args:
        fn: Function of as many tensors, returning a tensor with as many rows.
        count: int32 scalar tensor.
        sizes: See `Plan`.
        *tensors: Tensors of shape `(batch, ...)`.

    Returns:
        Tensor `(batch, ...)`, of zeros beyond the rows that `fn` was called on.

    Example:

    >>> doubled = apply_to_first(lambda x: 2 * x, 1, (32, 64), ops.arange(4) + 1)
    >>> keras.ops.convert_to_numpy(doubled).tolist()
    [2, 4, 0, 0]
    """
    if len(sizes) == 1:
        return fn(*tensors)
    batch_size = ops.shape(tensors[0])[0]
    rows = [(batch_size * size + PARTS - 1) // PARTS for size in sizes]

    def branch(size):
        def run(*tensors):
            result = fn(*(tensor[:size] for tensor in tensors))
            rest = ops.zeros((batch_size - size, *result.shape[1:]), result.dtype)
            return ops.concatenate([result, rest])

        return run

    smaller = [ops.cast(size < count, "int32") for size in rows[:-1]]
    index = ops.sum(ops.stack(smaller))
    return ops.switch(index, [branch(size) for size in rows], *tensors)


def with_rounded_rows(fn, *tensors):
    """Call `fn` on tensors that zeros lengthen to one of a few numbers of rows.

    So a function that is recorded for every number of rows is recorded for few: eight
    between one power of two and the next, which are at most an eighth more (or 7).

    Args:
        fn: Function of as many tensors, returning a tensor with as many rows.
        *tensors: Tensors of shape `(n, ...)`, where n is known.

    Returns:
        Tensor `(n, ...)`.

    Example:

    >>> rows = with_rounded_rows(lambda x: x + len(x), ops.zeros((9,)))
    >>> keras.ops.convert_to_numpy(rows).tolist() == [16] * 9
    True
    """
    rows = len(tensors[0])
    step = max(_LEAST_STEP, 2 ** (rows - 1).bit_length() // _STEPS_TO_DOUBLE // 2)
    more = -rows % step
    if not more:
        return fn(*tensors)
    longer = (ops.pad(x, [(0, more)] + [(0, 0)] * (x.ndim - 1)) for x in tensors)
    return fn(*longer)[:rows]


def check_choices(
    compilation: Mapping[str, bool | None] | None, unroll: bool | None = None
) -> dict[str, bool]:
    """Return what the user chose, without what is left to `plan`.

    Args:
        compilation: True, False or None for some of `CHOICES`, or None.
        unroll: Another way to choose the one of that name.

    Raises:
        ValueError: If it is no such mapping, or contradicts itself.

    Example:

    >>> check_choices({"branches": False, "static": None}, unroll=True)
    {'unroll': True, 'branches': False}
    """
    given = {} if compilation is None else compilation
    if not isinstance(given, Mapping) or not set(given) <= set(CHOICES):
        raise ValueError(
            "`compilation` must be None or a dict of True, False or None for some of "
            f"{', '.join(map(repr, CHOICES))}. Received: compilation={compilation!r}"
        )
    flags = {
        name: checks.check_flag(**{name: flag})
        for name, flag in [("unroll", unroll), *given.items()]
        if flag is not None
    }
    if unroll is not None and flags["unroll"] != unroll:
        raise ValueError(
            "`unroll` contradicts `compilation`. "
            f"Received: unroll={unroll!r}, compilation={compilation!r}"
        )
    if flags.get("alone") and keras.config.backend() == "tensorflow":
        raise ValueError(
            "TensorFlow compiles whole steps, no translation alone. "
            f"Received: compilation={compilation!r}"
        )
    if flags.get("branches") and flags.get("static") is False:
        raise ValueError(
            "`branches` are for static shapes; where shapes vary, only the wanted rows "
            f"are translated anyway. Received: compilation={compilation!r}"
        )
    return flags


def _likely_sizes(share, spreads):
    """Sizes around the mean number of rows, and the whole batch."""
    deviation = np.sqrt(share * (1 - share) / _USUAL_BATCH)
    sizes = [PARTS]
    for size in np.rint(PARTS * (share + deviation * np.array(spreads))):
        # One that saves less is not worth the time to compile it.
        if 1 <= size <= _WORTHWHILE * sizes[0]:
            sizes.insert(0, int(size))
    return tuple(sizes)
