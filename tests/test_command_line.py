"""Every task as a user runs it: a command, its exit status, its output, its files."""

import json
import os
import pathlib
import subprocess
import sys

import numpy as np
import pytest

ROOT = pathlib.Path(__file__).parents[1]
QUICK = ["--epochs=2", "--defer_epoch=1", "--steps=2", "--gamma=0", "--batch_size=16"]
# The schema of CIFAR-10 with made images, since the real ones need a download.
WITH_MADE_IMAGES = """
import runpy, sys
import tensorflow_datasets as tfds
with tfds.testing.mock_data(num_examples=400):
    runpy.run_module("tasks.cifar_lt", run_name="__main__", alter_sys=True)
"""


def run(*command):
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run(
        [sys.executable, *command],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
    )


def result_of(finished, folder):
    assert finished.returncode == 0, finished.stderr
    return json.loads((folder / "result.json").read_text())


def test_digits_compares_m2m_with_erm_and_drs(tmp_path):
    flags = [*QUICK, "--largest=20", "--rho=4", f"--out_dir={tmp_path}"]
    finished = run("-m", "tasks.digits_lt", *flags)
    result = result_of(finished, tmp_path)
    assert result["class_counts"][0] == 20
    assert result["class_counts"][-1] == 5
    table = finished.stdout.split("bACC")[1]
    assert [line.split()[0] for line in table.splitlines()[2:6]] == [
        *("g", "erm", "drs", "m2m")
    ]
    assert (tmp_path / "translations.png").exists()
    assert f"g is saved as {tmp_path / 'g.keras'}" in finished.stdout


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


def test_reuters_drops_hardly_tested_classes_and_holds_out_a_tenth(documents, tmp_path):
    flags = [f"--data_dir={documents}", "--noverify", f"--out_dir={tmp_path}"]
    finished = run("-m", "tasks.reuters", *QUICK, *flags)
    result = result_of(finished, tmp_path)
    assert result["class_names"] == ["acq", "earn", "tin"]
    assert result["class_counts"] == [20 - 2, 40 - 4, 12 - 1]
    assert np.sum(result["confusion_matrix"]) == 9 + 6 + 5


def test_cifar_lt_trains_on_made_images_of_its_schema(tmp_path):
    flags = ["--preset=small", "--depth=8", "--largest=20", "--rho=4"]
    flags += [*QUICK, f"--out_dir={tmp_path}"]
    finished = run("-c", WITH_MADE_IMAGES, *flags)
    result = result_of(finished, tmp_path)
    assert result["class_counts"] == [20, 17, 14, 12, 10, 9, 7, 6, 5, 5]
    # The preset's value, where no flag was given.
    assert result["flags"]["beta"] == 0.99
    # A tenth of each class of the test set is for validation.
    assert np.sum(result["confusion_matrix"]) < 400
    assert (tmp_path / "translations.png").exists()


@pytest.mark.parametrize(
    "task, flags, message",
    [
        ("digits_lt", ["--beta=1"], "must be in [0, 1)"),
        ("digits_lt", ["--method=mixup"], "mixup"),
        ("digits_lt", ["--drops=soon"], "epoch:factor"),
        ("digits_lt", ["--defer_epoch=60"], "--defer_epoch must be below --epochs"),
        ("digits_lt", ["--g=/nowhere/g.keras"], "--g=/nowhere/g.keras is no file"),
        ("digits_lt", ["more"], "unexpected argument: more"),
        ("reuters", ["--data_dir=/nowhere"], "/nowhere/r52-train.txt cannot be read"),
        ("cifar_lt", ["--depth=33"], "33"),
    ],
)
def test_a_mistake_ends_with_a_message_and_no_traceback(task, flags, message, tmp_path):
    finished = run("-m", f"tasks.{task}", *flags, f"--out_dir={tmp_path}")
    assert finished.returncode != 0
    assert message in finished.stderr + finished.stdout
    assert "Traceback" not in finished.stderr


def test_a_changed_file_of_reuters_is_refused_by_its_checksum(documents, tmp_path):
    flags = [f"--data_dir={documents}", f"--out_dir={tmp_path}"]
    finished = run("-m", "tasks.reuters", *flags)
    assert finished.returncode != 0
    assert "r52-train.txt is not the file that was published" in finished.stderr


@pytest.mark.parametrize("task", ["digits_lt", "reuters", "cifar_lt"])
def test_help_lists_the_flags_with_the_defaults_of_the_task(task):
    text = run("-m", f"tasks.{task}", "--help").stdout
    assert f"python -m tasks.{task}" in text
    assert {"digits_lt": "'60'", "reuters": "'15'", "cifar_lt": "'200'"}[task] in text
    assert "--lam" in text
    assert "Major-to-minor" in text
