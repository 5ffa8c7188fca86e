"""The folder of a run: one process, and no results removed unasked."""

import subprocess
import sys

import pytest

from helpers import tiny
from tasks import digits_lt
from tasks.experiment.errors import UserError
from tasks.experiment.settings import parse
from tasks.records import folder_lock
from tasks.records import reports
from tasks.records import run_folder
from tasks.training.train import CHECKPOINTS

pytestmark = pytest.mark.no_backend


def start(folder, **changes):
    settings = tiny.settings(method="erm", out_dir=str(folder), **changes)
    return run_folder.start(folder, settings, tiny.blobs(settings))


def saved(folder, *names):
    """Files as a run leaves them, each of which says that it is a run's."""
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text("a run's")


@pytest.fixture
def finished(tmp_path):
    run = start(tmp_path)
    saved(tmp_path, "result.json", "drs/result.json")
    run_folder.finish(tmp_path, run)
    return tmp_path


def test_a_finished_run_is_not_run_again(finished):
    assert start(finished) is None
    assert start(finished, resume=True) is None
    assert (finished / "result.json").read_text() == "a run's"


@pytest.mark.parametrize("resume", [False, True])
def test_the_results_of_other_flags_are_not_overwritten(resume, finished):
    with pytest.raises(UserError, match=r"another run.*--overwrite") as raised:
        start(finished, seed=7, resume=resume)
    assert "seed: 0 then, 7 now" in str(raised.value)
    assert (finished / "drs/result.json").read_text() == "a run's"


def test_overwriting_removes_the_results_of_all_methods(finished):
    assert start(finished, seed=7, overwrite=True)["flags"]["seed"] == 7
    assert not list(finished.rglob("result.json"))
    assert not (finished / "finished.json").exists()
    assert (finished / "unfinished.json").exists()


@pytest.mark.parametrize("resume", [False, True])
@pytest.mark.parametrize(
    "left", ["result.json", "drs/result.json", f"{CHECKPOINTS}/epoch-00001.npz"]
)
def test_what_nobody_knows_of_which_run_it_is_stays(left, resume, tmp_path):
    saved(tmp_path, left)
    with pytest.raises(UserError, match=r"neither unfinished.json nor finished.json"):
        start(tmp_path, resume=resume)
    assert (tmp_path / left).exists()
    assert start(tmp_path, overwrite=True)
    assert not (tmp_path / left).exists()


def test_a_run_whose_description_is_lost_ends_as_a_finished_one(tmp_path):
    run = start(tmp_path)
    saved(tmp_path, f"{CHECKPOINTS}/epoch-00001.npz")
    (tmp_path / "unfinished.json").unlink()
    run_folder.finish(tmp_path, run)
    assert start(tmp_path) is None
    assert not (tmp_path / CHECKPOINTS).exists()


def test_results_that_lost_their_checkpoints_are_not_removed(tmp_path):
    start(tmp_path)
    saved(tmp_path, "drs/result.json")
    start(tmp_path, resume=True)
    assert (tmp_path / "drs/result.json").exists()


def test_resuming_and_overwriting_exclude_each_other():
    with pytest.raises(UserError, match="not both"):
        parse(digits_lt.TASK, ["--resume", "--overwrite"])


def test_another_number_of_threads_is_warned_of(finished, monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "77")
    with pytest.warns(UserWarning, match="number of threads changed.*77.* now"):
        assert start(finished) is None


@pytest.mark.parametrize("content", [None, "", "{", "[]"])
def test_a_damaged_result_is_named_with_what_makes_it_again(content, tmp_path):
    if content is not None:
        (tmp_path / "result.json").write_text(content)
    with pytest.raises(UserError, match=r"result.json is damaged.*--overwrite"):
        reports.read_result(tmp_path)


# One process a folder.


def test_a_folder_that_is_in_use_says_by_whom_and_since_when(tmp_path):
    with folder_lock.held(tmp_path):
        expected = r"in use by process \d+ on .+ since \d{4}-\d\d-\d\d \d\d:\d\d"
        with pytest.raises(UserError, match=expected), folder_lock.held(tmp_path):
            pass
    with folder_lock.held(tmp_path):  # Free again.
        pass
    assert not (tmp_path / "lock.holder").exists()


@pytest.fixture
def other(tmp_path):
    """A process that holds the lock."""
    program = "import sys, filelock; lock = filelock.FileLock(sys.argv[1])\n"
    program += "lock.acquire(); print('held', flush=True); sys.stdin.read()"
    process = subprocess.Popen(
        [sys.executable, "-c", program, tmp_path / "lock"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout.readline() == "held\n"
    (tmp_path / "lock.holder").write_text("process 7 on earth")
    with process:
        yield process
        process.kill()


def test_a_folder_of_a_process_that_was_killed_is_free(other, tmp_path):
    with pytest.raises(UserError, match="by process 7"), folder_lock.held(tmp_path):
        pass
    other.kill()
    other.wait()
    with folder_lock.held(tmp_path):
        assert "process 7" not in (tmp_path / "lock.holder").read_text()


def test_who_waits_says_for_whom_and_gets_the_folder_in_the_end(
    other, tmp_path, capsys, monkeypatch
):
    monkeypatch.setattr("time.sleep", lambda seconds: other.kill())
    with folder_lock.held(tmp_path, wait=True):
        pass
    assert "in use by process 7 on earth: waiting" in capsys.readouterr().err


# Files.


def test_a_link_is_replaced_and_not_written_through(tmp_path):
    elsewhere = tmp_path / "elsewhere"
    elsewhere.write_text("mine")
    (tmp_path / "history.csv").symlink_to(elsewhere)
    run_folder.write(tmp_path / "history.csv", "new")
    assert elsewhere.read_text() == "mine"
    assert (tmp_path / "history.csv").read_text() == "new"


def test_a_damaged_description_is_named(tmp_path):
    for content in ("", "{", "[]", "\udcff"):
        file = tmp_path / "unfinished.json"
        file.write_bytes(content.encode(errors="surrogateescape"))
        with pytest.raises(UserError, match=r"unfinished.json is damaged"):
            run_folder.read(file)
