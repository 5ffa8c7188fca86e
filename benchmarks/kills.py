"""Kills runs at random moments, and compares what survives with runs in peace.

    KERAS_BACKEND=jax python benchmarks/kills.py --kills=67 --folder=kills/jax

A task and a table first run in peace. Then each is begun anew, killed by SIGKILL,
SIGTERM or SIGINT and gone on with, until a process is done before it is killed. Moments
are uniform over what a run in peace takes, in seconds of the processor, since the
clock's depend on what else runs:
while it starts, trains, saves or writes the end. What is left must be the same files
with the same content to the bit, except wall times, pictures and logs.

Importing and compiling take longer than all else and leave nothing on the disk. So
three chains of four are forked from a process that has imported all, the fourth is new
processes of `python -m`, and JAX keeps what it compiled for all of them.

It prints a line per kill and per survivor, then a summary, and exits with 1 if anything
differs or a process fails by itself. `--seed` fixes signals and moments, the latter as
a share of what a run in peace takes.
"""

import argparse
import collections
import concurrent.futures
import multiprocessing
import os
import pathlib
import random
import runpy
import shutil
import signal
import subprocess
import sys
import threading
import time

import psutil
from what_is_left import content
from what_is_left import state

ROOT = pathlib.Path(__file__).parents[1]
FLAGS = ["--largest=20", "--rho=5", "--batch_size=16", "--steps=2", "--gamma=0"]
FLAGS += ["--epochs=8", "--defer_epoch=4", "--drops=4:0.1,6:0.1"]
FLAGS += ["--checkpoint_seconds=0"]  # Which are saved would depend on the time.
SIGNALS = [signal.SIGKILL, signal.SIGTERM, signal.SIGINT]
PATIENCE = 120  # Seconds that a process has to end after a signal that it may handle.
_FORKS = multiprocessing.get_context("forkserver")
_IMPORTED = ["keras", "tensorflow", "tasks.table", "tasks.digits_lt"]


def run_command(folder):
    """A task with one method beside its own; the same command goes on."""
    flags = ["--method=m2m", "--compare=drs", f"--out_dir={folder}"]
    return ["tasks.digits_lt", *flags, *FLAGS]


def table_command(folder):
    """A table of three rows; the same command goes on."""
    flags = ["--table=2", "--seeds=1", "--rows=ce-erm,ce-drs,ce-m2m"]
    flags += [f"--results={folder / 'results'}", f"--runs={folder / 'runs'}"]
    return ["tasks.table", *flags, *FLAGS, "digits_lt"]


COMMANDS = {"run": run_command, "table": table_command}


class Forked:
    """`python -m` without its imports, with what is needed here of a `Popen`."""

    def __init__(self, command, log):
        self._process = _FORKS.Process(target=_run, args=(command, log))
        self._process.start()
        self.pid = self._process.pid

    def poll(self):
        return self._process.exitcode

    def send_signal(self, number):
        os.kill(self.pid, number)


def _run(command, log):
    with open(log, "ab") as file:
        for stream in (1, 2):
            os.dup2(file.fileno(), stream)
    from tasks.runs import stopping

    stopping.listen()  # As the package does where it is run by `python -m`.
    sys.argv = command
    runpy.run_module(command[0], run_name="__main__", alter_sys=True)


def _new(command, log):
    with open(log, "ab") as file:
        return subprocess.Popen(
            [sys.executable, "-m", *command], cwd=ROOT, stdout=file, stderr=file
        )


class Case:
    """A command, and what it leaves when nobody kills it.

    Attributes:
        cost: Seconds of the processor that it takes.
        expected: What it leaves, as `content` says it.
    """

    def __init__(self, kind, forked, folder):
        self.kind, self.forked = kind, forked
        self.name = f"{kind}, {'forked' if forked else 'new'}"
        self.folder = folder / f"{kind}-{'forked' if forked else 'new'}"
        self.folder.mkdir(parents=True)
        self.cost, self.expected = 0.0, None

    def in_peace(self):
        """Runs it to its end."""
        folder = self.folder / "in-peace"
        process = self.start(folder)
        while process.poll() is None:
            self.cost = max(self.cost, used(process.pid))
            time.sleep(0.02)
        if process.poll():
            raise SystemExit(f"{self.name} fails in peace: see {log_of(folder)}")
        self.expected = content(folder)

    def start(self, folder):
        make = Forked if self.forked else _new
        return make(COMMANDS[self.kind](folder), log_of(folder))


def used(pid):
    """Seconds of the processor that a process has had; 0 if it is gone."""
    try:
        times = psutil.Process(pid).cpu_times()
    except psutil.Error:
        return 0.0
    return times.user + times.system


def log_of(folder):
    return folder.with_name(f"{folder.name}.log")


class Tally:
    """Counts what happened, of several threads, and prints it."""

    def __init__(self, kills):
        self.left, self._lock = kills, threading.Lock()
        self.kills, self.exits = collections.Counter(), collections.Counter()
        self.survivors, self.chains, self.faults = collections.Counter(), [], []

    def take(self):
        """Whether another kill is wanted, which is then counted as given."""
        with self._lock:
            self.left -= 1
            return self.left >= 0

    def give_back(self):
        with self._lock:
            self.left += 1

    def killed(self, case, number, name, moment, status, left):
        with self._lock:
            self.kills[name] += 1
            self.exits[f"{name} {status}"] += 1
            print(
                f"chain {number} ({case.name}): {name} at {moment:.1f} of "
                f"{case.cost:.1f} s, exit {status}; {left}",
                flush=True,
            )

    def ended(self, case, number, kills, wrong):
        with self._lock:
            self.chains.append(kills)
            self.survivors[f"{case.name} {'differ' if wrong else 'equal'}"] += 1
            self.faults += [f"chain {number} ({case.name}): {line}" for line in wrong]
            verdict = f"DIFFERS in {', '.join(wrong)}" if wrong else "equal"
            print(f"chain {number}: {kills} kills, {verdict}", flush=True)

    def summary(self):
        total, longest = sum(self.kills.values()), max(self.chains, default=0)
        lines = [
            f"{total} kills in {len(self.chains)} chains, {longest} in the longest"
        ]
        for title in ("kills", "exits", "survivors"):
            counts = sorted(getattr(self, title).items())
            lines.append(f"{title}: " + "; ".join(f"{k}: {n}" for k, n in counts))
        return "\n".join([*lines, *(f"FAULT {fault}" for fault in self.faults)])


def chain(case, number, seed, tally):
    """Kills one run again and again until it is done, and compares what it left."""
    rng = random.Random(f"{seed} {number}")
    folder, kills = case.folder / f"chain-{number}", 0
    while True:
        moment, sent = rng.random() * case.cost, rng.choice(SIGNALS)
        late = 0.1 * rng.random()  # The processor's time stands while files are synced.
        process = case.start(folder)
        if not _reached(process, moment, late) or not tally.take():
            break
        status = _killed(process, sent)
        if status == 0:  # It had been done already.
            tally.give_back()
            break
        kills += 1
        tally.killed(case, number, sent.name, moment, status, state(folder))
    while process.poll() is None:
        time.sleep(0.02)
    if process.poll():
        wrong = [f"exit {process.poll()} by itself, see {log_of(folder)}"]
    else:
        found = content(folder)
        names = found.keys() | case.expected.keys()
        wrong = [n for n in sorted(names) if found.get(n) != case.expected.get(n)]
    tally.ended(case, number, kills, wrong)
    if not wrong:
        shutil.rmtree(folder)
        log_of(folder).unlink()


def _reached(process, moment, late):
    """Waits until a process has used so much; whether it still runs then."""
    while process.poll() is None and used(process.pid) < moment:
        time.sleep(0.005)
    time.sleep(late)
    return process.poll() is None


def _killed(process, sent):
    """Kills a process; its exit code."""
    process.send_signal(sent)
    began = time.monotonic()
    while process.poll() is None:
        if time.monotonic() - began > PATIENCE:
            process.send_signal(signal.SIGKILL)
            return f"none within {PATIENCE} s"
        time.sleep(0.005)
    return process.poll()


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--kills", type=int, default=67)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--folder", type=pathlib.Path, required=True)
    parser.add_argument("--at_once", type=int, default=2)
    chosen = parser.parse_args()
    # A shell starts what runs in its background deaf to it, and so would ours be.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.chdir(ROOT)
    folder = chosen.folder.resolve()
    os.environ["PYTHONPATH"] = str(ROOT)
    os.environ["OMP_NUM_THREADS"] = "1"  # PyTorch's threads would wait for each other.
    os.environ["JAX_COMPILATION_CACHE_DIR"] = str(folder / "compiled")
    os.environ["JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS"] = "0"
    os.environ["JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES"] = "-1"
    _FORKS.set_forkserver_preload(_IMPORTED)
    forked = [Case(kind, True, folder) for kind in COMMANDS]
    new = [Case(kind, False, folder) for kind in COMMANDS]
    order = [*forked * 3, *new]
    tally = Tally(chosen.kills)

    def work(first):
        for number in range(first, 10**9, chosen.at_once):
            if tally.left <= 0:
                return
            chain(order[number % len(order)], number, chosen.seed, tally)

    with concurrent.futures.ThreadPoolExecutor(chosen.at_once) as pool:
        list(pool.map(Case.in_peace, [*forked, *new]))
        for case in [*forked, *new]:
            print(f"{case.name}, in peace: {case.cost:.1f} s", flush=True)
        list(pool.map(work, range(chosen.at_once)))
    print(tally.summary())
    sys.exit(bool(tally.faults))


if __name__ == "__main__":
    main()
