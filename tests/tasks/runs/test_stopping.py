"""Ctrl-C and SIGTERM end a command with a message and the status of the signal."""

import contextlib
import io
import os
import signal
import sys
import time
import warnings

import pytest

from tasks.experiment.errors import UserError
from tasks.runs import commands
from tasks.runs import runner
from tasks.runs import stopping

pytestmark = pytest.mark.no_backend
SIGNALS = [signal.SIGINT, signal.SIGTERM]


@pytest.fixture
def listening(monkeypatch):
    """The handlers of a command; `os._exit` raises."""
    before = {number: signal.getsignal(number) for number in SIGNALS}
    monkeypatch.setattr(stopping, "_AGAIN", 0.05)
    monkeypatch.setattr(stopping, "_state", {"at_work": False, "received": None})

    def end(status):
        raise SystemExit(status)

    monkeypatch.setattr(os, "_exit", end)
    # A shell lets what runs in the background ignore Ctrl-C, and so would `listen`.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    stopping.listen()
    yield
    stopping.work_ends()
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.parametrize("number", SIGNALS)
def test_a_signal_ends_the_work_with_how_to_go_on_and_its_status(
    number, listening, capsys
):
    with pytest.raises(SystemExit) as ended:
        commands.call(lambda: signal.raise_signal(number), lambda: "Go on so")
    assert ended.value.code == 128 + number
    assert capsys.readouterr().err == "\nstopped. Go on so\n"


def test_what_a_framework_makes_of_it_counts_as_it(listening, capsys):
    def work():
        try:
            signal.raise_signal(signal.SIGTERM)
        except BaseException as error:
            raise RuntimeError("an operator failed") from error

    with pytest.raises(SystemExit) as ended:
        commands.call(work)
    assert ended.value.code == 143
    assert "operator" not in capsys.readouterr().err


def test_a_signal_that_is_lost_on_its_way_is_raised_again(listening):
    def work():
        # As Python does in callbacks of its garbage collector.
        with contextlib.suppress(stopping.Stopped):
            signal.raise_signal(signal.SIGINT)
        time.sleep(10)

    began = time.monotonic()
    with pytest.raises(SystemExit) as ended:
        commands.call(work)
    assert ended.value.code == 130
    assert time.monotonic() - began < 5


def test_a_second_signal_ends_at_once(listening):
    def work():
        try:
            signal.raise_signal(signal.SIGINT)
        finally:
            signal.raise_signal(signal.SIGINT)

    with pytest.raises(SystemExit) as ended:
        commands.call(work)
    assert ended.value.code == 130


def do_nothing():
    pass


def fail():
    raise UserError("no data")


@pytest.mark.parametrize("work", [None, do_nothing, fail])
def test_a_signal_before_the_work_or_after_its_end_ends_at_once(work, listening):
    if work:
        with contextlib.suppress(SystemExit):
            commands.call(work)
    with pytest.raises(SystemExit) as ended:
        signal.raise_signal(signal.SIGTERM)
    assert ended.value.code == 143


def test_a_signal_that_the_shell_ignores_stays_ignored(listening):
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    stopping.listen()
    assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN


@pytest.mark.parametrize("encoding", ["ascii", "cp1252"])
def test_what_a_terminal_cannot_show_ends_no_run(encoding, monkeypatch):
    output = io.TextIOWrapper(io.BytesIO(), encoding)
    monkeypatch.setattr(sys, "stdout", output)
    monkeypatch.setattr(warnings, "formatwarning", warnings.formatwarning)
    commands.prepare()
    print("32×32 − ± ρ \udcff", flush=True)
    assert output.buffer.getvalue().decode(encoding).startswith("32")


@pytest.mark.parametrize("error", [UserError("no data"), OSError("no disk")])
def test_a_mistake_is_an_error_of_one_line(error):
    def work():
        raise error

    with pytest.raises(SystemExit) as ended:
        commands.call(work)
    assert ended.value.code == f"error: {error}"


def test_what_goes_on_is_named_with_its_command(monkeypatch):
    monkeypatch.setattr("sys.orig_argv", ["python", "-m", "tasks.x", "--overwrite"])
    assert runner._how_to_go_on() == (
        "What is trained stays, up to the last whole epoch. To go on:\n"
        "  python -m tasks.x"
    )
