"""Twelve methods, and two of scikit-learn, on the tables of the KEEL repository.

    KERAS_BACKEND=jax python benchmarks/keel.py --data_dir=keel --results=results/keel
    python benchmarks/keel.py --results=results/keel --report

Five stratified folds a table, the same for every method. Results are appended to
RESULTS/folds.csv fold by fold, so that the same command goes on after a kill; all
tables have their first fold before any has its second. `--report` writes the page and
its pictures from that file alone.
"""

import argparse
import pathlib
import time

from over_tables import methods
from over_tables import page
from over_tables import pool
from over_tables import records
from over_tables import tables

ROOT = pathlib.Path(__file__).parents[1]


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--data_dir", type=pathlib.Path, help="folder of *.dat files")
    parser.add_argument("--results", type=pathlib.Path, default=ROOT / "results/keel")
    parser.add_argument("--report", action="store_true", help="write the page alone")
    parser.add_argument("--docs", type=pathlib.Path, default=ROOT / "docs")
    parser.add_argument("--tables", nargs="*", help="names; all by default")
    parser.add_argument("--methods", nargs="*", choices=methods.NAMES)
    parser.add_argument("--steps", type=int, default=methods.STEPS)
    parser.add_argument("--seed", type=int, default=0, help="of folds and of training")
    parser.add_argument("--processes", type=int, default=2)
    return parser


def jobs_left(chosen, done):
    """`(path, fold, methods)` of what no row is there of, all first folds first."""
    found = {path.stem: path for path in sorted(chosen.data_dir.glob("*.dat"))}
    wanted = chosen.tables or list(found)
    missing = [name for name in wanted if name not in found]
    if missing or not wanted:
        raise SystemExit(f"{chosen.data_dir} has no {missing or '*.dat'}")
    kept = {tuple(row[key] for key in records.KEYS) for row in done}
    for fold in range(tables.FOLDS):
        for name in wanted:
            names = chosen.methods or methods.NAMES
            left = [each for each in names if (name, fold, each) not in kept]
            if left:
                yield found[name], fold, left


def check_setting(chosen, done, path):
    """Refuse to add to rows of other settings, whose numbers do not compare."""
    now = {
        "steps": str(chosen.steps),
        "seed": str(chosen.seed),
        "backend": methods.backend(),
    }
    for row in done:
        then = {key: row[key] for key in records.SETTING}
        if then != now:
            raise SystemExit(f"{path} holds results of {then}, and this would be {now}")


def run(chosen, path):
    done = records.read(path)
    check_setting(chosen, done, path)
    jobs = list(jobs_left(chosen, done))
    print(f"{path}: {len(done)} rows are there, {len(jobs)} folds to go", flush=True)
    began, failed = time.monotonic(), []
    for job, rows, error in finished(jobs, chosen):
        what = f"{job[0].stem}, fold {job[1]}"
        if error:
            failed.append(what)
            print(f"{what} FAILED: {error!r}", flush=True)
            continue
        records.append(path, rows)
        minutes = (time.monotonic() - began) / 60
        print(f"{what}, after {minutes:.1f} minutes", flush=True)
    if failed:
        raise SystemExit(f"{len(failed)} folds failed: {failed}")


def finished(jobs, chosen):
    """`(job, rows, error)` of each job, as they are done, by new processes."""
    calls = [(*job, chosen.steps, chosen.seed) for job in jobs]
    done = pool.finished(methods.run, calls, chosen.processes)
    return ((call[:3], rows, error) for call, rows, error in done)


def main():
    chosen = arguments().parse_args()
    path = chosen.results / "folds.csv"
    if chosen.report:
        print(page.write(records.read(path), chosen.docs))
        return
    if chosen.data_dir is None:
        raise SystemExit("give --data_dir, or --report")
    with pool.small_networks():
        run(chosen, path)


if __name__ == "__main__":
    main()
