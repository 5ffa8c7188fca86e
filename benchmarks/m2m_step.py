"""How long a step of M2m takes: keras_m2m's backends and PyTorch by hand.

    python benchmarks/m2m_step.py --model=resnet32 --num_classes=10 --rho=100

Each implementation runs in a process of its own, on the GPU where there is one. They
take turns, one step each (on a GPU several, and their mean), so that a machine that
slows down slows all of them. Ratios are to the plain PyTorch M2m (`torch_m2m.py`):
Algorithm 1 as printed, eager, default memory format. The translation is what an M2m
step takes beyond an ordinary one. What is not installed, fails or cannot run here is
named and left out. `--json` is written anew after each turn.
"""

import json
import os
import pathlib
import sys
import threading
import time
from concurrent import futures

# For this process, which only counts, and must not take a GPU's memory as JAX does.
os.environ["KERAS_BACKEND"] = "torch"

import implementations
import setting
import summary
from machine import gpu
from machine import machine
from worker_process import Worker
from worker_process import WorkerError

# Of the time, when no further implementation is started, and when all have started.
_TO_START, _STARTED = 0.6, 0.8
_STEPS_ON_GPU = 20
# Seconds that an answer may take which was asked for in time, even over it.
_GRACE = 10


class Run:
    """Times the implementations, and writes what is known so far.

    Args:
        options: Those of the command.
        wanted: `{name: Implementation}`.
        left: `{name: why it is not timed}`.
    """

    def __init__(self, options, wanted, left):
        self.options, self.wanted = options, wanted
        self.began = time.monotonic()
        self.rows = {
            rejected_first: options.batch_size
            * setting.rows_translated(options, rejected_first)
            for rejected_first in (False, True)
        }
        self.lock = threading.Lock()
        self.workers = {}
        self.result = {
            "command": " ".join(["python", "benchmarks/m2m_step.py", *sys.argv[1:]]),
            "machine": machine(),
            "steps_per_turn": options.steps_per_turn,
            "complete": False,
            "left_out": dict(left),
            "implementations": {},
        }
        for name, why in left.items():
            say(f"{name}: left out, {why}")

    def left_to_do(self, share=1.0):
        """Seconds left of the time that there is, or of a share of it; None if any."""
        if self.options.seconds is None:
            return None
        return share * self.options.seconds - (time.monotonic() - self.began)

    def is_over(self, share=1.0):
        left = self.left_to_do(share)
        return left is not None and left <= 0

    def ask(self, name, *words, share=1.0):
        """What a worker answers; None if it fails, and then it is left out."""
        left = self.left_to_do(share)
        limits = [self.options.limit, None if left is None else max(_GRACE, left)]
        limits = [limit for limit in limits if limit is not None]
        try:
            return self.workers[name].ask(*words, seconds=min(limits, default=None))
        except WorkerError as error:
            self.workers.pop(name).stop()
            say(f"{name}: {error}\n{error.log}")
            with self.lock:
                self.result["left_out"][name] = str(error)
                self.write()
            return None

    def start(self, name):
        """Start a worker and let it make its first steps."""
        if self.is_over(_TO_START):
            self.result["left_out"][name] = "no time to start it"
            say(f"{name}: no time to start it")
            return
        found = self.wanted[name]
        arguments = [*found.arguments, *setting.sizes(self.options)]
        if found.by_fit:
            arguments.append("--by_fit")
            if found.backend != "torch":  # Keras has it one by one there.
                executions = self.options.steps_per_execution
                arguments.append(f"--steps_per_execution={executions}")
        self.workers[name] = Worker(arguments, found.backend)
        # `fit` gives no meaning to fewer steps than an execution has.
        first = self.options.steps_per_turn if found.by_fit else 1
        start = time.monotonic()
        if self.ask(name, "ordinary", first, share=_STARTED) is None:
            return
        between = time.monotonic()
        if self.ask(name, "m2m", first, share=_STARTED) is None:
            return
        row = {
            "rows": self.rows[found.rejected_first],
            "first_ordinary_step": between - start,
            "first_m2m_step": time.monotonic() - between,
            "seconds": {"ordinary": [], "m2m": []},
            "rounds": 0,
        }
        say(f"{name}: started in {time.monotonic() - start:.1f} s")
        with self.lock:
            self.result["implementations"][name] = row

    def turn(self, name):
        """The steps of one turn, and what the worker is by now."""
        began = time.monotonic()
        steps = {}
        for step in ("ordinary", "m2m"):
            steps[step] = self.ask(name, step, self.options.steps_per_turn)
            if steps[step] is None:
                return
        about, memory = self.ask(name, "about"), self.ask(name, "memory")
        if about is None or memory is None:
            return
        row = self.result["implementations"][name]
        for step, seconds in steps.items():
            row["seconds"][step].append(seconds)
        row.update(about, peak_bytes=memory)
        row["seconds_of_turn"] = time.monotonic() - began
        self.write()

    def start_all(self):
        """Start the workers, then a turn of each that only a run cut short shows."""
        with futures.ThreadPoolExecutor(self.options.together) as pool:
            list(pool.map(self.start, self.wanted))
        started = self.result["implementations"]
        self.result["implementations"] = {
            name: started[name] for name in self.wanted if name in started
        }
        if self.options.steps_per_turn > 1:
            for name in self._in_order():
                if not self.is_over():
                    self.turn(name)

    def _in_order(self):
        """Names of the workers that run, as they were asked for."""
        return [name for name in self.wanted if name in self.workers]

    def rounds(self):
        """The turns that count."""
        for number in range(self.options.rounds):
            self.rates()
            for name in self._in_order():
                row = self.result["implementations"][name]
                left = self.left_to_do()
                if left is not None and left < row.get("seconds_of_turn", 0):
                    say(f"Out of time in round {number + 1} of {self.options.rounds}.")
                    return
                if number == 0:
                    row["seconds"] = {"ordinary": [], "m2m": []}
                self.turn(name)
                row["rounds"] = len(row["seconds"]["m2m"])
        self.result["complete"] = bool(self.workers)

    def rates(self):
        """What the machine does at most: the median round is taken."""
        name = implementations.REFERENCE
        if name in self.workers and not self.is_over():
            rates = self.ask(name, "rates")
            if rates is not None:
                self.result.setdefault("rates", []).append(rates)
                self.write()

    def kernels(self):
        """How many kernels the steps of plain PyTorch have, last: it slows them."""
        for name in self._in_order():
            if "--plain" in self.wanted[name].arguments and not self.is_over():
                found = self.ask(name, "kernels")
                if found is not None:
                    self.result["implementations"][name]["kernels"] = found
                    self.write()

    def everything(self):
        self.start_all()
        self.rounds()
        if gpu():
            self.kernels()
        for worker in self.workers.values():
            worker.stop()
        self.write()

    def write(self):
        """The JSON file, whole at any time."""
        if self.options.json:
            text = json.dumps(summary.of(self.result, self.options), indent=1)
            part = self.options.json.with_suffix(".part")
            part.write_text(text + "\n")
            part.replace(self.options.json)


def say(line):
    print(line, file=sys.stderr, flush=True)


def arguments():
    parser = setting.arguments(__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=9, help="turns timed of each")
    parser.add_argument(
        "--steps_per_turn", type=int, help=f"1, on a GPU {_STEPS_ON_GPU}"
    )
    parser.add_argument("--json", type=pathlib.Path, help="file to write")
    parser.add_argument(
        "--only",
        nargs="+",
        choices=implementations.IMPLEMENTATIONS,
        help="beside the reference",
    )
    parser.add_argument(
        "--try_choices",
        metavar="BACKEND",
        choices=implementations.CHOICES,
        help="time tensorflow, jax or torch with every choice of how it is compiled",
    )
    parser.add_argument(
        "--choices",
        nargs="+",
        metavar="NAME=VALUE,...",
        help="not every choice of --try_choices, but these",
    )
    parser.add_argument(
        "--together", type=int, default=1, help="how many are started at once"
    )
    parser.add_argument(
        "--steps_per_execution", type=int, default=1, help="of what is timed by fit"
    )
    parser.add_argument("--seconds", type=float, help="stop after about so long")
    parser.add_argument(
        "--limit", type=float, help="seconds for an answer: slower ones are left out"
    )
    return parser


def main():
    options = arguments().parse_args()
    on_gpu = bool(gpu())
    if options.steps_per_turn is None:
        options.steps_per_turn = _STEPS_ON_GPU if on_gpu else 1
    if options.try_choices:
        wanted, left = implementations.chosen([implementations.REFERENCE], on_gpu)
        backend = options.try_choices
        choices = options.choices or implementations.all_choices(backend)
        wanted.update(implementations.with_choices(backend, choices, by_fit=on_gpu))
    else:
        wanted, left = implementations.chosen(options.only, on_gpu)
    run = Run(options, wanted, left)
    run.everything()
    print(summary.table(summary.of(run.result, options)))


if __name__ == "__main__":
    main()
