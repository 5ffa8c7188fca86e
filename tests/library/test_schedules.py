import numpy as np
import pytest

from keras_m2m.schedules import warmup_step_decay


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
        {"drops": {10: "0.1"}},
        {"drops": None},
        {"drops": [10]},
        {"initial_rate": 1e308},
    ],
)
def test_arguments_out_of_range_are_rejected(arguments):
    with pytest.raises(ValueError, match="Received: "):
        warmup_step_decay(**arguments)


def test_numbers_of_numpy_cost_no_precision():
    rate = warmup_step_decay(0.1, 0, {np.int64(3): np.float32(0.25)})
    assert rate(0) == 0.1
    assert rate(3) == 0.1 * 0.25
