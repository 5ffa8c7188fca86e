"""How long a step of M2m takes beside an ordinary one, by architecture.

    KERAS_BACKEND=jax python benchmarks/architectures.py

Prints a line of a table for each network of `tests/helpers/architectures.py`, without
trained weights and at small sizes. Times are of the processor, summed over its
threads. Steps of both kinds take turns, and the least of each counts: so other programs
on the machine disturb the figures little. With keras_hub installed, a small transformer
of it is timed too.
"""

import argparse
import os
import pathlib
import sys
import time

ROOT = pathlib.Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "tests")]
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras  # noqa: E402
import numpy as np  # noqa: E402

import keras_m2m  # noqa: E402
from helpers import architectures  # noqa: E402
from keras_m2m.folding import FoldedNetwork  # noqa: E402

LOSS = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
COUNTS = [100, 1000, 10]


def hub_transformer():
    """Two encoder blocks of keras_hub on made embeddings of 8 tokens."""
    import keras_hub

    tokens = keras.Input((8, 12))
    x = tokens
    for _ in range(2):
        x = keras_hub.layers.TransformerEncoder(24, 2)(x)
    x = keras.layers.GlobalAveragePooling1D()(x)
    return keras.Model(tokens, keras.layers.Dense(architectures.CLASSES)(x))


def seconds(fn, *args):
    start = time.process_time()
    result = fn(*args)
    return time.process_time() - start, result


def folding_error(network, x):
    """Greatest difference of folded logits, relative to the greatest logit."""
    plain = keras.ops.convert_to_numpy(network(x, training=False))
    folded = FoldedNetwork(network).freeze()(keras.ops.convert_to_tensor(x))
    error = np.abs(keras.ops.convert_to_numpy(folded) - plain).max()
    return error / np.abs(plain).max()


def row(name, options):
    """The cells of a line: what was measured of one architecture."""
    f, g = (architectures.network(name, seed) for seed in (1, 2))
    rng = np.random.default_rng(0)
    shape = (options.batch_size, *architectures.shape(f))
    x = rng.uniform(size=shape).astype("float32")
    y = np.arange(options.batch_size) % architectures.CLASSES
    error = folding_error(f, x)
    settings = {"beta": 0.9, "steps": 10, "step_size": 0.1, "seed": 0}
    construction, model = seconds(lambda: keras_m2m.M2mModel(f, g, COUNTS, **settings))
    for trained in (f, model):
        trained.compile(keras.optimizers.SGD(1e-4), LOSS)
    first, _ = seconds(model.train_on_batch, x, y)
    f.train_on_batch(x, y)
    times = [
        [seconds(trained.train_on_batch, x, y)[0] for trained in (f, model)]
        for _ in range(options.rounds)
    ]
    ordinary, m2m = np.min(times, axis=0)
    return [
        f"{construction:.1f}",
        f"{first:.0f}",
        f"{1000 * ordinary:.0f}",
        f"{1000 * m2m:.0f}",
        f"{m2m / ordinary:.1f}",
        f"{error:.0e}",
    ]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--batch_size", type=int, default=16)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--only", nargs="+", help="names of architectures")
    options = parser.parse_args()
    architectures.ALL["keras_hub transformer"] = hub_transformer
    columns = ["construction, s", "first step, s", "ordinary, ms", "M2m, ms", "ratio"]
    print(f"| {keras.config.backend()} | {' | '.join([*columns, 'folding'])} |")
    print("|---" * 7 + "|")
    for name in options.only or architectures.ALL:
        try:
            cells = row(name, options)
        except ImportError as error:
            cells = [f"not run: {error}"]
        print(f"| {name} | {' | '.join(cells)} |", flush=True)
        keras.backend.clear_session()


if __name__ == "__main__":
    main()
