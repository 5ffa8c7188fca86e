"""What is done after training: what it takes, and what must be true of the result."""

import numpy as np
from hypothesis import strategies as st

import keras_m2m
from helpers import fuzz_values as values
from helpers.fuzz_values import Call
from helpers.fuzz_values import K
from helpers.fuzz_values import N
from helpers.gradients import to_numpy
from keras_m2m import heads


def _check_network(result, **_):
    logits = to_numpy(result(np.full((2, 4), 0.5, "float32")))
    assert logits.shape == (2, K)
    assert np.isfinite(logits).all()


def _check_prior(result, **_):
    assert (result > 0).all()
    assert abs(result.sum() - 1) < 1e-6


def _check_features(result, **_):
    assert result.values.shape[1:] == (4,)  # Of as many samples as came.
    assert np.isfinite(result.values).all()


def _check_choice(result, taus, **_):
    assert result.tau in np.asarray(taus, float)
    assert all(0 <= score <= 1 for score in result.scores)


F = {"f": st.just(keras_m2m.mlp(K, (4,), hidden=4))}
PRIOR = values.class_counts()
# Features, which need no network to be compiled, of samples and their labels.
X = values.rows(0, 1, N, 4).map(heads.Features)
DATA = {"x": X, "y": values.labels()}
VALIDATION = {"x_val": X, "y_val": values.labels()}
TRAINING = {
    **F,
    **DATA,
    "epochs": values.whole(1, 2),
    "batch_size": values.whole(2, 6),
    "learning_rate": values.real(0.01, 1),
    "weight_decay": values.real(0, 0.1),
    "seed": values.whole(0, 9),
}
_of_network = {
    "adjust_logits": {**F, "prior_or_class_counts": PRIOR, "tau": values.real(0, 2)},
    "with_prior": {**F, "train_prior": PRIOR, "test_prior": PRIOR},
    "temperature_scaled": {**F, **VALIDATION},
    "tau_normalised": {**F, "tau": values.real(0, 2)},
    "nearest_class_mean": {**F, **DATA},
    "retrained_head": TRAINING,
    "scaled_head": TRAINING,
}
CALLS = {
    **{
        f"heads.{name}": Call(getattr(heads, name), arguments, _check_network)
        for name, arguments in _of_network.items()
    },
    "heads.estimate_prior": Call(
        heads.estimate_prior, {**F, "train_prior": PRIOR, "x": X}, _check_prior
    ),
    "heads.features": Call(
        heads.features,
        {**F, "x": values.samples(), "batch_size": values.whole(1, 9)},
        _check_features,
    ),
    "heads.feature_network": Call(
        heads.feature_network, F, lambda result, **_: result.output_shape[1] == 4
    ),
    "heads.choose_tau": Call(
        heads.choose_tau,
        {
            **F,
            **VALIDATION,
            "make": st.just(heads.tau_normalised),
            "taus": st.lists(values.real(0, 2), min_size=1, max_size=3),
        },
        _check_choice,
    ),
}
