"""Small trainings in processes of one thread each, several at a time."""

import concurrent.futures
import contextlib
import multiprocessing
import os
import tempfile
import threading
from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Sequence
from typing import Any

# A process has one thread: these networks are too small to share out.
_ONE_THREAD = {
    "OMP_NUM_THREADS": "1",
    "TF_NUM_INTRAOP_THREADS": "1",
    "TF_NUM_INTEROP_THREADS": "1",
    "XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false",
    "TF_CPP_MIN_LOG_LEVEL": "3",
}


@contextlib.contextmanager
def small_networks() -> Iterator[None]:
    """Inside, new processes have one thread, and share what JAX compiled."""
    with tempfile.TemporaryDirectory() as compiled:
        # Folds of a table have networks of one shape.
        cache = {
            "JAX_COMPILATION_CACHE_DIR": compiled,
            "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
            "JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES": "-1",
        }
        # Those who start it may have chosen otherwise.
        os.environ.update({**_ONE_THREAD, **cache, **os.environ})
        yield


def finished(
    run: Callable, calls: Sequence[tuple], processes: int, at_once: int = 50
) -> Iterator[tuple[tuple, Any, BaseException | None]]:
    """`(call, result, error)` of `run(*call)` for each call, as they are done.

    Args:
        run: Function of a module.
        calls: Its arguments.
        processes: How many work at a time.
        at_once: After so many calls come new processes: what Keras and JAX keep of
            each network adds up. In Python 3.11 the pool's own `max_tasks_per_child`
            ends processes and starts none.
    """
    context = multiprocessing.get_context("spawn")
    for start in range(0, len(calls), at_once):
        with concurrent.futures.ProcessPoolExecutor(
            processes, context, initializer=_end_with_parent
        ) as pool:
            part = calls[start : start + at_once]
            futures = {pool.submit(run, *call): call for call in part}
            for future in concurrent.futures.as_completed(futures):
                error = future.exception()
                yield futures[future], None if error else future.result(), error


def _end_with_parent():
    """End this process once its parent is gone, by whatever signal."""

    def wait():
        multiprocessing.parent_process().join()
        os._exit(1)

    threading.Thread(target=wait, daemon=True).start()
