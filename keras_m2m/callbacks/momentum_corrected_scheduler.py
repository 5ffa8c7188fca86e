"""A learning-rate schedule under which Keras' SGD takes PyTorch's steps."""

from collections.abc import Callable

import keras


class MomentumCorrectedScheduler(keras.callbacks.LearningRateScheduler):
    """Sets the learning rate of each epoch, and rescales the velocity of `SGD`.

    Keras' `SGD(momentum=m)` keeps the rate inside its velocity,
    `v = m * v - rate * gradient`. After a drop by 100 the velocity is still that of
    the old rate, and `m / (1 - m)` steps at the old rate follow: nine for 0.9.
    PyTorch's `SGD`, for which the schedules of most papers were written, keeps the rate
    outside. This callback multiplies the velocity by new over old rate whenever the
    rate changes, in warm-up as in a drop. Steps are then those of PyTorch, with
    Nesterov's momentum too.

    The old rate is that of the optimizer, so that one optimizer can go through
    several `fit` calls, and a run can go on from a checkpoint of the optimizer.
    A rate of 0 empties the velocity: momentum starts anew after it.

    Only `SGD` is rescaled, also inside a `LossScaleOptimizer`. Of any other optimizer
    the rate is set and nothing else: Adam has its rate outside, `RMSprop(momentum=m)`
    carries the old one as `SGD` does.

    PyTorch's `weight_decay` adds `weight_decay * w` to the gradient. In Keras this is
    the regulariser `L2(weight_decay / 2)` on every parameter;
    `SGD(weight_decay=...)` decays apart from the gradient and is not the same.

    Args:
        schedule: Function from an epoch, counted from 0, to the rate of that epoch, a
            float, as `warmup_step_decay` returns. Keras gives it the current rate as
            a second argument if it takes one.
        verbose: 1 prints the rate of each epoch, 0 does not.

    Raises:
        ValueError: If `schedule` is no function; in `fit`, if it returns no float.

    Example:

    >>> import keras_m2m
    >>> rate = keras_m2m.warmup_step_decay(0.1, warmup_epochs=5, drops={160: 0.01})
    >>> callbacks = [keras_m2m.MomentumCorrectedScheduler(rate)]

    Source: Goyal et al., Accurate, Large Minibatch SGD (2017), section 3, "apply
    momentum correction after changing learning rate".
    """

    def __init__(self, schedule: Callable[..., float], verbose: int = 0) -> None:
        if not callable(schedule):
            raise ValueError(
                "`schedule` must be a function from an epoch to a learning rate. "
                f"Received: schedule={schedule!r}"
            )
        super().__init__(schedule, verbose)

    def on_epoch_begin(self, epoch: int, logs: dict | None = None) -> None:
        optimizer = self.model.optimizer
        # A `LossScaleOptimizer` wraps the one that takes the steps.
        optimizer = getattr(optimizer, "inner_optimizer", optimizer)
        old = _rate(optimizer)
        super().on_epoch_begin(epoch, logs)
        new = _rate(optimizer)
        # Before its first step, an optimizer need not be built.
        if isinstance(optimizer, keras.optimizers.SGD) and optimizer.built:
            factor = new / old if old else 0.0
            for velocity in optimizer.momentums if new != old else ():
                velocity.assign(velocity * factor)


def _rate(optimizer):
    """As the optimizer holds it, rounded to its precision."""
    return float(keras.ops.convert_to_numpy(optimizer.learning_rate))
