"""One process a folder."""

import subprocess
import sys

import pytest

from tasks.experiment.errors import UserError
from tasks.records import folder_lock

pytestmark = pytest.mark.no_backend


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
        assert "on earth" not in (tmp_path / "lock.holder").read_text()


def test_who_waits_says_for_whom_and_gets_the_folder_in_the_end(
    other, tmp_path, capsys, monkeypatch
):
    monkeypatch.setattr("time.sleep", lambda seconds: other.kill())
    with folder_lock.held(tmp_path, wait=True):
        pass
    assert "in use by process 7 on earth: waiting" in capsys.readouterr().err
