"""The processes that train small networks."""

import os

import pytest
from over_tables import pool

pytestmark = pytest.mark.no_backend


def test_new_processes_come_after_so_many_calls():
    done = pool.finished(_pid_of, [(k,) for k in range(3)], processes=1, at_once=1)
    assert len({pid for _, pid, _ in done}) == 3


def test_a_call_that_fails_ends_no_other():
    done = list(pool.finished(int, [("1",), ("one",), ("2",)], processes=1))
    found = {call: (result, type(error)) for call, result, error in done}
    assert found[("1",)] == (1, type(None))
    assert found[("one",)] == (None, ValueError)
    assert found[("2",)] == (2, type(None))


def test_processes_have_one_thread_unless_told_otherwise(monkeypatch):
    monkeypatch.setattr(os, "environ", {"TF_NUM_INTEROP_THREADS": "4"})
    with pool.small_networks():
        assert os.environ["OMP_NUM_THREADS"] == "1"
        assert os.environ["TF_NUM_INTEROP_THREADS"] == "4"


def _pid_of(_):
    return os.getpid()
