"""What a training costs beyond its own time in a long sweep on Ray, and what leaks.

    export KERAS_BACKEND=torch OMP_NUM_THREADS=1
    python benchmarks/sweep_load.py --folder=FOLDER

trains 1,000 networks of some hundred digits for two epochs each, by `tasks.table` with
`--ray=local` and two workers, and looks every few seconds at the memory, open files and
threads of each process. `--here=100` first trains so many without Ray, as what the
overhead is to be compared with.

A training's own time is that of its phases, as its record has it. Overhead is what else
passes from the first record to the last one: networks are built, saved and tested,
records written, and Ray hands out the next step. The time in which workers start is not
in it, and printed. Where other programs run too, the seconds of the processor that a
training takes in all say more. What leaks is a line through the second half of the
observations, over the number of trainings that were done by then.
"""

import argparse
import contextlib
import json
import os
import pathlib
import subprocess
import sys
import time

import numpy as np
import psutil

ROOT = pathlib.Path(__file__).parents[1]
FLAGS = ["--largest=30", "--rho=10", "--epochs=2", "--drops=1:0.1", "--batch_size=64"]
FLAGS += ["--checkpoint_seconds=1000"]


def command(folder, trainings, *more):
    flags = ["--table=2", "--rows=ce-rs", f"--seeds={trainings}"]
    places = [f"--results={folder / 'results'}", f"--runs={folder / 'runs'}"]
    return [
        sys.executable,
        "-m",
        "tasks.table",
        *flags,
        *places,
        *more,
        *FLAGS,
        "digits_lt",
    ]


def observed(process):
    """Seconds of the processor, megabytes, open files and threads of a process."""
    with process.oneshot():
        return (
            sum(process.cpu_times()[:2]),
            process.memory_full_info().uss / 2**20,
            process.num_fds(),
            process.num_threads(),
        )


def run(folder, trainings, *more, apart=5.0):
    """Run a sweep; gives seconds until it ended, and what was seen by process."""
    folder.mkdir(parents=True)
    began, seen, names = time.time(), {}, {}
    with open(folder / "log.txt", "w") as log:
        sweep = subprocess.Popen(
            command(folder, trainings, *more), cwd=ROOT, stdout=log, stderr=log
        )
        while sweep.poll() is None:
            for process in processes(sweep.pid):
                with contextlib.suppress(psutil.Error):  # It may just have ended.
                    row = time.time() - began, *observed(process)
                    seen.setdefault(process.pid, []).append(row)
                    if process.pid == sweep.pid:
                        names[process.pid] = "command"
                    elif process.cmdline()[0].startswith("ray::make"):
                        names[process.pid] = f"worker {process.pid}"
            time.sleep(apart)
    if sweep.returncode:
        sys.exit((folder / "log.txt").read_text()[-3000:])
    return began, {name: np.array(seen[pid]) for pid, name in names.items()}


def processes(pid):
    with contextlib.suppress(psutil.Error):
        own = psutil.Process(pid)
        return [own, *own.children(recursive=True)]
    return []


def finished(folder):
    """When each record was written, ascending, and its training's own seconds."""
    files = sorted((folder / "results").rglob("rs-*.json"), key=os.path.getmtime)
    timings = [json.loads(file.read_text())["timing"] for file in files]
    own = [sum(v for k, v in t.items() if k.startswith("phase")) for t in timings]
    return np.array([os.path.getmtime(file) for file in files]), own


def growth(rows, done):
    """What the second half of a process' observations grow by in 1,000 trainings."""
    late = rows[len(rows) // 2 :]
    trainings = np.searchsorted(done, late[:, 0]) / 1000
    return [np.polyfit(trainings, column, 1)[0] for column in late.T[1:]]


def report(title, folder, trainings, workers, *more):
    began, seen = run(folder, trainings, *more)
    done, own = finished(folder)
    done = done - began
    # The first records end trainings that began with the workers.
    each = (done[-1] - done[workers - 1]) * workers / (len(done) - workers)
    print(
        f"{title}: {trainings} trainings, {np.mean(own):.3f} s each by themselves and "
        f"{each - np.mean(own):.3f} s beside that; the first record after "
        f"{done[0]:.0f} s, the last after {done[-1]:.0f}",
        flush=True,
    )
    for name, rows in seen.items():
        rows = rows[rows[:, 0] <= done[-1]]
        _, memory, files, threads = rows[-1, 1:]
        more = growth(rows, done)
        print(
            f"  {name}: {memory:.0f} MB, {files:.0f} files, {threads:.0f} threads in "
            f"the end. In its second half 1,000 trainings make it "
            f"{more[0]:.0f} CPU seconds, {more[1]:+.1f} MB, {more[2]:+.1f} files "
            f"and {more[3]:+.1f} threads",
            flush=True,
        )


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--folder", type=pathlib.Path, required=True)
    parser.add_argument("--trainings", type=int, default=1000)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--here", type=int, default=0, help="so many without Ray first")
    chosen = parser.parse_args()
    if chosen.here:
        report("without Ray", chosen.folder / "here", chosen.here, 1)
    share = len(os.sched_getaffinity(0)) / chosen.workers
    on_ray = "--ray=local", f"--num_cpus={share}"
    places = chosen.folder / "on_ray", chosen.trainings, chosen.workers
    report(f"Ray, {chosen.workers} workers", *places, *on_ray)


if __name__ == "__main__":
    main()
