"""Losses, metrics, callbacks and `M2mModel`: what they take, and what must be true."""

import pathlib
import tempfile

import keras
import numpy as np
from hypothesis import strategies as st

import keras_m2m
from helpers import fuzz_values as values
from helpers.fuzz_values import Call
from helpers.fuzz_values import K
from helpers.fuzz_values import N
from helpers.gradients import to_numpy
from helpers.m2m_cases import linear


def _loss(kind):
    def call(y_true, y_pred, **arguments):
        return to_numpy(kind(**arguments)(y_true, y_pred))

    return call


def _check_loss(result, **_):
    assert result.shape == ()
    assert result >= 0


# Keras makes tensors of them before a loss sees them.
TRUE = st.lists(st.integers(0, K - 1), min_size=N, max_size=N).map(np.array)
SCORES = values.rows(-1, 1, N, K)
LOSSES = {
    "FocalLoss": {"gamma": values.real(0, 5)},
    "LDAMLoss": {
        "class_counts": values.class_counts(),
        "max_margin": values.real(0, 1),
        "scale": values.real(1, 30),
    },
    "LogitAdjustedLoss": {
        "class_counts": values.class_counts(),
        "tau": values.real(0, 3),
    },
    "VSLoss": {
        "class_counts": values.class_counts(),
        "gamma": values.real(0, 1),
        "tau": values.real(0, 3),
    },
    "LabelAwareSmoothing": {
        "class_counts": values.class_counts(),
        "head": values.real(0.5, 1),
        "tail": values.real(0, 0.5),
    },
}


def _metric(kind):
    def call(y_true, y_pred, **arguments):
        metric = kind(**arguments)
        metric.update_state(y_true, y_pred)
        return float(to_numpy(metric.result()))

    return call


def _check_share(result, **_):
    assert 0 <= result <= 1 + 1e-6


METRIC = {
    "num_classes": values.whole(K, K),
    "y_true": values.labels(),
    "y_pred": SCORES,
    "name": values.texts("a", "b"),
}
METRICS = {
    "BalancedAccuracy": METRIC,
    "GeometricMean": {**METRIC, "correction": values.real(0, 1)},
    "OneVsRest": {
        **{key: METRIC[key] for key in ("y_true", "y_pred", "name")},
        "metric": values.texts("BinaryAccuracy", "Recall"),
        "class_id": values.whole(0, K - 1),
        "from_logits": st.booleans().filter(bool),
    },
}


def _rates(**arguments):
    return [keras_m2m.warmup_step_decay(**arguments)(epoch) for epoch in range(12)]


def _check_rates(result, initial_rate, **_):
    assert 0 < min(result) <= max(result) <= initial_rate


def _made(network, seed=1):
    return linear(seed) if network is linear else network


def _best(network, monitor):
    best = keras_m2m.BestWeights(_made(network), monitor)
    best.on_epoch_end(0, {"val_accuracy": 0.5})
    best.restore()
    return best


def _check_best(result, **_):
    assert result.value == 0.5


def _resume(network, best):
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder) / "new"
        return keras_m2m.ExactResume(folder, _made(network), best)


def _check_new(result, **_):
    assert result.epochs_done == 0


def _watch(**arguments):
    return keras_m2m.WatchAcceptance(**arguments)


def _check_watch(result, **_):
    assert 0 <= result.least <= 1


# A network stays as it is made only while nothing trains it: made for each call.
NETWORK = st.just(linear)
CALLBACKS = {
    "warmup_step_decay": Call(
        _rates,
        {
            "initial_rate": values.real(0.01, 1),
            "warmup_epochs": values.whole(0, 5),
            "drops": st.dictionaries(values.whole(0, 9), values.real(0.1, 1)),
        },
        _check_rates,
    ),
    "MomentumCorrectedScheduler": Call(
        keras_m2m.MomentumCorrectedScheduler,
        {"schedule": st.just(lambda epoch: 0.1), "verbose": st.integers(0, 1)},
        lambda result, **_: None,
    ),
    "BestWeights": Call(
        _best,
        {"network": NETWORK, "monitor": st.just("val_accuracy")},
        _check_best,
    ),
    "ExactResume": Call(_resume, {"network": NETWORK, "best": st.none()}, _check_new),
    "WatchAcceptance": Call(
        _watch,
        {
            "least": values.real(0, 1),
            "class_names": st.none() | st.just(["a", "b", "c"]),
        },
        _check_watch,
    ),
    "synchronize_batch_norm": Call(
        lambda network, **named: keras_m2m.synchronize_batch_norm(
            _made(network), **named
        ),
        {"network": NETWORK, "synchronized": st.just(False)},
        lambda result, **_: None,
    ),
}


def _mix(kind):
    x = np.linspace(0, 1, 12 * N, dtype="float32").reshape(N, 2, 2, 3)
    labels = np.arange(N) % K

    def call(**arguments):
        mixed = kind(**arguments)(x, labels.astype("int32"), seed=1)
        return [to_numpy(part) for part in mixed]

    return call


def _check_mixed(result, **_):
    x, a, b, share, partners, rows = result
    assert ((x >= 0) & (x <= 1 + 1e-6)).all()
    assert ((share >= 0) & (share <= 1)).all()
    labels = np.arange(N) % K
    assert (a == labels[rows]).all()
    assert (b == labels[partners]).all()
    assert sorted({*rows, *partners}) == [*range(N)]


def _check_trainable(result, **_):
    assert len(result.trainable_variables) == 2


ALPHA = {"alpha": values.real(0.1, 5)}
MIXING = {
    "Mixup": Call(_mix(keras_m2m.Mixup), ALPHA, _check_mixed),
    "Remix": Call(
        _mix(keras_m2m.Remix),
        {
            **ALPHA,
            "class_counts": values.class_counts(),
            "kappa": values.real(1, 9),
            "tau": values.real(0, 1),
        },
        _check_mixed,
    ),
    "CMO": Call(
        _mix(keras_m2m.CMO),
        {
            "probability": values.real(0, 1),
            "alpha": values.real(0.1, 5),
            "paired": st.booleans(),
        },
        _check_mixed,
    ),
    "MixingModel": Call(
        lambda f, **arguments: keras_m2m.MixingModel(_made(f), **arguments),
        {
            "f": NETWORK,
            "mixing": st.builds(keras_m2m.Mixup, st.just(1.0)),
            "seed": st.none() | values.whole(0, 9),
            "name": st.none() | values.texts("mixed"),
        },
        _check_trainable,
    ),
}


def _model(f, g, **arguments):
    return keras_m2m.M2mModel(_made(f), _made(g, seed=2), **arguments)


def _check_model(result, **_):
    assert not result.g.trainable_variables
    assert (result.class_counts > 0).all()
    assert np.isfinite([result.lam, result.gamma]).all()
    # What follows the step is open as long as that is.
    assert result.step_size == "auto" or result.step_size > 0
    assert (result.noise is None) <= (result.step_size == "auto")
    assert result.units is None or ((result.units >= 0).all() and result.units.any())


def _choose(f, g, **arguments):
    return keras_m2m.choose_step_size(_made(f), _made(g, seed=2), **arguments)


def _check_choice(result, **_):
    assert result.step_size > 0
    assert 0 <= result.acceptance_rate <= 1
    assert str(result).startswith("step_size ")


def _fit(x, y):
    f, g = linear(1), linear(2)
    step = {"steps": 1, "step_size": 0.1}
    model = keras_m2m.M2mModel(f, g, [6, 3, 1], beta=0.5, gamma=0.0, **step, seed=0)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.SGD(0.0), loss, run_eagerly=True)
    return model.fit(x, y, verbose=0).history


def _check_history(result, **_):
    assert np.isfinite(result["loss"]).all()
    for rate in (*result["acceptance_rate"], *result["replaced_rate"]):
        assert 0 <= rate <= 1


MODEL = {
    "M2mModel": Call(
        _model,
        {
            "f": NETWORK,
            "g": NETWORK,
            "class_counts": values.class_counts(),
            "beta": values.real(0, 0.9999),
            "lam": values.real(0, 1),
            "gamma": values.real(0, 1),
            "steps": values.whole(1, 20),
            "step_size": st.none() | st.just("auto") | values.real(0.01, 1),
            "bounds": st.sampled_from([None, (0, 1), [0.0, 1.0], np.array([0, 255])]),
            "noise": st.none() | values.real(0, 1),
            "units": st.none() | values.arrays(values.rows(0, 2, 4)),
            "unroll": st.sampled_from([None, True, False]),
            "compilation": st.sampled_from([None, {}, {"branches": False}]),
            "seed": st.none() | values.whole(0, 9),
            "name": st.none() | values.texts("m2m"),
        },
        _check_model,
    ),
    "choose_step_size": Call(
        _choose,
        {
            "f": NETWORK,
            "g": NETWORK,
            "x": values.samples(),
            "y": values.labels(),
            "class_counts": values.class_counts(),
            "beta": values.real(0, 0.9999),
            "lam": values.real(0, 1),
            "gamma": values.real(0, 1),
            "steps": values.whole(1, 3),
            "bounds": st.sampled_from([None, (0, 1), [0.0, 1.0]]),
            "noise": st.none() | values.real(0, 1),
            "units": st.none() | values.arrays(values.rows(0, 2, 4)),
            "translations": values.whole(1, 8),
            "seed": st.none() | values.whole(0, 9),
        },
        _check_choice,
    ),
    "M2mModel.fit": Call(
        _fit,
        {"x": values.arrays(values.rows(0, 1, N, 4)), "y": values.labels()},
        _check_history,
    ),
}

CALLS = {
    **{
        name: Call(
            _loss(getattr(keras_m2m, name)),
            {**arguments, "y_true": TRUE, "y_pred": SCORES},
            _check_loss,
        )
        for name, arguments in LOSSES.items()
    },
    **{
        name: Call(_metric(getattr(keras_m2m, name)), arguments, _check_share)
        for name, arguments in METRICS.items()
    },
    **CALLBACKS,
    **MIXING,
    **MODEL,
}
