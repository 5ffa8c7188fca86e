"""How the time and the memory of a step grow with what a user can change.

    python benchmarks/scaling.py --backend=tensorflow --json=...

One size is changed at a time, the others stay at those of `START`. Every point
runs in a process of its own, so that its peak of memory is its own.
"""

import argparse
import json
import pathlib
import statistics

import setting
from machine import machine
from worker_process import Worker

START = {"batch_size": 32, "steps": 10, "num_classes": 10, "image_size": 32}
SERIES = {
    "batch_size": [16, 32, 64, 128, 256],
    "steps": [1, 5, 10, 20],
    "num_classes": [10, 100, 1000],
    "image_size": [16, 32, 64],
}


def measure(options, **changed):
    """Seconds and bytes of a step."""
    values = {**START, **changed}
    parser = setting.arguments("")
    sizes = parser.parse_args([f"--{k}={v}" for k, v in values.items()])
    sizes.model, sizes.rho, sizes.beta = options.model, options.rho, options.beta
    worker = Worker(setting.sizes(sizes), options.backend)
    before = worker.ask("memory")
    worker.ask("ordinary", 1)
    first = worker.ask("m2m", 1)
    seconds = [worker.ask("m2m", 1) for _ in range(options.rounds)]
    memory = worker.ask("memory")
    worker.stop()
    return {
        **values,
        "rows": values["batch_size"] * setting.rows_translated(sizes, True),
        "first_step": first,
        "seconds": statistics.median(seconds),
        "peak_bytes": memory,
        "bytes_before": before,
    }


def table(points):
    lines = ["| | rows | step, s | peak, GB |", "|---|---|---|---|"]
    for name, series in points.items():
        for point in series:
            lines.append(
                f"| {name} = {point[name]} | {point['rows']:.0f} | "
                f"{point['seconds']:.2f} | {point['peak_bytes'] / 1e9:.2f} |"
            )
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    backends = ["tensorflow", "jax", "torch"]
    parser.add_argument("--backend", choices=backends, default="tensorflow")
    parser.add_argument("--model", choices=setting.MODELS, default="resnet20")
    parser.add_argument("--rho", type=float, default=100)
    parser.add_argument("--beta", type=float, default=0.999)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", type=pathlib.Path, help="file to write")
    options = parser.parse_args()
    points = {
        name: [measure(options, **{name: value}) for value in values]
        for name, values in SERIES.items()
    }
    print(table(points))
    if options.json:
        result = {"backend": options.backend, "machine": machine(), "points": points}
        options.json.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
