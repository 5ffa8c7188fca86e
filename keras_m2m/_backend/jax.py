"""JAX: a pure gradient; state passes through a StatelessScope; one program."""

import contextlib
from typing import Any

import jax
import keras

fused_batch_norm: Any = None  # XLA fuses what Keras writes out.


def input_gradient(fn, x):
    return jax.grad(fn)(x)


def gradient_and_output(fn, x):
    return jax.grad(fn, has_aux=True)(x)


def compiled(fn, for_once=False):
    options = {
        "xla_backend_optimization_level": 0,
        "xla_llvm_disable_expensive_passes": True,
    }
    by_xla = jax.jit(fn, compiler_options=options if for_once else None)

    def run(*args):
        try:
            return by_xla(*args)
        except Exception:
            # Python code that needs values, which a user may train eagerly; if it is
            # at fault itself, it fails here again.
            return fn(*args)

    return run


def is_recorded(model):
    return False


def unhindered(model):
    return contextlib.nullcontext()


def run_stateful(model, state, fn, *args):
    ((trainable, non_trainable, optimizer, metrics),) = state
    mapping = [
        *zip(model.trainable_variables, trainable, strict=True),
        *zip(model.non_trainable_variables, non_trainable, strict=True),
        *zip(model.metrics_variables, metrics, strict=True),
    ]
    with keras.StatelessScope(state_mapping=mapping) as scope:
        result = fn(*args)

    def current(variables, values):
        # A variable that nobody wrote to has no current value in the scope.
        updated = [scope.get_current_value(variable) for variable in variables]
        return [v if u is None else u for u, v in zip(updated, values, strict=True)]

    non_trainable = current(model.non_trainable_variables, non_trainable)
    metrics = current(model.metrics_variables, metrics)
    return result, [(trainable, non_trainable, optimizer, metrics)]


def device_count(model):
    return len(model.variables[0].value.sharding.device_set)


def replica_number():
    return 0


def over_devices(x):
    distribution = keras.distribution.distribution()
    # Outside compiled code a number of rows that does not divide would be an error.
    if distribution is None or not isinstance(x, jax.core.Tracer):
        return x
    layout = distribution.get_data_layout(x.shape)
    return keras.distribution.distribute_tensor(x, layout)


def is_readable(x):
    return not isinstance(x, jax.core.Tracer) and x.is_fully_addressable


@contextlib.contextmanager
def values_kept(model):
    if not model.compiled:  # Keras is about to say so.
        yield
        return
    model.optimizer.build(model.trainable_variables)  # Else Keras does so, later.
    variables = [
        *(*model.variables, *model.metrics_variables, *model.optimizer.variables)
    ]
    held = [(variable, variable.value) for variable in variables]
    try:
        yield
    except BaseException:
        for variable, value in held:
            try:
                variable.value  # noqa: B018
            except TypeError:  # Keras took it out for a step that then failed.
                variable.assign(value)
        raise
