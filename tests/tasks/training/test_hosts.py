"""How several processes are told from one, and what part of the data is of each.

That they train together is tested in house/test_several_devices.py.
"""

import numpy as np
import pytest

from helpers import tiny
from tasks.data.streams import InOrder
from tasks.experiment.errors import UserError
from tasks.experiment.rows import Row
from tasks.runs.sweep import Entry
from tasks.runs.sweep import Sweep
from tasks.training import devices
from tasks.training import hosts

pytestmark = pytest.mark.no_backend
SLURM = {"SLURM_STEP_NODELIST": "node[1-2]", "SLURM_NTASKS": "2"}


@pytest.mark.parametrize(
    "variables, expected",
    [
        ({}, False),
        ({"KERAS_DISTRIBUTION_NUM_PROCESSES": "2"}, True),
        ({"KERAS_DISTRIBUTION_NUM_PROCESSES": "1"}, False),
        (SLURM, True),
        ({**SLURM, "KERAS_DISTRIBUTION_NUM_PROCESSES": "1"}, False),
        # In the script of a job, outside its steps, one process runs.
        ({"SLURM_NTASKS": "2"}, False),
        ({"OMPI_COMM_WORLD_SIZE": "4"}, True),
    ],
)
def test_several_processes_are_known_by_variables(variables, expected, monkeypatch):
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert hosts.are_several() is expected


def test_a_number_of_processes_that_is_none_is_an_error(monkeypatch):
    monkeypatch.setenv("KERAS_DISTRIBUTION_NUM_PROCESSES", "two")
    with pytest.raises(UserError, match="Received: 'two'"):
        hosts.are_several()


def test_a_table_in_several_processes_is_an_error(monkeypatch, tmp_path):
    monkeypatch.setenv("KERAS_DISTRIBUTION_NUM_PROCESSES", "2")
    entries = [Entry(tiny.TASK, ["--distribute"])]
    sweep = Sweep(entries, [Row("ce", "erm")], 1, tmp_path / "a", tmp_path / "b")
    with pytest.raises(UserError, match="a table is made by one process"):
        sweep.devices().__enter__()


def test_parts_of_validation_batches_join_to_those_of_one_process():
    samples, rows, labels = np.arange(24.0), np.arange(20), np.arange(24)
    whole = InOrder(samples, rows, 8, labels)
    parts = [InOrder(samples, rows, 8, labels, (i, 2)) for i in range(2)]
    for index in range(3):  # Of 8, 8 and 4 rows.
        joined = [np.concatenate(both) for both in zip(*(p[index] for p in parts))]
        np.testing.assert_array_equal(joined, whole[index])


def test_a_process_reads_its_part_of_the_validation_set_alone(monkeypatch):
    read = []

    class Stream:
        def __len__(self):
            return 8

        def __getitem__(self, rows):
            read.extend(rows)
            return np.asarray(rows, "float32")

    monkeypatch.setattr(hosts, "part", lambda: (1, 2))
    monkeypatch.setattr(devices, "count", lambda: 4)
    batches = devices.divisible((Stream(), np.arange(8)))
    for index in range(len(batches)):
        batches[index]
    assert read == [4, 5, 6, 7]
