"""Training on several devices, in processes of their own, against one device."""

import json
import os
import pathlib
import signal
import subprocess
import sys
import zipfile

import keras
import numpy as np
import pytest
from keras import ops

from helpers import several_devices
from helpers import several_processes
from helpers import tiny
from helpers.several_processes import HOSTS
from keras_m2m import draws
from keras_m2m import synchronize_batch_norm
from tasks.experiment.errors import UserError
from tasks.runs import runner
from tasks.training import devices

TESTS = pathlib.Path(__file__).parents[1]
BACKEND = keras.config.backend()
CASE = {"jax": "jax_devices", "tensorflow": "tensorflow_replicas"}.get(BACKEND)
PROGRAM = {
    "jax": [several_processes.__file__],
    "tensorflow": [several_devices.__file__, CASE],
}.get(BACKEND)
on_jax = pytest.mark.skipif(BACKEND != "jax", reason="JAX alone")
on_tensorflow = pytest.mark.skipif(BACKEND != "tensorflow", reason="TensorFlow alone")
on_several = pytest.mark.skipif(BACKEND == "torch", reason="PyTorch: one device")


def run(program, *arguments, backend=BACKEND):
    """What a program says, in a process of its own without GPUs."""
    path = os.pathsep.join([str(TESTS.parent), str(TESTS)])
    given = {"PYTHONPATH": path, "KERAS_BACKEND": backend}
    given["CUDA_VISIBLE_DEVICES"] = "-1"
    ended = subprocess.run(
        [sys.executable, *program, *map(str, arguments)],
        env={**os.environ, **given},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=500,
    )
    assert ended.returncode == 0, ended.stdout[-3000:]
    return ended.stdout


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("several")


@pytest.fixture(scope="module")
def several(folder):
    """What four devices of JAX, or two replicas of TensorFlow, found."""
    output = run(PROGRAM, folder)
    found = json.loads((folder / f"{CASE}.json").read_text())
    return {**found, "output": output}


def told(case, folder):
    """How processes that ran a case together ended, and what they said."""
    codes = json.loads((folder / "statuses.json").read_text())[case]
    logs = [(folder / f"{case}-{i}.log").read_text() for i in range(HOSTS)]
    return list(zip(codes, logs, strict=True))


@pytest.fixture(scope="module")
def killed(folder, several):
    """Of processes of which one was killed in the middle of a run."""
    return told("killed", folder)


@pytest.fixture(scope="module")
def processes(folder, several):
    """What several processes found, in the end of that run too."""
    found = []
    for i, (code, log) in enumerate(told("gone_on", folder)):
        assert code == 0, log[-3000:]
        own = json.loads((folder / f"gone_on-{i}.json").read_text())
        found.append({**own, "output": log})
    return found


@pytest.fixture(scope="module")
def alone(several):
    """What one device found; on TensorFlow, drawing in halves of the batch."""
    return several["alone"]


def assert_close(found, expected):
    for value, one in zip(found, expected, strict=True):
        np.testing.assert_allclose(value, one, rtol=1e-5, atol=1e-5)


# One step and the next: weights, moving statistics and logs.


@on_several
def test_the_case_accepts_some_translations_and_rejects_others(alone):
    assert all(0.1 < rate < 0.9 for rate in alone["history"]["acceptance_rate"])


@on_several
def test_f_and_its_moving_statistics_become_those_of_one_device(several, alone):
    assert_close(several["f"], alone["f"])


@on_several
def test_g_stays_as_it_was_on_every_device(several, alone):
    g = several_devices.m2m_cases.convolutional(2).get_weights()
    assert_close(several["g"], g)


@on_several
def test_rates_metrics_and_losses_are_those_of_one_device(several, alone):
    assert several["history"].keys() == alone["history"].keys()
    for key, values in alone["history"].items():
        np.testing.assert_allclose(several["history"][key], values, rtol=1e-5)


@on_jax
def test_batches_are_mixed_as_on_one_device(several, alone):
    assert_close(several["mixed"], alone["mixed"])


@on_tensorflow
def test_replicas_train_on_mixed_batches_of_their_own(several):
    before = several_devices.m2m_cases.convolutional(1).get_weights()
    # The kernel of the head.
    assert np.abs(np.subtract(several["mixed"][-2], before[-2])).max() > 1e-3
    assert all(np.isfinite(weight).all() for weight in several["mixed"])


@on_jax
def test_translations_are_divided_among_the_devices(several):
    assert several["shards"] == [32 / 4]


@on_jax
def test_several_processes_train_what_one_device_does(processes, alone):
    for found in processes:
        assert_close(found["f"], alone["f"])
        for key, values in alone["history"].items():
            np.testing.assert_allclose(found["history"][key], values, rtol=1e-5)


@on_jax
def test_a_process_that_gives_whole_batches_is_told_its_part(processes):
    for index, found in enumerate(processes):
        assert f"shard=({index}, {HOSTS})" in found["whole batches"]


@on_tensorflow
def test_replicas_draw_different_numbers_and_new_ones_each_time(several):
    drawn = [number for both in several["draws"] for one in both for number in one]
    assert len(set(drawn)) == 2 * 2 * 3


def test_the_only_replica_draws_what_an_ordinary_generator_draws():
    generators = draws.ReplicaSeedGenerator(5), keras.random.SeedGenerator(5)
    for _ in range(2):
        ours, plain = (keras.random.uniform((3,), seed=g) for g in generators)
        np.testing.assert_array_equal(
            ops.convert_to_numpy(ours), ops.convert_to_numpy(plain)
        )


# Mistakes.


@on_jax
@pytest.mark.parametrize(
    "case, reason",
    [
        ("a batch of 10 rows", "a batch of 10 rows, devices=4"),
        ("an array", "a batch of 6 rows, devices=4"),
        ("too early", "'f': 1, 'g': 1"),
    ],
)
def test_what_four_devices_cannot_train_is_an_error(case, reason, several):
    assert reason in several[case]


@on_tensorflow
@pytest.mark.parametrize(
    "case, reason",
    [
        ("a batch of 9 rows", "a batch of 9 rows, devices=2"),
        ("an array", "a batch of 1 rows, devices=2"),
        ("XLA", "jit_compile=True, replicas=2"),
        ("outside the scope", "'M2mModel': 1, 'f': 2, 'g': 2"),
    ],
)
def test_what_two_replicas_cannot_train_is_an_error(case, reason, several):
    assert reason in several[case]


@pytest.mark.skipif(BACKEND == "jax", reason="JAX can")
def test_keras_distribution_on_another_backend_than_jax_is_an_error(monkeypatch):
    model, data = several_devices.made(), several_devices.batches()
    monkeypatch.setattr(keras.distribution, "distribution", lambda: "DataParallel")
    with pytest.raises(ValueError, match="JAX backend alone"):
        model.fit(**data.fit_arguments)


@pytest.mark.skipif(BACKEND == "tensorflow", reason="TensorFlow can")
def test_batch_norm_is_synchronised_on_tensorflow_alone():
    network = several_devices.build_with_norm(None, None, None)
    with pytest.raises(ValueError, match="Only TensorFlow"):
        synchronize_batch_norm(network)


@on_tensorflow
def test_batch_norm_of_nested_models_is_synchronised_and_no_more():
    inner = several_devices.build_with_norm(None, None, None)
    network = keras.Sequential([keras.Input((2,)), inner])
    norm = inner.layers[1]
    synchronize_batch_norm(network)
    assert norm.synchronized
    synchronize_batch_norm(network, False)
    assert not norm.synchronized


# Tasks, with --distribute.


@on_several
def test_a_distributed_task_finds_what_one_device_finds(several, folder):
    number = {"jax": 4, "tensorflow": 2}[BACKEND]
    assert several["task alone"]["devices"] == 1
    assert several["task"] == {**several["task alone"], "devices": number}
    f, g = (
        keras.saving.load_model(folder / place / "f.keras").get_weights()
        for place in ("several", "alone")
    )
    assert_close(f, g)


@on_several
def test_a_distributed_task_says_on_how_many_devices(several):
    number = {"jax": 4, "tensorflow": 2}[BACKEND]
    assert f"--distribute: {number} devices" in several["output"]


@on_jax
def test_a_task_of_several_processes_finds_what_one_device_finds(
    several, processes, folder
):
    assert processes[0]["task"] == {**several["task alone"], "devices": 4}
    f, g = (
        keras.saving.load_model(folder / place / "f.keras").get_weights()
        for place in ("of process 0", "alone")
    )
    assert_close(f, g)


@on_jax
def test_process_0_alone_writes(processes, folder):
    assert [own["task"] for own in processes[1:]] == [None] * (HOSTS - 1)
    assert [path.name for path in folder.glob("of process *")] == ["of process 0"]


@on_jax
def test_a_killed_process_ends_the_others_with_a_message(killed):
    codes = [code for code, _ in killed]
    assert codes == [-signal.SIGKILL if i == 1 else 1 for i in range(HOSTS)]
    for i, (_, output) in enumerate(killed):
        if i != 1:
            assert f"error: process 1 of {HOSTS} on" in output
            assert "the same command in all processes goes on" in output


@on_jax
def test_a_run_goes_on_where_a_process_was_killed(processes):
    assert "going on after 2 epochs" in processes[0]["output"]


LOAD = """
import sys, keras, keras_m2m, numpy as np
f = keras.saving.load_model(sys.argv[1])
np.save(sys.argv[2], f.predict(np.arange(8.0).reshape(4, 2), verbose=0))
"""


@on_tensorflow
def test_f_of_replicas_loads_on_another_backend(several, folder, tmp_path):
    path, output = folder / "several" / "f.keras", tmp_path / "outputs.npy"
    assert b'"synchronized": true' not in zipfile.ZipFile(path).read("config.json")
    run(["-c", LOAD], path, output, backend="jax")
    f = keras.saving.load_model(path)
    expected = f.predict(np.arange(8.0).reshape(4, 2), verbose=0)
    np.testing.assert_allclose(np.load(output), expected, rtol=1e-5, atol=1e-6)


@on_several
def test_one_device_is_said_to_change_nothing(capsys, monkeypatch):
    monkeypatch.setattr(devices, "_all_devices", lambda: (None, ["cpu:0"]))
    with devices.chosen_devices(tiny.settings(distribute=True)):
        assert devices.count() == 1
    assert "cpu:0 is the only device" in capsys.readouterr().out


@pytest.mark.skipif(BACKEND != "torch", reason="the others can")
def test_distributing_on_pytorch_is_an_error(tmp_path):
    settings = tiny.settings(distribute=True, out_dir=str(tmp_path))
    with pytest.raises(UserError, match="one device with PyTorch"):
        runner.run(tiny.TASK, settings)


@on_several
@pytest.mark.parametrize(
    "settings, reason",
    [
        ({"batch_size": 10}, "--batch_size=10 does not divide by the 4 devices"),
        pytest.param(
            *({"jit_compile": "true", "batch_size": 8}, "--jit_compile=true"),
            marks=on_tensorflow,
        ),
    ],
)
def test_flags_that_several_devices_forbid_are_errors(settings, reason, monkeypatch):
    names = ["a", "b", "c", "d"]
    monkeypatch.setattr(devices, "_all_devices", lambda: (None, names))
    settings = tiny.settings(distribute=True, **settings)
    with pytest.raises(UserError, match=reason), devices.chosen_devices(settings):
        pass


@pytest.mark.skipif(BACKEND == "jax", reason="JAX can")
def test_a_task_in_several_processes_is_an_error(monkeypatch):
    monkeypatch.setenv("KERAS_DISTRIBUTION_NUM_PROCESSES", "2")
    settings = tiny.settings(distribute=True)
    with pytest.raises(UserError, match="needs KERAS_BACKEND=jax"):
        devices.chosen_devices(settings).__enter__()


@pytest.mark.parametrize("number, times", [(1, 1), (3, 1), (4, 4), (6, 2)])
def test_every_validation_row_comes_equally_often(number, times, monkeypatch):
    monkeypatch.setattr(devices, "count", lambda: number)
    x, y = devices.divisible((np.arange(15.0), np.arange(15)))
    assert len(y) % number == 0
    assert np.bincount(y).tolist() == [times] * 15
    np.testing.assert_array_equal(x, y)


def test_predictions_are_as_many_as_the_samples(monkeypatch):
    network = several_devices.build_with_norm(None, None, None)
    samples = several_devices.normal(6, 2)
    expected = devices.predict(network, samples)
    monkeypatch.setattr(devices, "count", lambda: 4)
    np.testing.assert_allclose(devices.predict(network, samples), expected, rtol=1e-6)
