"""JAX: a pure gradient; state enters and leaves through a StatelessScope."""

import jax
import keras

fused_batch_norm = None  # XLA fuses what Keras writes out.


def input_gradient(fn, x):
    return jax.grad(fn)(x)


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
