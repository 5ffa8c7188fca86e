"""Steps of Keras' SGD through changes of the rate are those of PyTorch's."""

import keras
import numpy as np
import pytest

from helpers.gradients import to_numpy
from helpers.m2m_cases import COMPILE
from helpers.m2m_cases import SHAPES
from helpers.m2m_cases import UNCOMPILED
from keras_m2m import ExactResume
from keras_m2m import M2mModel
from keras_m2m import MomentumCorrectedScheduler
from keras_m2m import warmup_step_decay

torch = pytest.importorskip("torch")

MOMENTUM = 0.9
WEIGHT_DECAY = 0.01
RATE = warmup_step_decay(0.1, warmup_epochs=3, drops={6: 0.1, 9: 0.01})
EPOCHS = 12
# Each kind of step, and each kind of SGD.
KINDS = [SHAPES[-1], SHAPES[0], "eager"]


class ToyProblem:
    """Least squares of a linear model in batches of 8, two an epoch."""

    def __init__(self):
        rng = np.random.default_rng(0)
        self.x = rng.standard_normal((16, 4)).astype("float32")
        self.y = rng.standard_normal((16, 3)).astype("float32")
        self.start = [
            rng.standard_normal(shape).astype("float32") for shape in ((4, 3), (3,))
        ]

    def model(self, optimizer=None, mode=UNCOMPILED):
        # Half of it: the gradient of L2(c) is 2 c w.
        decay = keras.regularizers.L2(WEIGHT_DECAY / 2)
        head = keras.layers.Dense(3, kernel_regularizer=decay, bias_regularizer=decay)
        model = keras.Sequential([keras.Input((4,)), head])
        model.set_weights(self.start)
        model.compile(optimizer or sgd(), "mse", **mode)
        return model

    def fit(self, model, rate=RATE, epochs=EPOCHS, first=0, callbacks=()):
        """Weights after each epoch, flattened, and what `fit` logged."""
        weights = []
        record = keras.callbacks.LambdaCallback(
            on_epoch_end=lambda epoch, logs: weights.append(flat(model.get_weights()))
        )
        logs = model.fit(
            self.x,
            self.y,
            batch_size=8,
            epochs=epochs,
            initial_epoch=first,
            callbacks=[MomentumCorrectedScheduler(rate), record, *callbacks],
            shuffle=False,
            verbose=0,
        )
        return np.array(weights), logs.history

    def torch_weights(self, rates, nesterov=False):
        """The same of PyTorch, with a rate for each epoch."""
        weights = [torch.tensor(w, requires_grad=True) for w in self.start]
        optimizer = torch.optim.SGD(
            weights,
            lr=rates[0],
            momentum=MOMENTUM,
            weight_decay=WEIGHT_DECAY,
            nesterov=nesterov,
        )
        history = []
        for rate in rates:
            optimizer.param_groups[0]["lr"] = rate
            for rows in (slice(8), slice(8, None)):
                optimizer.zero_grad()
                output = torch.tensor(self.x[rows]) @ weights[0] + weights[1]
                target = torch.tensor(self.y[rows])
                torch.nn.functional.mse_loss(output, target).backward()
                optimizer.step()
            history.append(flat(weight.detach().numpy() for weight in weights))
        return np.array(history)


def sgd(**arguments):
    return keras.optimizers.SGD(momentum=MOMENTUM, **arguments)


def flat(arrays):
    return np.concatenate([array.ravel() for array in arrays])


def torch_rates(epochs=EPOCHS):
    return [RATE(epoch) for epoch in range(epochs)]


OPTIMIZERS = {
    "plain": (sgd, False),
    "nesterov": (lambda: sgd(nesterov=True), True),
    "loss scale": (lambda: keras.optimizers.LossScaleOptimizer(sgd()), False),
}


@pytest.mark.parametrize(
    "mode, make, nesterov",
    [(mode, *OPTIMIZERS[name]) for mode, name in zip(KINDS, OPTIMIZERS)],
    ids=OPTIMIZERS,
)
def test_steps_with_warm_up_and_drops_are_those_of_pytorch(mode, make, nesterov):
    problem = ToyProblem()
    weights, logs = problem.fit(problem.model(make(), COMPILE[mode]))
    expected = problem.torch_weights(torch_rates(), nesterov)
    np.testing.assert_allclose(weights, expected, atol=1e-6)
    np.testing.assert_allclose(logs["learning_rate"], torch_rates(), rtol=1e-6)


def test_the_velocity_goes_from_plain_training_to_m2m_at_the_new_rate():
    """Where all classes are equal nothing is translated: one training in two fits."""

    def logits(weights):
        network = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3)])
        network.set_weights(weights)
        return network

    problem, loss = ToyProblem(), keras.losses.SparseCategoricalCrossentropy(True)
    problem.y = np.arange(16) % 3
    networks = [logits(problem.start) for _ in range(3)]
    for network in networks[:2]:
        network.compile(sgd(), loss, **UNCOMPILED)
    deferred, whole, g = networks
    problem.fit(deferred, epochs=6)
    model = M2mModel(deferred, g, [5, 5, 5], gamma=0, steps=1, step_size=0.1)
    model.compile(deferred.optimizer, loss, **UNCOMPILED)
    weights, _ = problem.fit(model, first=6)
    expected, _ = problem.fit(whole)
    np.testing.assert_allclose(weights[:, :15], expected[6:], atol=1e-6)


def test_a_run_resumed_at_a_drop_ends_the_same_to_the_bit(tmp_path):
    problem = ToyProblem()
    expected, _ = problem.fit(problem.model())
    for epochs in (6, 9, EPOCHS):  # Ended, like a killed one, before each drop.
        model = problem.model()
        resume = ExactResume(tmp_path, model)
        resume.restore(model)
        weights, _ = problem.fit(
            model, epochs=epochs, first=resume.epochs_done, callbacks=[resume]
        )
    np.testing.assert_array_equal(weights, expected[9:])


def test_after_a_rate_of_zero_momentum_starts_anew():
    problem, rates = ToyProblem(), [0.1, 0.1, 0.0, 0.05, 0.05]
    weights, _ = problem.fit(problem.model(), rates.__getitem__, epochs=5)
    np.testing.assert_array_equal(weights[2], weights[1])
    problem.start = [weights[2][:12].reshape(4, 3), weights[2][12:]]
    expected = problem.torch_weights(rates[3:])
    np.testing.assert_allclose(weights[3:], expected, atol=1e-6)


def test_a_schedule_may_follow_from_the_rate_before():
    problem = ToyProblem()
    weights, logs = problem.fit(problem.model(sgd(learning_rate=0.1)), halved, epochs=3)
    np.testing.assert_allclose(logs["learning_rate"], [0.1, 0.05, 0.025])
    expected = problem.torch_weights([0.1, 0.05, 0.025])
    np.testing.assert_allclose(weights, expected, atol=1e-6)


def halved(epoch, rate):
    return rate / 2 if epoch else rate


@pytest.mark.parametrize("built", [False, True])
@pytest.mark.parametrize(
    "optimizer", [keras.optimizers.SGD(), keras.optimizers.Adam()], ids=["SGD", "Adam"]
)
def test_without_a_velocity_of_sgd_the_rate_alone_is_set(optimizer, built):
    optimizer = type(optimizer).from_config(optimizer.get_config())
    model = ToyProblem().model(optimizer)
    if built:
        optimizer.build(model.trainable_variables)
        for variable in optimizer.variables[2:]:
            variable.assign(variable + 1)
    before = [to_numpy(variable) for variable in optimizer.variables[2:]]
    callback = MomentumCorrectedScheduler(lambda epoch: 0.5)
    callback.set_model(model)
    callback.on_epoch_begin(0)
    assert to_numpy(optimizer.learning_rate) == 0.5
    for variable, value in zip(optimizer.variables[2:], before, strict=True):
        np.testing.assert_array_equal(to_numpy(variable), value)


def test_what_is_no_function_is_refused():
    with pytest.raises(ValueError, match=r"function.*Received: schedule=0\.1"):
        MomentumCorrectedScheduler(0.1)
