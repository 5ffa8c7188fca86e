"""Sweeps on a Ray cluster of two workers, one of which is killed."""

import os
import pathlib
import re
import secrets
import signal
import socket
import sys
import threading

import pytest
from absl import flags
from what_is_left import content

from helpers import on_ray
from helpers import tiny
from helpers.table_commands import command
from tasks import table
from tasks.experiment.errors import UserError
from tasks.experiment.rows import Row
from tasks.runs import cluster
from tasks.runs import tuning
from tasks.runs import worker
from tasks.runs.graph import Step
from tasks.runs.sweep import Entry
from tasks.runs.sweep import Sweep

pytestmark = pytest.mark.no_backend  # What trains is tested on each.
# Else Ray leaves one in the home folder. It looks for it when it is imported.
os.environ.setdefault("RAY_AUTH_TOKEN", secrets.token_hex(16))
TESTS = pathlib.Path(__file__).parents[2]
FLAGS = [flag for flag in tiny.FLAGS if not flag.startswith("--compare")]
FLAGS += ["--epochs=8", "--defer_epoch=4", "--batch_size=28"]
GRID = {"beta": (0.5, 0.9), "lam": (0.1,), "gamma": (0.0,)}


@pytest.fixture(scope="module")
def ray():
    """Ray with two processors, of this process."""
    ray = pytest.importorskip(
        "ray", reason="Ray is not installed: pip install '.[ray]'"
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(TESTS))  # For workers.
        quiet = {"include_dashboard": False, "log_to_driver": False}
        ray.init("local", num_cpus=2, num_gpus=0, **quiet)
        yield ray
        ray.shutdown()


def chosen(*arguments):
    """The flags of the command."""
    values = flags.FlagValues()
    table.define_flags(values)
    values(["tables", *arguments])
    return values


def sweep(task, path, *rows, **changes):
    """A sweep of one seed; who loads its data leaves a file in `PATH/loads`."""
    (path / "loads").mkdir(parents=True, exist_ok=True)
    entries = [Entry(task, [*FLAGS, f"--data_dir={path / 'loads'}"])]
    rows = [Row("ce", row) for row in rows]
    return Sweep(entries, rows, 1, path / "results", path / "runs", **changes)


def run(sweep):
    """What a sweep gives on the cluster that this process is connected to."""
    for folder in (sweep.results, sweep.runs):
        folder.mkdir(parents=True, exist_ok=True)
    with cluster.connected(chosen("--ray=auto")) as workers:
        return sweep.run(workers)


@pytest.fixture(scope="module")
def swept(ray, tmp_path_factory):
    """A sweep with a search, of one process and of two workers, one killed."""
    path = tmp_path_factory.mktemp("swept")
    rows, tuned = ("erm", "m2m"), {"tuning_seed": 7}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tuning, "GRID", GRID)
        alone = sweep(on_ray.TASK, path / "alone", *rows, **tuned).run()
        made = run(sweep(on_ray.KILLED_ONCE, path / "on_two", *rows, **tuned))
    return path, alone, made


def scores(found):
    (of_rows,) = found
    return {
        row: [{k: v for k, v in result.items() if k != "timing"} for result in results]
        for row, results in of_rows.items()
    }


def test_the_table_is_that_of_one_process_though_a_worker_is_killed(swept):
    path, alone, made = swept
    assert (path / "on_two/loads" / on_ray.KILLED).exists()
    assert scores(made) == scores(alone)


def test_every_network_and_history_is_that_of_one_process_to_the_bit(swept):
    path, _, _ = swept

    def left(folder):
        return {
            name: digest
            for name, digest in content(path / folder).items()
            if not re.search(r"^loads/|log\.txt$|\.part|/tuning/", name)
        }

    assert left("on_two") == left("alone")
    assert sum(name.endswith(".keras") for name in left("alone")) == 6


def test_what_was_killed_goes_on_from_its_checkpoint(swept):
    path, _, _ = swept
    (log,) = path.glob("on_two/runs/tiny/m2m-ce-seed0-*/log.txt")
    assert re.search(r"going on after [567] epochs", log.read_text())


def test_a_worker_loads_data_once_for_all_of_its_trainings(swept):
    path, _, _ = swept
    loads = [file.read_text() for file in path.glob("on_two/loads/[0-9]*")]
    # By this process, two workers, and another one if there was work left for it.
    assert loads in (["loaded\n"] * 3, ["loaded\n"] * 4)


def test_what_is_there_is_not_made_again(swept, monkeypatch):
    path, _, made = swept
    monkeypatch.setattr(tuning, "GRID", GRID)
    again = sweep(on_ray.KILLED_ONCE, path / "on_two", "erm", "m2m", tuning_seed=7)
    monkeypatch.setattr(cluster.Cluster, "_made", lambda self, steps, place: steps)
    assert run(again) == made


def test_predictions_are_kept_where_they_are_asked_for(ray, tmp_path):
    own = sweep(tiny.TASK, tmp_path, "rs", keeps_predictions=True)
    run(own)
    ((_, result, predicted),) = own.predicted(own.datasets[0], found=True)
    assert len(predicted.y_test) == sum(map(sum, result["confusion_matrix"]))


def test_other_data_in_a_worker_is_refused(ray, tmp_path):
    with pytest.raises(UserError, match="the data, or the number of devices"):
        run(sweep(on_ray.OTHER_DATA, tmp_path, "rs"))
    assert not [*tmp_path.rglob("*.json")]


def test_a_folder_that_a_worker_does_not_have_is_refused(tmp_path):
    place = worker.Place(tmp_path, tmp_path / "elsewhere" / "mark")
    of = sweep(tiny.TASK, tmp_path, "rs")
    step = Step("", of, tiny.settings(), "", None, ())
    with pytest.raises(UserError, match="elsewhere is not the folder"):
        worker.make(step, place)


def test_a_training_that_kills_its_workers_ends_the_sweep(ray, tmp_path, monkeypatch):
    monkeypatch.setattr(cluster, "RETRIES", 0)
    with pytest.raises(UserError, match="Ray gave up on rs-ce-seed0-"):
        run(sweep(on_ray.DEADLY, tmp_path, "rs"))


def test_a_training_that_no_machine_can_take_is_refused(ray, tmp_path):
    arguments = "--ray=auto", "--num_cpus=3", "--table=2", "digits_lt"
    with pytest.raises(UserError, match=r"no machine .*=3 and --num_gpus=0.* 2 and 0"):
        command(tmp_path / "results", tmp_path / "runs", *arguments)


def refused(tmp_path, *arguments):
    with pytest.raises(UserError) as error:
        command(tmp_path, tmp_path, "--table=2", *arguments, "digits_lt")
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]
    return str(error.value)


@pytest.mark.parametrize(
    "address",
    ["", "here", "host:", ":6379", "host:0", "host:65536", "ho st:1", "http://host:1"],
)
def test_what_is_no_address_is_refused(address, tmp_path):
    message = refused(tmp_path, f"--ray={address}")
    assert f"or HOST:PORT. Received: --ray={address}" in message


def test_an_address_of_the_environment_is_looked_at_too(tmp_path, monkeypatch):
    pytest.importorskip("ray").shutdown()
    monkeypatch.setenv("RAY_ADDRESS", "ray://localhost:1")
    expected = "RAY_ADDRESS must be HOST:PORT. Received: ray://localhost:1"
    assert refused(tmp_path, "--ray=auto") == expected
    monkeypatch.setenv("RAY_ADDRESS", "localhost:1")
    assert "--ray=localhost:1: no Ray answers" in refused(tmp_path, "--ray=auto")


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]"])
def test_an_address_where_nothing_answers_is_refused(host, tmp_path):
    pytest.importorskip("ray")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    message = refused(tmp_path, f"--ray={host}:{port}")
    assert f"--ray={host}:{port}: no Ray answers there" in message


@pytest.mark.parametrize("answer", [b"HTTP/1.1 400 Bad Request\r\n", b""])
def test_an_address_where_something_else_answers_is_refused(answer, tmp_path):
    pytest.importorskip("ray")

    def serve():
        connection, _ = server.accept()
        with connection:
            connection.sendall(answer)
            connection.recv(100)

    with socket.create_server(("127.0.0.1", 0)) as server:
        thread = threading.Thread(target=serve)
        thread.start()
        port = server.getsockname()[1]
        message = refused(tmp_path, f"--ray=127.0.0.1:{port}")
        thread.join()
    assert "what answers is not Ray" in message


@pytest.mark.parametrize(
    "arguments, message",
    [
        (["--num_cpus=2"], "--num_cpus is of a training on Ray"),
        (["--num_gpus=0"], "--num_gpus is of a training on Ray"),
        (["--ray=auto", "--found"], "--ray trains, and --found does not"),
        (["--ray=auto", "--num_gpus=1.5"], "Received: --num_gpus=1.5"),
    ],
)
def test_flags_that_do_not_go_together_are_refused(arguments, message, tmp_path):
    assert message in refused(tmp_path, *arguments)


def test_without_ray_it_is_said_how_to_install_it(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "ray", None)
    assert "pip install '.[ray]'" in refused(tmp_path, "--ray=auto")


def test_kerastuners_workers_and_those_of_ray_are_two_ways(tmp_path, monkeypatch):
    monkeypatch.setenv("KERASTUNER_TUNER_ID", "chief")
    assert "unset it" in refused(tmp_path, "--ray=auto")


def test_trainings_that_share_a_gpu_share_its_memory(monkeypatch):
    monkeypatch.delenv("XLA_PYTHON_CLIENT_MEM_FRACTION", raising=False)
    found = worker.environment(0.5)
    assert float(found["XLA_PYTHON_CLIENT_MEM_FRACTION"]) < 0.5
    assert found["TF_FORCE_GPU_ALLOW_GROWTH"] == "true"
    assert "XLA_PYTHON_CLIENT_MEM_FRACTION" not in worker.environment(1)


def test_trainings_without_a_gpu_see_none():
    assert worker.environment(0)["CUDA_VISIBLE_DEVICES"] == "-1"
    assert "CUDA_VISIBLE_DEVICES" not in worker.environment(1)


def test_workers_have_the_threads_and_the_backend_of_the_command(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    monkeypatch.setenv("HOME", "/nowhere")
    found = worker.environment(0)
    assert found["OMP_NUM_THREADS"] == "3"
    assert found["KERAS_BACKEND"] == os.environ.get("KERAS_BACKEND", "tensorflow")
    assert "HOME" not in found


def test_signals_stay_with_the_command(monkeypatch):
    pytest.importorskip("ray")
    before = signal.getsignal(signal.SIGTERM)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    try:
        cluster._ray()
        assert signal.getsignal(signal.SIGTERM) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGTERM, before)
