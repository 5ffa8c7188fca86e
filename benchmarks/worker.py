"""Times one implementation: reads what to do from stdin, writes answers as JSON.

Started by the benchmarks, one process for each implementation, since Keras picks
its backend at import. A line of the input is one of

    ordinary COUNT      seconds of an ordinary step, the mean of COUNT
    m2m COUNT           of an M2m step
    memory              most bytes that the process has held
    about               device, precision and most bytes held on the GPU
    kernels             kernels of an ordinary and of an M2m step; plain PyTorch
    rates               what the machine does at most; plain PyTorch
"""

import functools
import json
import sys
import time
import traceback

import setting


def keras_answers(options):
    """`{what: function of a count}`."""
    import keras_steps

    steps = keras_steps.KerasSteps(options)
    time_step = steps.fit if options.by_fit else steps.single

    def about():
        return {
            "device": keras_steps.device(),
            "precision": keras_steps.precision(options),
            "device_peak_bytes": keras_steps.device_memory(),
        }

    names = ("ordinary", "m2m")
    answers = {name: functools.partial(time_step, name) for name in names}
    return {**answers, "about": about}


def torch_answers(options):
    """`{what: function of a count}` of plain PyTorch."""
    import torch
    import torch_rates
    import torch_steps

    if options.graphs:
        import torch_graphs

        parts, steps = torch_graphs.graph_steps(options, options.compiled)
    else:
        kind = options.channels_last, options.reject_first, options.compiled
        parts, steps = torch_steps.eager_steps(options, *kind)

    def seconds(step, count):
        parts.synchronize()
        start = time.perf_counter()
        for _ in range(count):
            step()
        parts.synchronize()
        return (time.perf_counter() - start) / count

    def about():
        on_gpu = parts.device == "cuda"
        return {
            "device": "gpu" if on_gpu else "cpu",
            "precision": torch_steps.precision(parts, options),
            "device_peak_bytes": torch.cuda.max_memory_allocated() if on_gpu else None,
        }

    return {
        **{name: functools.partial(seconds, step) for name, step in steps.items()},
        "about": about,
        "rates": torch_rates.rates,
        "kernels": lambda: {
            name: torch_rates.kernels(step) for name, step in steps.items()
        },
    }


def arguments():
    parser = setting.arguments(__doc__.splitlines()[0])
    parser.add_argument("--plain", action="store_true", help="PyTorch by hand")
    parser.add_argument("--channels_last", action="store_true")
    parser.add_argument("--reject_first", action="store_true")
    parser.add_argument("--compiled", action="store_true", help="by torch.compile")
    parser.add_argument("--graphs", action="store_true", help="CUDA graphs")
    parser.add_argument("--xla", action="store_true")
    parser.add_argument("--by_fit", action="store_true", help="time epochs of fit")
    parser.add_argument("--steps_per_execution", type=int, default=1)
    parser.add_argument("--choices", default="", help="name=value,... of M2mModel")
    return parser


def peak_memory():
    """Bytes of memory that the process has held at most."""
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def main():
    options = arguments().parse_args()
    # Libraries write to stdout too: keep it for answers.
    answers, sys.stdout = sys.stdout, sys.stderr
    known = {"memory": peak_memory}
    for line in sys.stdin:
        what, *count = line.split()
        try:
            # Here, so that what goes wrong is the answer.
            if len(known) == 1:
                make = torch_answers if options.plain else keras_answers
                known.update(make(options))
            answer = {"value": known[what](*map(int, count))}
        except Exception as error:
            traceback.print_exc()
            first = (str(error).splitlines() or [""])[0]
            answer = {"error": f"{type(error).__name__}: {first}"[:500]}
        print(json.dumps(answer), file=answers, flush=True)


if __name__ == "__main__":
    main()
