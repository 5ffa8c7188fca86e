"""Several training steps of a task that are handed to the device at once."""

from dataclasses import replace

import keras
import numpy as np
import pytest

from helpers import tiny
from keras_m2m.recipes import phases
from tasks.experiment.errors import UserError
from tasks.experiment.settings import flags_of_the_run
from tasks.training import devices
from tasks.training.recipe import recipe_of
from tasks.training.recipe import training_set
from tasks.training.train import train

BACKEND = keras.config.backend()


def trained(folder, at_once):
    settings = tiny.settings(steps_per_execution=at_once)
    data = tiny.blobs(settings)
    keras.utils.set_random_seed(1)
    g = tiny.build(data, "dense", settings)
    return train(tiny.TASK, data, settings, folder, g)


@pytest.mark.skipif(BACKEND == "torch", reason="Keras takes one at a time")
def test_a_task_trains_to_the_bit_as_by_one_step_at_a_time(tmp_path):
    one, several = (trained(tmp_path / str(n), n) for n in (1, 3))
    for left, right in zip(one.f.get_weights(), several.f.get_weights(), strict=True):
        np.testing.assert_array_equal(left, right)
    assert one.history == several.history
    np.testing.assert_array_equal(one.translations, several.translations)
    # What predicts goes on one step at a time.
    assert several.f.steps_per_execution == several.model.steps_per_execution == 1


@pytest.mark.parametrize(
    "steps, most, expected",
    [(97, 100, 97), (97, 96, 1), (85, 20, 17), (6, 4, 3), (6, 1, 1), (4, 2**31 - 1, 4)],
)
def test_a_task_takes_the_most_steps_that_divide_an_epoch(steps, most, expected):
    settings = tiny.settings(steps_per_execution=most, batch_size=10)
    data = tiny.blobs(settings)
    # The last batch is filled up.
    x = np.zeros((10 * steps - 9, 2), "float32")
    data = replace(data, train=(x, np.zeros(len(x), "int64")))
    assert (
        phases.steps_per_execution(training_set(data), recipe_of(settings)) == expected
    )


def test_how_many_steps_are_handed_over_is_no_part_of_what_a_training_is():
    one, several = (tiny.settings(steps_per_execution=n) for n in (1, 7))
    assert flags_of_the_run(one) == flags_of_the_run(several)


@pytest.mark.skipif(BACKEND != "torch", reason="of PyTorch")
def test_a_task_on_pytorch_says_that_it_takes_one_step_at_a_time():
    several = devices.chosen_devices(tiny.settings(steps_per_execution=2))
    with pytest.raises(UserError, match="Received: --steps_per_execution=2"), several:
        pass
