"""Batches that are made while a step runs."""

import functools
import threading
import weakref

import keras
import pytest

from helpers.numbered_samples import dataset
from helpers.numbered_samples import order
from keras_m2m.sampling.one_ahead import OneAhead


def test_the_next_value_is_made_while_the_caller_works():
    made = {i: threading.Event() for i in range(4)}

    def value(i):
        made[i].set()
        return i

    values = functools.partial(OneAhead(4), value)
    assert [values(0), values(1)] == [0, 1]
    assert made[2].wait(timeout=60)
    assert not made[3].is_set()


def test_nothing_is_made_for_calls_that_do_not_follow_one_another():
    made = []
    values = functools.partial(OneAhead(10), made.append)
    for i in (5, 5, 2, 9, 0):
        values(i)
    assert made == [5, 5, 2, 9, 0]


def test_nothing_is_made_beyond_the_end():
    made = []
    values = functools.partial(OneAhead(3), made.append)
    for i in range(3):
        values(i)
    values(0)  # Waits for whatever there is.
    assert made == [0, 1, 2, 0]


def test_values_do_not_depend_on_the_order_of_calls():
    values = functools.partial(OneAhead(10), lambda i: i * i)
    calls = [0, 1, 2, 7, 8, 3, 4, 5, 4, 5, 6, 0, 9]
    assert [values(i) for i in calls] == [i * i for i in calls]


def test_the_function_never_runs_twice_at_once():
    running, overlaps = threading.Lock(), []

    def value(i):
        overlaps.append(not running.acquire(blocking=False))
        threading.Event().wait(0.002)
        running.release()

    values = functools.partial(OneAhead(20), value)
    for i in (0, 1, 2, 9, 3, 4, 0, 1, 2, 3, 10):
        values(i)
    assert not any(overlaps)


def test_an_error_comes_when_its_own_value_is_asked_for():
    def value(i):
        if i == 3:
            raise ValueError("of 3")
        return i

    values = functools.partial(OneAhead(9), value)
    assert [values(i) for i in range(3)] == [0, 1, 2]
    with pytest.raises(ValueError, match="of 3"):
        values(3)
    # Asked for something else, it is not in the way.
    assert [values(i) for i in (1, 2, 4, 5)] == [1, 2, 4, 5]


def test_batches_of_a_dataset_are_augmented_in_a_thread_beside_the_step():
    threads = []

    def augment(x, rng):
        threads.append(threading.current_thread() is threading.main_thread())
        return x

    data = dataset(augment=augment)
    assert order(data) == order(dataset())
    # TensorFlow's pipeline has a thread of its own for all.
    beside = [True, True] + [keras.config.backend() == "tensorflow"] * 7
    assert threads == beside


def test_rows_of_an_array_are_not_worth_a_thread():
    before = set(threading.enumerate())  # One of an earlier test may still end.
    data = dataset()
    order(data)
    assert set(threading.enumerate()) <= before


def test_a_dataset_goes_with_its_last_name_and_its_thread_ends():
    before = set(threading.enumerate())
    data = dataset(augment=lambda x, rng: x)
    order(data)
    known, threads = weakref.ref(data), set(threading.enumerate()) - before
    assert bool(threads) == (keras.config.backend() != "tensorflow")
    del data
    for thread in threads:
        thread.join(timeout=60)
        assert not thread.is_alive()
    assert known() is None
