"""Times one implementation: reads what to do from stdin, writes seconds.

Started by the benchmarks, one process for each implementation, since Keras picks
its backend at import.
"""

import sys
import time

import setting


def keras_steps(options, jit_compile):
    """`{name: function that makes one step}` with keras_m2m."""
    import keras

    import keras_m2m

    counts = setting.class_counts(options.num_classes, options.rho)
    f, g = setting.keras_network(options), setting.keras_network(options)
    model = keras_m2m.M2mModel(
        f,
        g,
        counts,
        beta=options.beta,
        steps=options.steps,
        bounds=(0, 1),
        **setting.M2M,
    )
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    steps = {}
    for name, trained in {"ordinary": f, "m2m": model}.items():
        trained.compile(keras.optimizers.SGD(1e-3, 0.9), loss, jit_compile=jit_compile)
        data = setting.batches(options)
        steps[name] = lambda trained=trained, data=data: trained.train_on_batch(
            *next(data)
        )
    return steps


def torch_steps(options, channels_last, reject_first):
    """`{name: function that makes one step}` with the plain PyTorch M2m."""
    import numpy as np
    import torch
    import torch_m2m

    import keras_m2m

    counts = setting.class_counts(options.num_classes, options.rho)
    acceptance = keras_m2m.acceptance_probability(counts, options.beta)
    acceptance = torch.tensor(acceptance, dtype=torch.float32)
    f, g = setting.torch_network(options), setting.torch_network(options)
    g.eval().requires_grad_(False)
    layout = torch.channels_last if channels_last else torch.contiguous_format
    for network in (f, g):
        network.to(memory_format=layout)
    optimizer = torch.optim.SGD(f.parameters(), 1e-3, momentum=0.9)
    data = setting.batches(options)

    def batch():
        x, labels = next(data)
        x = torch.tensor(np.moveaxis(x, -1, 1).copy()).contiguous(memory_format=layout)
        return x, torch.tensor(labels)

    def m2m():
        x, labels = batch()
        x = torch_m2m.rewrite(
            f,
            g,
            x,
            labels,
            torch.tensor(counts),
            acceptance,
            reject_first,
            steps=options.steps,
            **setting.M2M,
        )
        torch_m2m.ordinary_step(f, optimizer, x, labels)

    return {
        "ordinary": lambda: torch_m2m.ordinary_step(f, optimizer, *batch()),
        "m2m": m2m,
    }


def matrix_product_rate():
    """Multiply-adds a second of large float32 products, the machine's best."""
    import torch

    a = torch.rand(2048, 2048)
    seconds = []
    for _ in range(10):
        start = time.perf_counter()
        a @ a
        seconds.append(time.perf_counter() - start)
    return 2048**3 / min(seconds)


def main():
    parser = setting.arguments(__doc__)
    parser.add_argument("--plain", action="store_true", help="PyTorch by hand")
    parser.add_argument("--channels_last", action="store_true")
    parser.add_argument("--reject_first", action="store_true")
    parser.add_argument("--xla", action="store_true")
    options = parser.parse_args()
    # Libraries write to stdout too: keep it for answers.
    answers, sys.stdout = sys.stdout, sys.stderr
    if options.plain:
        steps = torch_steps(options, options.channels_last, options.reject_first)
        steps["rate"] = None
    else:
        steps = keras_steps(options, True if options.xla else "auto")
    for line in sys.stdin:
        if line.strip() == "rate":
            answer = matrix_product_rate()
        elif line.strip() == "memory":
            answer = peak_memory()
        else:
            start = time.perf_counter()
            steps[line.strip()]()
            answer = time.perf_counter() - start
        print(answer, file=answers, flush=True)


def peak_memory():
    """Bytes of memory that the process has held at most."""
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


if __name__ == "__main__":
    main()
