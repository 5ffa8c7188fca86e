"""Memory that is asked for before it is taken, and shared among threads."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from tasks.data.own import memory
from tasks.data.own.memory import MemoryBudget
from tasks.data.own.memory import check_memory
from tasks.experiment.errors import UserError

pytestmark = pytest.mark.no_backend


def test_data_that_needs_more_than_is_free_is_refused(monkeypatch):
    monkeypatch.setattr(memory, "available", lambda: 2**30)
    check_memory(2**30, "x", "y")
    match = r"^x would need 1\.5 GiB of memory, and 1\.0 GiB are free\. Save less$"
    with pytest.raises(UserError, match=match):
        check_memory(3 * 2**29, "x", "Save less")


def test_threads_hold_no_more_than_the_budget_and_all_come_to_an_end():
    budget, seen = MemoryBudget(10), []

    def work(amount):
        with budget.taken(amount):
            seen.append(budget.used)
            threading.Event().wait(1e-4)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, [3, 10, 1, 7, 4] * 20))
    assert len(seen) == 100
    assert max(seen) <= 10
    assert budget.used == 0


def test_what_an_error_held_is_given_back():
    budget = MemoryBudget(10)
    with pytest.raises(KeyError), budget.taken(10):
        raise KeyError
    assert budget.used == 0


@pytest.mark.parametrize("size", [9, 0, -5])
def test_more_than_there_ever_is_raises_instead_of_waiting(size):
    with (
        pytest.raises(MemoryError, match=r"it takes .* of memory"),
        MemoryBudget(size).taken(10),
    ):
        pass
