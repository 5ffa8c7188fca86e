"""How long a step of M2m takes: keras_m2m's backends and PyTorch by hand.

    python benchmarks/m2m_step.py --model=resnet32 --num_classes=10 --rho=100

Each implementation runs in a process of its own. They take turns, one step each,
so that a machine that slows down slows all of them. Ratios are to the plain
PyTorch M2m (`torch_m2m.py`): Algorithm 1 as printed, eager, default memory
format. The translation is what an M2m step takes beyond an ordinary one.
"""

import json
import os
import pathlib
import platform
import statistics
import subprocess
import sys
import tempfile

import setting

FOLDER = pathlib.Path(__file__).parent
# Name: arguments of the worker, Keras backend, whether R is drawn first.
IMPLEMENTATIONS = {
    "plain PyTorch": (["--plain"], "torch", False),
    "plain PyTorch, channels last": (["--plain", "--channels_last"], "torch", False),
    "plain PyTorch, reject first": (["--plain", "--reject_first"], "torch", True),
    "TensorFlow": ([], "tensorflow", True),
    "TensorFlow, XLA": (["--xla"], "tensorflow", True),
    "JAX": ([], "jax", True),
    "PyTorch": ([], "torch", True),
}
REFERENCE = "plain PyTorch"


class Worker:
    """A process that times steps of one implementation on demand."""

    def __init__(self, arguments, backend):
        self.errors = tempfile.TemporaryFile("w+")  # noqa: SIM115
        self.process = subprocess.Popen(
            [sys.executable, str(FOLDER / "worker.py"), *arguments],
            env={**os.environ, "KERAS_BACKEND": backend},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self.errors,
            text=True,
        )

    def ask(self, what):
        """Seconds of a step, or what else was asked for."""
        print(what, file=self.process.stdin, flush=True)
        answer = self.process.stdout.readline()
        if not answer:
            self.errors.seek(0)
            raise RuntimeError(f"A worker stopped:\n{self.errors.read()}")
        return float(answer)

    def stop(self):
        self.process.stdin.close()
        self.process.wait()


def measure(options):
    """Seconds of every step of every implementation, `{name: {step: [seconds]}}`."""
    workers = {
        name: Worker([*arguments, *setting.sizes(options)], backend)
        for name, (arguments, backend, _) in IMPLEMENTATIONS.items()
        if name in options.only or name == REFERENCE
    }
    seconds = {name: {"ordinary": [], "m2m": []} for name in workers}
    first = {}
    for name, worker in workers.items():
        worker.ask("ordinary")
        first[name] = worker.ask("m2m")
        print(f"{name}: first M2m step {first[name]:.1f} s", file=sys.stderr)
    rates = []
    for _ in range(options.rounds):
        rates.append(workers[REFERENCE].ask("rate"))
        for name, worker in workers.items():
            for step in ("ordinary", "m2m"):
                seconds[name][step].append(worker.ask(step))
    for worker in workers.values():
        worker.stop()
    return seconds, first, statistics.median(rates)


def spread(values):
    """Median, and the middle half of the values."""
    low, middle, high = statistics.quantiles(values, n=4, method="inclusive")
    return {"median": middle, "low": low, "high": high, "all": values}


def summary(options):
    """What the JSON file holds."""
    seconds, first, rate = measure(options)
    per_pass = setting.multiply_adds(setting.keras_network(options))
    rows = {}
    for name, steps in seconds.items():
        _, _, rejected_first = IMPLEMENTATIONS[name]
        share = setting.rows_translated(options, rejected_first)
        pairs = zip(steps["m2m"], steps["ordinary"], strict=True)
        rows[name] = {
            "rows": share * options.batch_size,
            "first_m2m_step": first[name],
            "ordinary": spread(steps["ordinary"]),
            "translation": spread([m2m - ordinary for m2m, ordinary in pairs]),
            "m2m": spread(steps["m2m"]),
        }
    for row in rows.values():
        for step in ("ordinary", "translation", "m2m"):
            reference = rows[REFERENCE][step]["median"]
            row[step]["ratio"] = row[step]["median"] / reference
    # Forwards and to the input through f and g; forwards, to the input and to the
    # weights in the ordinary step.
    ordinary = 3 * options.batch_size * per_pass / rate
    kept = options.batch_size * setting.rows_translated(options, True)
    return {
        "command": " ".join(["python", "benchmarks/m2m_step.py", *sys.argv[1:]]),
        "machine": machine(),
        "multiply_adds_per_second": rate,
        "bound": {
            "ordinary": ordinary,
            "translation": 4 * options.steps * kept * per_pass / rate,
        },
        "implementations": rows,
    }


def machine():
    """Processor and versions."""
    from importlib import metadata

    packages = ["keras", "tensorflow", "jax", "torch"]
    versions = {name: metadata.version(name) for name in packages}
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"],
        cwd=FOLDER,
        capture_output=True,
        text=True,
        check=False,
    ).stdout.strip()
    return {"processor": processor(), "commit": commit, **versions}


def processor():
    cpuinfo = pathlib.Path("/proc/cpuinfo")
    lines = cpuinfo.read_text().splitlines() if cpuinfo.exists() else []
    names = [x.split(":")[1].strip() for x in lines if x.startswith("model name")]
    return f"{len(names)} x {names[0]}" if names else platform.processor()


def table(result):
    """The result in Markdown."""
    lines = [
        "| | rows | ordinary step | translation | M2m step | ratio | first step |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, row in result["implementations"].items():
        cells = [
            "{median:.2f} ({low:.2f}-{high:.2f})".format(**row[step])
            for step in ("ordinary", "translation", "m2m")
        ]
        ratios = f"{row['m2m']['ratio']:.2f} ({row['ordinary']['ratio']:.2f} ordinary)"
        lines.append(
            f"| {name} | {row['rows']:.0f} | {' | '.join(cells)} | {ratios} | "
            f"{row['first_m2m_step']:.0f} |"
        )
    ordinary, translation = (
        result["bound"][step] for step in ("ordinary", "translation")
    )
    lines.append(
        f"| bound | | {ordinary:.2f} | {translation:.2f} | "
        f"{ordinary + translation:.2f} | | |"
    )
    return "\n".join(lines)


def main():
    parser = setting.arguments(__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=9, help="steps timed of each")
    parser.add_argument("--json", type=pathlib.Path, help="file to write")
    parser.add_argument(
        "--only",
        nargs="+",
        choices=IMPLEMENTATIONS,
        default=list(IMPLEMENTATIONS),
        help="beside the reference",
    )
    options = parser.parse_args()
    result = summary(options)
    print(table(result))
    if options.json:
        options.json.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
