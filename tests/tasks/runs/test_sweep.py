"""The trainings of a table, which two processes may share."""

from helpers import tiny
from tasks.experiment.recipes import Row
from tasks.records import folder_lock
from tasks.records.trainings import Trainings
from tasks.runs.sweep import Entry
from tasks.runs.sweep import Sweep


def test_what_another_process_is_at_comes_last(tmp_path, monkeypatch):
    result, made = Trainings.result, []

    def busy_with_erm(self, settings):
        if settings.method == "erm" and not self.wait:
            raise folder_lock.Busy("in use")
        made.append(settings.method)
        return result(self, settings)

    monkeypatch.setattr(Trainings, "result", busy_with_erm)
    rows = [Row("ce", "erm"), Row("ce", "rs")]
    entries = [Entry(tiny.TASK, ["--epochs=1"])]
    (found,) = Sweep(entries, rows, 1, tmp_path / "results", tmp_path / "runs").run()
    assert made == ["rs", "erm"]
    assert [run["flags"]["method"] for run in found["ce", "erm"]] == ["erm"]
