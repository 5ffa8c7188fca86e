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
import time

# Of this process, which only counts, and must not take a GPU's memory as JAX does.
os.environ["KERAS_BACKEND"] = "torch"

import implementations
import setting
import summary
from machine import gpu
from machine import machine
from worker_process import Worker
from worker_process import WorkerError

# Of the time, when no further implementation is started.
_TO_START = 0.6
_STEPS_ON_GPU = 20


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

    def ask(self, name, *words):
        """What a worker answers; None if it fails, and then it is left out."""
        limits = [x for x in (self.options.limit, self.left_to_do()) if x is not None]
        seconds = max(1, min(limits)) if limits else None
        try:
            return self.workers[name].ask(*words, seconds=seconds)
        except WorkerError as error:
            self.workers.pop(name).stop()
            self.result["left_out"][name] = str(error)
            say(f"{name}: {error}\n{error.log}")
            self.write()
            return None

    def start(self, name):
        """Start a worker: first steps, then a turn that only a run cut short shows."""
        found = self.wanted[name]
        arguments = [*found.arguments, *setting.sizes(self.options)]
        if found.by_fit:
            executions = self.options.steps_per_execution
            arguments += ["--by_fit", f"--steps_per_execution={executions}"]
        self.workers[name] = Worker(arguments, found.backend)
        # `fit` gives no meaning to fewer steps than an execution has.
        first = self.options.steps_per_turn if found.by_fit else 1
        start = time.monotonic()
        if self.ask(name, "ordinary", first) is None:
            return
        between = time.monotonic()
        if self.ask(name, "m2m", first) is None:
            return
        self.result["implementations"][name] = {
            "rows": self.options.batch_size
            * setting.rows_translated(self.options, found.rejected_first),
            "first_ordinary_step": between - start,
            "first_m2m_step": time.monotonic() - between,
            "seconds": {"ordinary": [], "m2m": []},
            "rounds": 0,
        }
        if self.options.steps_per_turn > 1:
            self.turn(name)
        say(f"{name}: started in {time.monotonic() - start:.1f} s")

    def turn(self, name):
        """The steps of one turn, and what the worker is by now."""
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
        self.write()

    def rounds(self):
        """The turns that count."""
        for number in range(self.options.rounds):
            self.rates()
            for name in list(self.workers):
                if self.is_over():
                    say(f"Out of time in round {number + 1} of {self.options.rounds}.")
                    return
                row = self.result["implementations"][name]
                if number == 0:
                    row["seconds"] = {"ordinary": [], "m2m": []}
                self.turn(name)
                row["rounds"] = number + 1
        self.result["complete"] = True

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
        for name in list(self.workers):
            if "--plain" in self.wanted[name].arguments and not self.is_over():
                found = self.ask(name, "kernels")
                if found is not None:
                    self.result["implementations"][name]["kernels"] = found
                    self.write()

    def everything(self):
        for name in self.wanted:
            if self.is_over(_TO_START):
                self.result["left_out"][name] = "no time to start it"
                say(f"{name}: no time to start it")
            else:
                self.start(name)
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
        choices=["tensorflow", "jax", "torch"],
        help="a backend to time with every choice of how the step is compiled",
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
        wanted.update(implementations.of_all_choices(options.try_choices, on_gpu))
    else:
        wanted, left = implementations.chosen(options.only, on_gpu)
    run = Run(options, wanted, left)
    run.everything()
    print(summary.table(summary.of(run.result, options)))


if __name__ == "__main__":
    main()
