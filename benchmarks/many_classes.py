"""Time and memory of what M2m holds of all pairs of classes, by their number.

    KERAS_BACKEND=jax python benchmarks/many_classes.py 100 1000 8142

Counts are nearly those of iNaturalist 2018 (`many_gpus.py`), thinned for fewer classes.
Networks are as small as can be, so that tables are what a step costs, and samples are
noise. Each number of classes is a process of its own, whose memory is its own.
"""

import argparse
import resource
import statistics
import subprocess
import sys
import time

import keras
import numpy as np
import setting  # noqa: F401  finds keras_m2m
from imagenet_lt_cost import class_counts

import keras_m2m

INATURALIST = 437_513, 8142, 1000, 2
BATCH, WIDTH, EPOCHS, STEPS = 256, 8, 4, 10


class Times(keras.callbacks.Callback):
    """Seconds of each step, and of what comes after the steps of an epoch."""

    def on_train_begin(self, logs=None):
        self.steps, self.ends = [], []

    def on_train_batch_begin(self, batch, logs=None):
        self.last = time.perf_counter()

    def on_train_batch_end(self, batch, logs=None):
        float(logs["loss"])  # Which waits for the step.
        now = time.perf_counter()
        self.steps.append(now - self.last)
        self.last = now

    def on_epoch_end(self, epoch, logs=None):
        self.ends.append(time.perf_counter() - self.last)


def measure(num_classes):
    every = class_counts(*INATURALIST)
    counts = every[np.linspace(0, len(every) - 1, num_classes).astype(int)]
    rng = np.random.default_rng(0)
    y = np.concatenate([np.arange(num_classes), rng.integers(num_classes, size=5000)])
    x = rng.normal(size=(len(y), WIDTH)).astype("float32")
    f, g = (keras_m2m.mlp(num_classes, (WIDTH,), hidden=4) for _ in range(2))
    batches = keras_m2m.ResampledDataset(
        *(x, y, BATCH, "class", EPOCHS), samples_per_epoch=STEPS * BATCH
    )
    before, began = _peak(), time.perf_counter()
    model = keras_m2m.M2mModel(f, g, counts, gamma=0.0, steps=1, step_size=0.1)
    model.compile("sgd", keras.losses.SparseCategoricalCrossentropy(True))
    made, times = time.perf_counter() - began, Times()
    watch = keras_m2m.WatchAcceptance()
    model.fit(**batches.fit_arguments, verbose=0, callbacks=[watch, times])
    print(
        f"| {num_classes} | {_peak() - before:.2f} | {made:.1f} | {times.steps[0]:.1f} "
        f"| {1000 * statistics.median(times.steps[1:]):.1f} | {times.ends[-1]:.2f} |",
        flush=True,
    )


def _peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("classes", type=int, nargs="+")
    parser.add_argument("--measure", action="store_true", help="in this process")
    options = parser.parse_args()
    if options.measure:
        measure(*options.classes)
        return
    print(
        "| classes | GiB more | to make, s | first step, s | step, ms | epoch end, s |"
    )
    print("|---" * 6 + "|", flush=True)
    for number in options.classes:
        command = [sys.executable, __file__, str(number), "--measure"]
        subprocess.run(command, check=True)


if __name__ == "__main__":
    main()
