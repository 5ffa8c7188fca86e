"""Trainings as tasks of a Ray cluster; no other module imports Ray.

A step of a graph is a task of Ray's. It runs where its processors are free, once the
steps that it needs are done. Workers are processes that go on from one task to the
next, so that each imports and loads data once. What they make they write to the folders
of the sweep, as processes without Ray do: under a lock for each training.

If a worker is killed, or its machine is lost, Ray gives its step to another one, which
goes on from the last checkpoint. The lock has ended with the process.

Source: Ray's guide, task fault tolerance.
"""

import contextlib
import logging
import os
import re
import signal
import socket
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from absl import flags
from tqdm import tqdm

from tasks.experiment.errors import UserError
from tasks.runs import tuning
from tasks.runs import worker
from tasks.runs.graph import Graph

RETRIES = 3  # Of a step whose worker was lost.
_AUTO, _LOCAL = "auto", "local"
_HINTS = {
    _AUTO: "Start it by `ray start --head`, or give --ray=local for this machine alone",
    _LOCAL: "What Ray says of it is in /tmp/ray/session_latest/logs",
}
_HINT = "If the cluster asks for a token, give it here too, with RAY_AUTH_MODE=token"
_LOOK = 1.0  # Seconds from one look at what is done to the next.
_PATIENCE = 10.0  # Seconds for an address to answer.
# How gRPC, which Ray speaks, begins on both sides: a preface, and a frame of settings,
# whose kind is its fourth byte.
_SETTINGS = b"\x04"
_HTTP_2 = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0" + _SETTINGS + bytes(5)


def check_flags(chosen: flags.FlagValues) -> None:
    """Raise if the flags of a cluster are wrong, or there is no Ray.

    Args:
        chosen: Those of the command.

    Raises:
        UserError: If they are.
    """
    of_ray = [name for name in ("num_cpus", "num_gpus") if chosen[name].present]
    if chosen.ray is None:
        if of_ray:
            raise UserError(f"--{of_ray[0]} is of a training on Ray: give --ray too")
        return
    if chosen.found:
        raise UserError("--ray trains, and --found does not: give one")
    if chosen.ray not in (_AUTO, _LOCAL) and not _is_address(chosen.ray):
        raise UserError(
            f"--ray must be {_AUTO}, for the cluster that runs here or RAY_ADDRESS "
            f"names, {_LOCAL}, for this machine alone, or HOST:PORT. "
            f"Received: --ray={chosen.ray}"
        )
    if (chosen.num_gpus or 0) > 1 and chosen.num_gpus % 1:
        raise UserError(
            "a training takes a share of one GPU, or a whole number of GPUs. "
            f"Received: --num_gpus={chosen.num_gpus}"
        )
    if tuning.is_distributed():
        raise UserError(
            "--ray tunes on its own workers, and KERASTUNER_TUNER_ID is KerasTuner's "
            "way to many machines: unset it, or leave --ray out"
        )
    _ray()


def _is_address(text):
    host, colon, port = text.rpartition(":")
    known = re.fullmatch(r"[\w.-]+|\[[\da-fA-F:.]+\]", host, re.ASCII)
    is_port = re.fullmatch(r"\d{1,5}", port, re.ASCII) and 0 < int(port) < 2**16
    return bool(colon and known and is_port)


@contextlib.contextmanager
def _signals_kept():
    """Ray takes SIGTERM for itself, and a command listens to it."""
    kept = {
        number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)
    }
    try:
        yield
    finally:
        for number, handler in kept.items():
            if signal.getsignal(number) is not handler:
                signal.signal(number, handler)


def _ray():
    """The module, which takes a second to import."""
    # Else it counts who uses it.
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    try:
        with _signals_kept():
            import ray
    except ImportError as error:
        raise UserError(
            "--ray needs Ray, which is not installed: pip install '.[ray]'"
        ) from error
    return ray


@contextlib.contextmanager
def connected(chosen: flags.FlagValues) -> Iterator["Cluster | None"]:
    """The cluster that `--ray` names, inside this; None without it.

    One that this process is connected to already is taken and left as it is.

    Args:
        chosen: The flags of the command, which `check_flags` has seen.

    Raises:
        UserError: If there is none, or none of its machines has what a training needs.
    """
    if chosen.ray is None:
        yield None
        return
    ray = _ray()
    is_own = not (chosen.ray == _AUTO and ray.is_initialized())
    if is_own:
        _connect(ray, chosen.ray)
    try:
        cluster = Cluster(ray, _resources(ray, chosen))
        with cluster:
            yield cluster
    finally:
        if is_own:
            ray.shutdown()


def _connect(ray, where):
    address = where
    if where == _AUTO:
        address = os.environ.get("RAY_ADDRESS") or _AUTO
    if address not in (_AUTO, _LOCAL):
        _check_answers(address)
    options = {"logging_level": logging.ERROR}
    if where == _LOCAL:
        options["include_dashboard"] = False
    try:
        with _signals_kept():
            ray.init(address=address, **options)
    except (OSError, RuntimeError, ValueError) as error:  # ConnectionError among them.
        reason, hint = " ".join(str(error).split()), _HINTS.get(address, _HINT)
        raise UserError(f"--ray={where}: {reason}. {hint}") from error


def _check_answers(address):
    """Raise where no Ray answers, for which Ray itself would wait minutes."""
    host, _, port = address.rpartition(":")
    if not _is_address(address):
        raise UserError(f"RAY_ADDRESS must be HOST:PORT. Received: {address}")
    try:
        at = host.strip("[]"), int(port)
        with socket.create_connection(at, _PATIENCE) as connection:
            # Under TLS others than us have to ask.
            if os.environ.get("RAY_USE_TLS", "0") == "0":
                connection.sendall(_HTTP_2)
                if connection.recv(9)[3:4] != _SETTINGS:
                    raise ConnectionError("what answers is not Ray")
    except OSError as error:
        raise UserError(
            f"--ray={address}: no Ray answers there ({error.strerror or error}). It "
            "must be the address that `ray start --head` shows, such as 10.0.0.1:6379"
        ) from error


def _resources(ray, chosen):
    """What a training takes of a machine."""
    gpus = chosen.num_gpus
    if gpus is None:
        gpus = min(1, ray.cluster_resources().get("GPU", 0))
    wanted = {"CPU": chosen.num_cpus, "GPU": gpus}
    alive = [node["Resources"] for node in ray.nodes() if node["Alive"]]
    have = [{kind: node.get(kind, 0) for kind in wanted} for node in alive]
    if any(all(own[kind] >= wanted[kind] for kind in wanted) for own in have):
        return wanted
    found = "; ".join(f"{own['CPU']:g} and {own['GPU']:g}" for own in have)
    raise UserError(
        f"no machine of the cluster has --num_cpus={wanted['CPU']:g} and "
        f"--num_gpus={wanted['GPU']:g}. They have: {found}"
    )


class Cluster:
    """Makes the steps of graphs; a context, inside which it has one bar of progress.

    Args:
        ray: The module, connected.
        resources: What a step takes, by Ray's names: `"CPU"` and `"GPU"`.
    """

    def __init__(self, ray: Any, resources: dict[str, float]) -> None:
        self._ray, self._left = ray, []
        self._task = ray.remote(
            num_cpus=resources["CPU"],
            num_gpus=resources["GPU"],
            max_retries=RETRIES,
            runtime_env={"env_vars": worker.environment(resources["GPU"])},
        )(worker.make)
        self._bar = tqdm(total=0, unit="training", file=sys.stderr)

    def __enter__(self) -> "Cluster":
        return self

    def __exit__(self, *_: object) -> None:
        self._bar.close()
        for ref in self._left:  # Where something went wrong.
            self._ray.cancel(ref, force=True)

    def make(self, graph: Graph, folder: Path) -> dict[str, Any]:
        """Make all steps of a graph.

        Args:
            graph: The steps.
            folder: A folder of this machine that workers write to.

        Returns:
            What the steps give, by name.

        Raises:
            UserError: If one of them does, or a worker is lost time and again.
        """
        mark = folder.absolute() / f"ray-{uuid.uuid4().hex}"
        mark.touch()
        try:
            return self._made(graph.steps, worker.Place(Path.cwd(), mark))
        finally:
            mark.unlink(missing_ok=True)

    def _made(self, steps, place):
        refs = {}
        for name, step in steps.items():
            needed = [refs[need] for need in step.needs]
            refs[name] = self._task.remote(step, place, *needed)
        names = {ref: name for name, ref in refs.items()}
        self._bar.total += len(steps)
        self._bar.refresh()
        self._left, done = [*names], {}
        while self._left:
            ready, self._left = self._ray.wait(
                self._left, num_returns=len(self._left), timeout=_LOOK
            )
            for ref in ready:
                name = names[ref]
                done[name] = self._got(ref, Path(name).name)
                self._bar.set_description(Path(name).name.rpartition("-")[0])
                self._bar.update()
        return done

    def _got(self, ref, name):
        known = self._ray.exceptions
        try:
            return self._ray.get(ref)
        except known.RayTaskError as error:
            if isinstance(error.cause, UserError):
                raise error.cause from None
            raise
        except known.RayError as error:
            reason = str(error).partition("\n")[0]
            raise UserError(
                f"Ray gave up on {name} after {RETRIES} retries: {reason}. What is "
                "done stays, and the same command goes on"
            ) from error
