"""Every task as a user runs it: a command, its exit status, its output, its files."""

import json
import os
import pathlib
import re
import runpy
import subprocess
import sys

import keras
import numpy as np
import pytest
from absl import app
from absl.testing import flagsaver

ROOT = pathlib.Path(__file__).parents[2]
QUICK = ["--epochs=2", "--defer_epoch=1", "--steps=2", "--gamma=0"]


@pytest.fixture
def command(monkeypatch, capsys):
    """`command(task, *flags)` is `python -m tasks.TASK FLAGS` in this process."""
    app.define_help_flags()  # Once per process, so before what is undone.

    def run(task, *flags):
        name = f"tasks.{task}"
        monkeypatch.delitem(sys.modules, name, raising=False)
        monkeypatch.setattr(sys, "argv", [name, *flags])
        with flagsaver.flagsaver(), pytest.raises(SystemExit) as ended:
            runpy.run_module(name, run_name="__main__", alter_sys=True)
        output = capsys.readouterr()
        # The interpreter writes a message on its own and turns it into status 1.
        message = ended.value.code if isinstance(ended.value.code, str) else ""
        status = 1 if message else ended.value.code or 0
        return status, output.out, output.err + message

    return run


def process(task, *flags):
    """The same in a process of its own, which takes seconds to import everything."""
    finished = subprocess.run(
        [sys.executable, "-m", f"tasks.{task}", *flags],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=300,
    )
    return finished.returncode, finished.stdout, finished.stderr


def result_in(folder):
    return json.loads((folder / "result.json").read_text())


# Processes of their own.


# A third of the samples: batches of one shape.
FEW_DIGITS = ["--largest=20", "--rho=4", "--batch_size=35"]


@pytest.mark.skipif(
    keras.config.backend() != "tensorflow",
    reason="there --deterministic asks for nothing of a CPU",
)
def test_m2m_has_deterministic_operations(tmp_path):
    once = ["--epochs=1", "--defer_epoch=0", "--steps=1", "--gamma=0", "--compare="]
    flags = [*once, *FEW_DIGITS, f"--out_dir={tmp_path}", "--deterministic"]
    status, output, errors = process("digits_lt", *flags)
    assert status == 0, errors
    assert "--deterministic with" in output
    assert result_in(tmp_path)["acceptance_rate"] == 1


@pytest.mark.no_backend
def test_a_mistake_ends_the_process_with_a_message_and_no_traceback(tmp_path):
    flags = ["--data_dir=/nowhere", f"--out_dir={tmp_path}"]
    status, _, errors = process("reuters", *flags)
    assert status == 1
    assert "error: /nowhere/r52-train.txt cannot be read" in errors
    assert "Traceback" not in errors


# In this process.


@pytest.mark.no_backend
def test_digits_compares_m2m_with_erm_and_drs(tmp_path, command):
    flags = [*QUICK, *FEW_DIGITS, f"--out_dir={tmp_path}"]
    status, output, errors = command("digits_lt", *flags)
    assert status == 0, errors
    result = result_in(tmp_path)
    assert result["class_counts"][0] == 20
    assert result["class_counts"][-1] == 5
    table = output.split("bACC")[1]
    assert [line.split()[0] for line in table.splitlines()[2:6]] == [
        *("g", "erm", "drs", "m2m")
    ]
    assert (tmp_path / "translations.png").exists()
    assert f"g is saved as {tmp_path / 'g.keras'}" in output


def write_documents(path, counts, rng):
    """A document a line: words of its class among words of all."""
    lines = []
    for name, count in counts.items():
        for _ in range(count):
            words = [f"{name}{rng.integers(5)}" for _ in range(6)]
            words += [f"common{rng.integers(20)}" for _ in range(6)]
            lines.append(f"{name}\t{' '.join(words)}")
    path.write_text("\n".join(rng.permutation(lines)) + "\n")


@pytest.fixture
def documents(tmp_path):
    rng = np.random.default_rng(0)
    folder = tmp_path / "documents"
    folder.mkdir()
    train = {"earn": 40, "acq": 20, "tin": 12, "rare": 9}
    write_documents(folder / "r52-train.txt", train, rng)
    # `rare` has fewer than 5 test documents, so it is dropped.
    test = {"earn": 9, "acq": 6, "tin": 5, "rare": 4}
    write_documents(folder / "r52-test.txt", test, rng)
    return folder


@pytest.mark.no_backend
def test_reuters_drops_hardly_tested_classes_and_holds_out_a_tenth(
    documents, tmp_path, command
):
    flags = [f"--data_dir={documents}", "--noverify", f"--out_dir={tmp_path}"]
    flags += ["--batch_size=13"]  # A fifth of the samples.
    status, output, errors = command("reuters", *QUICK, *flags)
    assert status == 0, errors
    assert f"Results are in {tmp_path}" in output
    result = result_in(tmp_path)
    assert result["class_names"] == ["acq", "earn", "tin"]
    assert result["class_counts"] == [20 - 2, 40 - 4, 12 - 1]
    assert np.sum(result["confusion_matrix"]) == 9 + 6 + 5


@pytest.mark.parametrize(
    "task, flags, message",
    [
        # Seen by absl, by the checks of flags, by `main` and by `run`.
        ("digits_lt", ["--beta=1"], "must be in [0, 1)"),
        ("digits_lt", ["--method=plain"], "one of <erm|rs|"),
        ("digits_lt", ["--compare=plain"], "list of erm, rs, "),
        ("digits_lt", ["--drops=soon"], "epoch:factor"),
        ("digits_lt", ["--defer_epoch=60"], "--defer_epoch must be below --epochs"),
        ("digits_lt", ["--g=/nowhere/g.keras"], "--g=/nowhere/g.keras is no file"),
        ("digits_lt", ["more"], "unexpected argument: more"),
        ("reuters", ["--data_dir=/nowhere"], "/nowhere/r52-train.txt cannot be read"),
        ("cifar_lt", ["--depth=33"], "33"),
    ],
)
def test_a_mistake_ends_with_a_message(task, flags, message, tmp_path, command):
    status, output, errors = command(task, *flags, f"--out_dir={tmp_path}")
    assert status == 1
    (line,) = re.findall("^error: .*", errors, re.MULTILINE)
    assert message in line
    assert "FATAL" not in errors + output


def test_a_changed_file_of_reuters_is_refused_by_its_checksum(
    documents, tmp_path, command
):
    flags = [f"--data_dir={documents}", f"--out_dir={tmp_path}"]
    status, _, errors = command("reuters", *flags)
    assert status == 1
    assert "r52-train.txt is not the file that was published" in errors


@pytest.mark.parametrize("task", ["digits_lt", "reuters", "cifar_lt"])
def test_help_lists_the_flags_with_the_defaults_of_the_task(task, command):
    _, text, _ = command(task, "--help")
    assert f"python -m tasks.{task}" in text
    assert {"digits_lt": "'60'", "reuters": "'15'", "cifar_lt": "'200'"}[task] in text
    assert "--lam" in text
    assert "Major-to-minor" in text
