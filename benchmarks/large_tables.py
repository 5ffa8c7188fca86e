"""Memory and time that reading and encoding a large table takes.

    python benchmarks/large_tables.py --folder=FOLDER

makes a wide table (1,000 rows of 10,000 numbers) and a long one (5 million rows of 6
numbers, an integer, a category and a date) as CSV and Parquet, about 0.8 GB in all, and
reads each in a process of its own, as `tasks.folder` does. No network is trained.
"""

import argparse
import pathlib
import resource
import subprocess
import sys
import time

import numpy as np
import pandas

ROOT = pathlib.Path(__file__).parents[1]


def wide(rng, rows=1000, columns=10_000):
    names = [f"x{i}" for i in range(columns)]
    table = pandas.DataFrame(rng.normal(size=(rows, columns)).round(4), columns=names)
    return table.assign(y=rng.random(rows) < 0.1)


def long(rng, rows=5_000_000):
    days = rng.integers(0, 1500, rows).astype("timedelta64[D]")
    return pandas.DataFrame(
        {
            **{f"x{i}": rng.normal(size=rows).round(5) for i in range(6)},
            "count": rng.integers(0, 5000, rows),
            "colour": rng.choice(["red", "green", "blue", None], rows),
            "day": (np.datetime64("2020-01-01") + days).astype(str),
            "y": np.where(rng.random(rows) < 0.02, "bad", "good"),
        }
    )


def measure(path):
    """Read one table and print what it took; imports are not counted in seconds."""
    sys.path.insert(0, str(ROOT))
    from tasks import folder
    from tasks.experiment.settings import parse

    settings = parse(folder.TASK, [f"--data_dir={path}", "--label=y"])
    began = time.perf_counter()
    data = folder.load(settings)
    seconds = time.perf_counter() - began
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(f"{data.source}: {seconds:.0f} s, at most {peak:.1f} GiB", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--folder", type=pathlib.Path, required=True)
    parser.add_argument("--measure", type=pathlib.Path, help="one file alone")
    arguments = parser.parse_args()
    if arguments.measure:
        measure(arguments.measure)
        return
    arguments.folder.mkdir(parents=True, exist_ok=True)
    for make in (wide, long):
        table = make(np.random.default_rng(0))
        paths = [arguments.folder / f"{make.__name__}{s}" for s in (".csv", ".parquet")]
        table.to_csv(paths[0], index=False)
        table.to_parquet(paths[1])
        del table
        for path in paths:
            flags = [f"--folder={arguments.folder}", f"--measure={path}"]
            subprocess.run([sys.executable, __file__, *flags], check=True)


if __name__ == "__main__":
    main()
