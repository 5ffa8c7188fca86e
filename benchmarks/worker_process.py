"""A process that times one implementation, as the benchmarks see it."""

import contextlib
import json
import os
import pathlib
import queue
import subprocess
import sys
import tempfile
import threading

FOLDER = pathlib.Path(__file__).parent
_SECONDS_TO_END = 20
# Several processes share a GPU.
_SHARING = {
    "XLA_PYTHON_CLIENT_PREALLOCATE": "false",
    "TF_FORCE_GPU_ALLOW_GROWTH": "true",
}


class WorkerError(Exception):
    """What went wrong in a worker: a line, and what it wrote besides."""

    def __init__(self, line, log=""):
        super().__init__(line)
        self.log = log


class Worker:
    """Runs `worker.py`; `ask` hands it a line and returns its answer."""

    def __init__(self, arguments, backend):
        self.log = tempfile.TemporaryFile("w+", errors="replace")  # noqa: SIM115
        self.process = subprocess.Popen(
            [sys.executable, str(FOLDER / "worker.py"), *arguments],
            env={**_SHARING, **os.environ, "KERAS_BACKEND": backend},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.log,
            text=True,
        )
        self.answers = queue.Queue()
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def ask(self, *words, seconds=None):
        """What the worker answers: a number, text, or a dict of them.

        Raises:
            WorkerError: If it fails, ends, or does not answer within `seconds`.
        """
        try:
            print(*words, file=self.process.stdin, flush=True)
            answer = self.answers.get(timeout=seconds)
        except queue.Empty:
            self.process.kill()
            answer = f"no answer to {words[0]} in {seconds:.0f} s"
        except BrokenPipeError:
            answer = None
        if answer is None:
            code = self.process.wait()
            answer = f"the process ended with {code}"
        if isinstance(answer, str):
            raise WorkerError(answer, self._end_of_log())
        if "error" in answer:
            raise WorkerError(answer["error"], self._end_of_log())
        return answer["value"]

    def stop(self):
        """End the process; kill it if it does not end by itself."""
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.close()
        try:
            self.process.wait(_SECONDS_TO_END)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.reader.join()
        self.process.stdout.close()
        self.log.close()

    def _read(self):
        for line in self.process.stdout:
            self.answers.put(json.loads(line))
        self.answers.put(None)

    def _end_of_log(self):
        self.log.seek(0)
        return self.log.read()[-4000:]
