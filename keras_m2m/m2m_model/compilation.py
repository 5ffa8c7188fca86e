"""How a step is best compiled, by backend and device, and for how many rows."""

from typing import NamedTuple

import keras
import numpy as np
from keras import ops

# A size is this many parts of the batch: TensorFlow traces a step before it knows
# how large the batches are.
PARTS = 64
_USUAL_BATCH = 128
_WORTHWHILE = 0.93
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
        alone: Whether the translation is compiled by itself, the step not.
    """

    static: bool
    sizes: tuple[int, ...]
    unroll: bool
    forward_gradient: bool
    alone: bool


def plan(model: keras.Model, nests: bool, share: float, unroll: bool | None) -> Plan:
    """Choose what was measured to be fastest (`docs/results.md`).

    Args:
        model: The model whose step it is, compiled.
        nests: Whether loops and branches cost nothing under XLA on a CPU.
        share: Share of a batch that a step translates on average, in `[0, 1]`.
        unroll: The user's choice, or None.

    Returns:
        A `Plan`.
    """
    backend = keras.config.backend()
    alone = _compiles_alone(model, backend)
    xla = bool(model.jit_compile) and not model.run_eagerly and backend != "torch"
    xla = xla or alone
    on_cpu = xla and keras.distribution.list_devices()[0].lower().startswith("cpu")
    if unroll is None:
        # JAX would compile the loop of an eager step in every step again.
        eager = backend == "jax" and not xla
        unroll = eager or (on_cpu and not nests)
    branches = xla and (nests or not on_cpu)
    return Plan(
        static=xla or backend == "jax",
        sizes=_likely_sizes(share, _SPREADS[backend]) if branches else (PARTS,),
        unroll=unroll,
        forward_gradient=on_cpu,
        alone=alone,
    )


def _compiles_alone(model, backend):
    """Whether Keras, left to choose, takes steps op by op because of some layer.

    On JAX a `RandomRotation` in f is enough. In inference mode it does nothing, and
    the translation, nearly all of the work, can be compiled without it.
    """
    op_by_op = backend == "jax" and not model.jit_compile
    return op_by_op and not model.run_eagerly and model.asked_jit_compile is not False


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


def check_unroll(unroll: bool | None) -> bool | None:
    """Return the user's choice if it is one.

    Example:

    >>> check_unroll(True)
    True
    """
    if unroll not in (None, True, False):
        raise ValueError(
            f"`unroll` must be True, False or None. Received: unroll={unroll!r}"
        )
    return unroll


def _likely_sizes(share, spreads):
    """Sizes around the mean number of rows, and the whole batch."""
    deviation = np.sqrt(share * (1 - share) / _USUAL_BATCH)
    sizes = [PARTS]
    for size in np.rint(PARTS * (share + deviation * np.array(spreads))):
        # One that saves less is not worth the time to compile it.
        if 1 <= size <= _WORTHWHILE * sizes[0]:
            sizes.insert(0, int(size))
    return tuple(sizes)
