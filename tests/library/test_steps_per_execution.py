"""Several training steps that are handed to the device at once."""

import keras
import numpy as np
import pytest

import keras_m2m
from helpers import m2m_cases
from helpers.compilation import normal
from helpers.m2m_cases import SHAPES

BACKEND = keras.config.backend()
by_several = pytest.mark.skipif(BACKEND == "torch", reason="Keras takes one at a time")
COUNTS = [40, 15, 5]
X, IMAGES = normal(60, 4, seed=3), normal(60, *m2m_cases.image_shape(), seed=3)
Y = np.repeat([0, 1, 2], COUNTS)


def made(at_once, mode=SHAPES[0], network=m2m_cases.linear):
    """An `M2mModel`, and its f."""
    f, g = network(0), network(1)
    model = keras_m2m.M2mModel(
        *(f, g, COUNTS), beta=0.9, gamma=0.3, steps=2, step_size=0.5, seed=4
    )
    model.compile(
        m2m_cases.sgd(),
        m2m_cases.LOSS,
        metrics=[keras_m2m.BalancedAccuracy(3)],
        steps_per_execution=at_once,
        **m2m_cases.COMPILE[mode],
    )
    return model, f


def balanced(first=0, last=2, x=X):
    return keras_m2m.ResampledDataset(x, Y, 10, "class", epochs=last, first_epoch=first)


def trained(model, f, **arguments):
    """Weights, logs and counts after a `fit`."""
    watch = keras_m2m.WatchAcceptance()
    history = model.fit(**arguments, callbacks=[watch], verbose=0).history
    return f.get_weights(), history, watch


def assert_same(one, other, rtol=0.0):
    for left, right in zip(one[0], other[0], strict=True):
        np.testing.assert_allclose(left, right, rtol=rtol, atol=rtol)
    assert one[1].keys() == other[1].keys()
    for name, values in one[1].items():
        np.testing.assert_allclose(values, other[1][name], rtol=rtol, err_msg=name)
    assert one[2].translated.sum() > 0
    np.testing.assert_array_equal(one[2].translated, other[2].translated)
    np.testing.assert_array_equal(one[2].accepted, other[2].accepted)


@by_several
def test_balanced_epochs_are_to_the_bit_those_of_one_step_at_a_time():
    # Validation has a last batch that is smaller, in an execution that is not full.
    arguments = {"validation_data": (X, Y), "validation_batch_size": 25}
    arguments |= balanced().fit_arguments
    assert_same(*(trained(*made(n, SHAPES[-1]), **arguments) for n in (1, 3)))


@by_several
def test_those_of_networks_with_convolutions_differ_by_rounding_at_most():
    # By none with Keras 3.15; from 3.16 on steps are part of a larger program.
    batches = balanced(x=IMAGES).fit_arguments
    several = (made(n, network=m2m_cases.convolutional) for n in (1, 3))
    assert_same(*(trained(*each, **batches) for each in several), rtol=1e-5)


@by_several
def test_the_last_steps_of_arrays_may_be_fewer():
    arrays = {"x": X, "y": Y, "batch_size": 12, "shuffle": False, "epochs": 2}
    assert_same(*(trained(*made(n), **arrays) for n in (1, 3)))


@by_several
def test_a_resumed_training_is_that_of_one_step_at_a_time(tmp_path):
    whole, _ = made(1)
    whole.fit(**balanced().fit_arguments, verbose=0)
    for first, at_once in enumerate((2, 3)):
        model, f = made(at_once)
        resume = keras_m2m.ExactResume(tmp_path, f)
        resume.restore(model)
        assert resume.epochs_done == first
        batches = balanced(first, first + 1)
        model.fit(**batches.fit_arguments, callbacks=[resume], verbose=0)
    for left, right in zip(whole.f.get_weights(), f.get_weights(), strict=True):
        np.testing.assert_array_equal(left, right)


def test_steps_that_do_not_divide_an_epoch_are_refused():
    model, _ = made(4)
    with pytest.raises(ValueError, match=r"one of \[1, 2, 3, 6\].*steps_per_epoch=6"):
        model.fit(**balanced().fit_arguments, verbose=0)


@by_several
@pytest.mark.skipif(
    BACKEND == "jax" and keras.__version__ < "3.16",
    reason="there the steps before were given the values, and their results are lost",
)
def test_variables_keep_their_values_where_a_later_step_of_the_first_ones_fails():
    def augment(x, rng):
        augment.calls += 1
        if augment.calls > 2:
            raise ValueError("the third batch")
        return x

    augment.calls = 0
    batches = keras_m2m.ResampledDataset(X, Y, 10, "class", augment=augment)
    model, f = made(6)
    with pytest.raises(Exception, match="the third batch"):
        model.fit(**batches.fit_arguments, verbose=0)
    assert all(np.isfinite(weights).all() for weights in f.get_weights())
