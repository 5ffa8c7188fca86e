"""`train`: which calls are ready to train, and which are refused."""

from hypothesis import strategies as st

import keras_m2m
from helpers import fuzz_values as values
from helpers.fuzz_values import Call
from helpers.fuzz_values import K
from keras_m2m import recipes


class Ready(Exception):
    """A network is asked for: all that is checked before has passed."""


def _train(x, y, **arguments):
    def build(head):
        raise Ready

    try:
        return keras_m2m.train(build, x, y, **arguments)
    except Ready:
        return None


def _check_ready(result, method, loss, **_):
    assert result is None
    # Known names: whatever else passes, these alone do.
    assert method in recipes.METHODS
    assert loss in recipes.LOSSES


def _name(known):
    return st.sampled_from([*known]) | values.texts("best")


CALLS = {
    "train": Call(
        _train,
        {
            "x": values.samples(),
            "y": values.labels(),
            "method": _name(recipes.METHODS),
            "loss": _name(recipes.LOSSES),
            "mix": _name(recipes.MIXES),
            "head": _name(recipes.HEADS),
            "adjust": st.sampled_from([0, 0.5, "1", "auto", "much", -1, None]),
            "sample_weight": st.none() | values.arrays(values.rows(0, 2, values.N)),
            "num_classes": st.none() | values.whole(K, K),
            "class_names": st.sampled_from([None, [*range(K)], ["a"], 3]),
            "epochs": values.whole(1, 9),
            "defer_epoch": st.none() | values.whole(0, 9),
            "batch_size": values.whole(1, 9),
            "learning_rate": values.real(0.01, 1),
            "beta": values.real(0, 0.99),
            "lam": values.real(0, 1),
            "gamma": values.real(0, 1),
            "steps": values.whole(1, 9),
            "step_size": st.none() | st.just("auto") | values.real(0.01, 1),
            "noise": st.none() | values.real(0, 1),
            "units": st.sampled_from([None, "auto", "std"]),
            "bounds": st.sampled_from([None, (-1e30, 1e30), (0, 1)]),
            "seed": values.whole(0, 9),
        },
        _check_ready,
    ),
}
