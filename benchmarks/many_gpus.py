"""What bounds a step of M2m on 8 and 64 GPUs, and the seeds that a batch holds.

    KERAS_BACKEND=jax python benchmarks/many_gpus.py

Prints the tables of docs/scaling.md for ImageNet-LT and iNaturalist 2018, from class
counts, multiply-adds and published rates, of which that page says what is assumed. No
step is run.
"""

from typing import NamedTuple

import numpy as np
import setting
from imagenet_lt_cost import DEFER_EPOCH
from imagenet_lt_cost import EPOCHS
from imagenet_lt_cost import IMAGENET_LT
from imagenet_lt_cost import STEPS
from imagenet_lt_cost import class_counts
from many_classes import INATURALIST

import keras_m2m
from keras_m2m.imbalance import acceptance_by_size


class Case(NamedTuple):
    """A data set: its size, the side of its images in pixels, and a beta."""

    name: str
    size: tuple[int, int, int, int]
    side: int
    beta: float


CASES = [
    Case("ImageNet-LT", IMAGENET_LT, 128, 0.999),
    Case("iNaturalist 2018", INATURALIST, 224, 0.999),
]
JOBS = [(8, 256), (8, 4096), (64, 4096)]  # GPUs and the batch of all.
A_NODE = 8  # GPUs.
SUSTAINED = 51e12  # FLOP/s of one GPU.
IN_NODE, A_NIC = 300e9, 25e9  # Bytes/s of each GPU, one way.
SECONDS_AN_IMAGE = 2.2e-3  # Of a core, to read, decode and crop.
BATCHES = [64, 256, 4096]
DRAWS = 200  # Batches that are drawn.


def moved(size, gpus):
    """Seconds of an all-reduce of so many bytes: in each node, and between them."""
    within = min(gpus, A_NODE)
    seconds = 2 * (within - 1) / within * size / IN_NODE
    nodes = gpus // A_NODE
    if nodes > 1:  # Each GPU by its own card, its share of the node's sum.
        seconds += 2 * (nodes - 1) / nodes * size / (A_NODE * A_NIC)
    return seconds


def gathered(size, gpus):
    """Seconds in which all GPUs get all rows of so many bytes."""
    into_one = A_NIC if gpus > A_NODE else IN_NODE
    return (gpus - 1) / gpus * size / into_one


def costs(case):
    """A line for each job: what a step takes, part by part."""
    counts = class_counts(*case.size)
    network = keras_m2m.resnet50(len(counts), input_shape=(case.side, case.side, 3))
    per_pass = 2 * setting.multiply_adds(network)
    gradients = 4 * network.count_params()
    for gpus, batch in JOBS:
        rows = in_batch(counts, case.beta, batch)["translated"]
        ordinary = 3 * batch * per_pass / (gpus * SUSTAINED)
        m2m = ordinary + 4 * STEPS * rows * per_pass / (gpus * SUSTAINED)
        steps = -(-case.size[0] // batch)
        # g is an ordinary run of all epochs, f one up to the deferral.
        hours = (EPOCHS + DEFER_EPOCH) * ordinary + (EPOCHS - DEFER_EPOCH) * m2m
        hours *= steps / 3600
        whole = 4 * batch * case.side**2 * 3
        cores = SECONDS_AN_IMAGE * batch
        figures = [ordinary, m2m, moved(gradients, gpus), gathered(whole, gpus)]
        yield [
            *(case.name, gpus, batch, f"{rows:.0f}"),
            *(f"{1000 * seconds:.1f}" for seconds in figures),
            *(f"{cores / seconds:.0f}" for seconds in (ordinary, m2m)),
            f"{hours:.1f}",
        ]


def in_batch(counts, beta, batch):
    """Means over class-balanced batches: classes in one, and rows translated."""
    rng = np.random.default_rng(0)
    table, size_of = acceptance_by_size(counts, beta)
    generated = keras_m2m.generation_probability(counts)
    found = {"classes": [], "translated": []}
    for _ in range(DRAWS):
        labels = rng.integers(len(counts), size=batch)
        there = np.unique(labels)
        of_size = np.bincount(size_of[there], minlength=len(table))
        total, squares = table @ of_size, table**2 @ of_size
        kept = squares / np.where(total > 0, total, 1)
        found["classes"].append(len(there))
        found["translated"].append((generated * kept[size_of])[labels].sum())
    return {name: np.mean(values) for name, values in found.items()}


def seeds(case):
    """A line for each batch and a few classes: what a row of the class finds in it."""
    counts = class_counts(*case.size)
    table, size_of = acceptance_by_size(counts, case.beta)
    classes = np.bincount(size_of)
    ranks = [-1, len(counts) // 4, len(counts) // 20]  # From the largest class.
    for batch in BATCHES:
        for k in (np.arange(len(counts))[rank] for rank in ranks):
            larger = np.mean(counts > counts[k])
            accepted = table[size_of[k]] @ classes / len(counts)
            kept = table[size_of[k]] ** 2 @ classes / len(counts) / accepted
            yield [
                *(case.name, batch, counts[k], f"{batch / len(counts):.2f}"),
                f"{(batch - 1) * larger:.0f}",
                f"{(batch - 1) * accepted:.1f}",
                f"{(1 - larger) ** (batch - 1):.1e}",
                f"{kept:.2f}",
            ]


def printed(header, lines):
    rows = [header, ["---"] * len(header), *lines]
    print("\n".join(f"| {' | '.join(map(str, row))} |" for row in rows), "\n")


def main():
    step = ["", "GPUs", "batch", "rows translated", "ordinary step, ms", "M2m step, ms"]
    step += ["all-reduce, ms", "all-gather, ms", "cores, ordinary", "cores, M2m"]
    step += ["g and f, h"]
    printed(step, [line for case in CASES for line in costs(case)])
    rows = ["", "batch", "samples of the class", "rows of it", "rows of larger classes"]
    rows += ["of these R lets pass", "chance of none", "R keeps of the drawn"]
    printed(rows, [line for case in CASES for line in seeds(case)])
    for case in CASES:
        counts = class_counts(*case.size)
        sizes = len(np.unique(counts))
        print(f"{case.name}: {len(counts)} classes of {sizes} sizes; ", end="")
        print(f"{4 * len(counts) ** 2:,} and {4 * sizes**2:,} bytes of acceptance")
        share = keras_m2m.translation_share(counts, case.beta)
        for batch in BATCHES:
            found = in_batch(counts, case.beta, batch)
            print(
                f"  batch {batch}: {found['classes']:.0f} classes in it, "
                f"{found['translated']:.1f} rows translated, "
                f"{batch * share:.1f} if all classes were in it"
            )


if __name__ == "__main__":
    main()
