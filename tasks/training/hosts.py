"""Several processes that train one network together, each on its devices; JAX alone.

Process 0 leads: it does all that a process by itself does, and it alone reads and
writes what a run keeps. The others load the same data and wait for its orders, each of
which is one training that all go through at once. Each holds a connection to process 0,
by which all know within seconds that one has died: what they compute together may wait
for ever.
"""

import atexit
import contextlib
import json
import os
import queue
import secrets
import socket
import sys
import threading
import time
from collections.abc import Iterator
from multiprocessing import AuthenticationError
from multiprocessing.connection import Client
from multiprocessing.connection import Connection
from multiprocessing.connection import Listener
from typing import Any

import keras
import numpy as np

from keras_m2m.recipes import Diverged
from tasks.experiment.errors import UserError

_KERAS = "KERAS_DISTRIBUTION_NUM_PROCESSES"
_NEWS = 5  # Seconds in which all know of a death.
_LETTER = 512  # Bytes in which process 0 says where it listens.
_READY, _END = "ready", "end"
_PEACEFUL = (UserError, Diverged, OSError, KeyboardInterrupt, SystemExit)
_state: dict[str, "Team | None"] = {"team": None}


def are_several() -> bool:
    """Whether this process was started as one of several.

    By the variables of `keras.distribution.initialize`, or those of SLURM or Open MPI,
    from which JAX finds the others.
    """
    if _KERAS in os.environ:
        return _number(_KERAS) > 1
    of_slurm = "SLURM_STEP_NODELIST" in os.environ and _number("SLURM_NTASKS") > 1
    return of_slurm or _number("OMPI_COMM_WORLD_SIZE") > 1


def _number(name):
    value = os.environ.get(name, "1")
    if not value.isdecimal():
        raise UserError(f"{name} must be a number of processes. Received: {value!r}")
    return int(value)


def team() -> "Team | None":
    """The processes that train together, inside `joined`; None for one by itself."""
    return _state["team"]


def part() -> tuple[int, int]:
    """`(i, parts)`: which part of each batch is for this process."""
    found = team()
    return (0, 1) if found is None else (found.index, found.number)


@contextlib.contextmanager
def joined():
    """Train together with the other processes inside this.

    Where one of them ends, this process ends with a message and status 1.

    Yields:
        The `Team`.

    Raises:
        UserError: If the others are not found.
    """
    found = _state["team"] = _join()
    try:
        yield found
        found.leave()
    except BaseException as error:
        if not isinstance(error, _PEACEFUL):
            # It may be of the death of another, which a thread then says.
            time.sleep(_NEWS)
        # JAX would wait for the others, who are about to end too.
        atexit.register(_end_at_once)
        raise
    finally:
        _state["team"] = None


class Team:
    """The processes that train together, as one of them sees them.

    Args:
        index: Of this process; 0 leads.
        connections: By what a process is called: from process 0 to all others, from
            another to process 0.

    Attributes:
        index: The same.
        number: How many processes there are.
        devices: Names of the devices of all.
    """

    def __init__(self, index: int, connections: dict[str, Connection]) -> None:
        import jax

        self.index, self.number = index, jax.process_count()
        self.devices = keras.distribution.list_devices()
        self._connections, self._leaves = connections, False
        self._inbox: queue.SimpleQueue = queue.SimpleQueue()
        for name in connections:
            threading.Thread(target=self._listen, args=(name,), daemon=True).start()

    @property
    def leads(self) -> bool:
        return self.index == 0

    def scope(self):
        """Inside this, networks are on all devices: what is done, all have to do."""
        devices = {"devices": self.devices, "auto_shard_dataset": False}
        return keras.distribution.DataParallel(**devices).scope()

    def send(self, order: Any) -> None:
        """Give an order, as process 0; until all others have begun with it."""
        for name, connection in self._connections.items():
            try:
                connection.send(order)
            except OSError as error:
                raise RuntimeError(f"{name} cannot be reached") from error
        for _ in self._connections:
            self._inbox.get()

    def orders(self) -> Iterator[Any]:
        """What process 0 orders, one after the other, until it has no more."""
        (connection,) = self._connections.values()
        while (order := self._inbox.get()) != _END:
            connection.send(_READY)
            yield order

    def leave(self) -> None:
        """Let the others go, as process 0."""
        self._leaves = True
        for connection in self._connections.values() if self.leads else ():
            with contextlib.suppress(OSError):
                connection.send(_END)

    def _listen(self, name):
        """Takes what another process says; its end ends this one."""
        try:
            while True:
                message = self._connections[name].recv()
                self._leaves = self._leaves or message == _END
                if isinstance(message, _Death):
                    self._give_up(message)
                self._inbox.put(message)
        except Exception:  # It has ended, perhaps in the middle of a word.
            if not self._leaves:
                self._give_up(_Death(f"{name} has ended: see what it said"))

    def _give_up(self, death):
        for connection in self._connections.values() if self.leads else ():
            with contextlib.suppress(Exception):
                connection.send(death)
        print(
            f"error: {death}. What is trained stays, up to the last whole epoch: the "
            "same command in all processes goes on",
            file=sys.stderr,
        )
        _end_at_once()


class _Death(str):
    """What all are to say of the end of one."""


def _end_at_once():
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(1)


def _join():
    """Find the other processes, and connect them to process 0."""
    import jax

    # Its handler of SIGTERM would stand in the place of the command's.
    jax.config.update("jax_enable_preemption_service", False)
    if not jax.distributed.is_initialized():
        # Without a seed Keras would agree on one first. Each training sets its own.
        keras.utils.set_random_seed(0)
        try:
            keras.distribution.initialize()
        except (RuntimeError, TypeError, ValueError) as error:
            raise UserError(
                f"--distribute: the other processes are not found: {error}. Each needs "
                "KERAS_DISTRIBUTION_JOB_ADDRESSES (HOST:PORT of process 0), "
                "KERAS_DISTRIBUTION_NUM_PROCESSES and KERAS_DISTRIBUTION_PROCESS_ID"
            ) from error
    index, number = jax.process_index(), jax.process_count()
    return Team(index, _connections(index, number))


def _connections(index, number):
    from jax.experimental import multihost_utils

    letter, listener = np.zeros(_LETTER, "uint8"), None
    if index == 0:
        key = secrets.token_bytes(32)
        listener = Listener(("", 0), backlog=number, authkey=key)
        where = {"host": _host(), "port": listener.address[1], "key": key.hex()}
        letter = np.frombuffer(json.dumps(where).ljust(_LETTER).encode(), "uint8")
    letter = np.asarray(multihost_utils.broadcast_one_to_all(letter), "uint8")
    if listener is not None:
        with listener:
            return _accepted(listener, number - 1)
    where = json.loads(letter.tobytes())
    address = where["host"], where["port"]
    connection = Client(address, authkey=bytes.fromhex(where["key"]))
    connection.send(f"process {index} of {number} on {socket.gethostname()}")
    return {f"process 0 of {number} on {where['host']}": connection}


def _host():
    """How others reach process 0, if this is it."""
    first = os.environ.get("KERAS_DISTRIBUTION_JOB_ADDRESSES", "").split(",")[0]
    return first.rpartition(":")[0] or socket.gethostname()


def _accepted(listener, number):
    """Connections to so many other processes, by what they call themselves."""
    connections = {}
    while len(connections) < number:
        with contextlib.suppress(AuthenticationError, OSError, EOFError):
            connection = listener.accept()
            connections[connection.recv()] = connection
    return connections
