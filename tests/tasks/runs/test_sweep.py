"""The trainings of a table, which two processes may share."""

import pytest

from helpers import tiny
from tasks.experiment.rows import Row
from tasks.records import folder_lock
from tasks.records.trainings import Trainings
from tasks.runs.sweep import Entry
from tasks.runs.sweep import Sweep

pytestmark = pytest.mark.no_backend  # test_trainings makes trainings on each.


@pytest.fixture
def made(tmp_path, monkeypatch):
    """Methods as they are trained, of three: `erm` stays busy, `rw` is at first."""
    result, made, asked = Trainings.result, [], []

    def busy(self, settings):
        asked.append(settings.method)
        at_first = settings.method == "rw" and asked.count("rw") == 1
        if at_first or (settings.method == "erm" and not self.wait):
            raise folder_lock.Busy("in use")
        made.append(settings.method)
        return result(self, settings)

    monkeypatch.setattr(Trainings, "result", busy)
    rows = [Row("ce", method) for method in ("erm", "rw", "rs")]
    entries = [Entry(tiny.TASK, ["--epochs=1"])]
    (found,) = Sweep(entries, rows, 1, tmp_path / "results", tmp_path / "runs").run()
    assert {row: run["flags"]["method"] for row, (run,) in found.items()} == {
        row.key: row.method for row in rows
    }
    return made


def test_what_another_process_is_at_comes_last_and_what_got_free_before_it(made):
    assert made == ["rs", "rw", "erm"]
