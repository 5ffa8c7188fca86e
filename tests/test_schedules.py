import keras
import numpy as np
import pytest
import torch
from gradients import to_numpy

from keras_m2m.schedules import warmup_step_decay

MOMENTUM = 0.9
WEIGHT_DECAY = 0.01


# The schedule.


def test_warm_up_is_linear_and_ends_at_the_initial_rate():
    rate = warmup_step_decay(0.1, warmup_epochs=5)
    rates = [rate(epoch) for epoch in range(7)]
    np.testing.assert_allclose(rates, [0.02, 0.04, 0.06, 0.08, 0.1, 0.1, 0.1])


def test_cifar_drops_by_100_at_160_and_again_at_180():
    rate = warmup_step_decay()
    rates = [rate(epoch) for epoch in (159, 160, 179, 180, 199)]
    np.testing.assert_allclose(rates, [1e-1, 1e-3, 1e-3, 1e-5, 1e-5])


def test_drops_accumulate_in_any_order():
    rate = warmup_step_decay(1.0, warmup_epochs=0, drops={60: 0.5, 30: 0.1})
    np.testing.assert_allclose(
        [rate(epoch) for epoch in (0, 29, 30, 59, 60)], [1.0, 1.0, 0.1, 0.1, 0.05]
    )


def test_later_changes_of_the_drops_do_not_count():
    drops = {10: 0.1}
    rate = warmup_step_decay(1.0, 0, drops)
    drops[5] = 0.1
    assert rate(5) == 1.0


@pytest.mark.parametrize(
    "arguments",
    [
        {"initial_rate": 0.0},
        {"initial_rate": float("nan")},
        {"warmup_epochs": -1},
        {"warmup_epochs": 2.5},
        {"drops": {-1: 0.1}},
        {"drops": {10.5: 0.1}},
        {"drops": {10: 0.0}},
        {"drops": {10: 10.0}},
    ],
)
def test_arguments_out_of_range_are_rejected(arguments):
    with pytest.raises(ValueError, match="Received: "):
        warmup_step_decay(**arguments)


def test_keras_sets_the_rate_of_each_epoch_also_when_a_run_goes_on():
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    model.compile(keras.optimizers.SGD(), "mse")
    rate = warmup_step_decay(0.1, warmup_epochs=2, drops={4: 0.1})
    history = model.fit(
        np.zeros((2, 2)),
        np.zeros((2, 1)),
        epochs=6,
        initial_epoch=3,
        callbacks=[keras.callbacks.LearningRateScheduler(rate)],
        verbose=0,
    )
    np.testing.assert_allclose(history.history["learning_rate"], [0.1, 0.01, 0.01])


# What its docstring says of Keras' SGD and PyTorch's.


class ToyProblem:
    """Least squares of a linear model, trained by Keras and by PyTorch alike."""

    def __init__(self):
        rng = np.random.default_rng(0)
        self.x = rng.standard_normal((16, 4)).astype("float32")
        self.y = rng.standard_normal((16, 3)).astype("float32")
        self.start = [
            rng.standard_normal(shape).astype("float32") for shape in ((4, 3), (3,))
        ]

    def keras_weights(self, rates):
        """Kernel and bias, flattened, after a step at each of the rates."""
        # Half of it: the gradient of L2(c) is 2 c w.
        decay = keras.regularizers.L2(WEIGHT_DECAY / 2)
        head = keras.layers.Dense(3, kernel_regularizer=decay, bias_regularizer=decay)
        model = keras.Sequential([keras.Input((4,)), head])
        model.set_weights(self.start)
        model.compile(keras.optimizers.SGD(rates[0], momentum=MOMENTUM), "mse")
        history = []
        for rate in rates:
            model.optimizer.learning_rate = rate
            model.train_on_batch(self.x, self.y)
            history.append(np.concatenate([to_numpy(w).ravel() for w in model.weights]))
        return np.array(history)

    def torch_weights(self, rates):
        """The same of PyTorch, and its momentum buffers after each step."""
        weights = [torch.tensor(w, requires_grad=True) for w in self.start]
        optimizer = torch.optim.SGD(
            weights, lr=rates[0], momentum=MOMENTUM, weight_decay=WEIGHT_DECAY
        )
        history, buffers = [], []
        for rate in rates:
            optimizer.param_groups[0]["lr"] = rate
            optimizer.zero_grad()
            output = torch.tensor(self.x) @ weights[0] + weights[1]
            torch.nn.functional.mse_loss(output, torch.tensor(self.y)).backward()
            optimizer.step()
            history.append(flat(weights))
            buffers.append(flat(optimizer.state[w]["momentum_buffer"] for w in weights))
        return np.array(history), np.array(buffers)


def flat(tensors):
    return np.concatenate([tensor.detach().numpy().ravel() for tensor in tensors])


def test_at_a_constant_rate_l2_of_half_the_decay_makes_keras_sgd_pytorchs():
    problem, rates = ToyProblem(), [0.1] * 30
    expected, _ = problem.torch_weights(rates)
    np.testing.assert_allclose(problem.keras_weights(rates), expected, atol=1e-6)


def test_after_a_drop_keras_carries_the_old_rate_and_the_carry_fades():
    """The residual, where a drop from a to b follows a momentum buffer u.

    With equal gradients, Keras' n-th step after the drop is longer than
    PyTorch's by (a - b) m ** n u. Here the new rate is so small that gradients
    stay equal, and what is left of the difference of steps is that residual.
    """
    a, b, steps_before, steps_after = 0.1, 1e-8, 3, 40
    problem = ToyProblem()
    rates = [a] * steps_before + [b] * steps_after
    by_torch, buffers = problem.torch_weights(rates)
    by_keras = problem.keras_weights(rates)
    u = buffers[steps_before - 1]
    extra = -np.diff(by_keras - by_torch, axis=0)[steps_before - 1 :]
    expected = [(a - b) * MOMENTUM**n * u for n in range(1, steps_after + 1)]
    np.testing.assert_allclose(extra, expected, atol=1e-6)


def test_after_a_drop_keras_stays_within_the_sum_of_the_carry():
    """On least squares, curvature only shortens the way that the carry goes."""
    a, b, steps_before = 0.1, 0.01, 3
    problem = ToyProblem()
    rates = [a] * steps_before + [b] * 400
    by_torch, buffers = problem.torch_weights(rates)
    apart = np.linalg.norm(problem.keras_weights(rates) - by_torch, axis=1)
    carry = (a - b) * np.linalg.norm(buffers[steps_before - 1])
    assert apart.max() <= carry * MOMENTUM / (1 - MOMENTUM)
    assert apart.max() > 0.1 * carry
    # Both go to the one minimum.
    assert apart[-1] < 0.05 * apart.max()
