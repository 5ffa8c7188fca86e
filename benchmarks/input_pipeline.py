"""What a class-balanced batch of augmented CIFAR images costs the host.

    python -m benchmarks.input_pipeline

Batches of the long-tailed CIFAR-10 (rho = 100; made-up pixels, since values do not
matter) by `ResampledDataset`, with crops and flips written out as padding and one
index of NumPy ("before") and by the tasks' `augment` ("after"), in turn. Both give the
same batches. Seconds are of the process, all threads together; then, by the clock, how
long a loop with steps of some milliseconds waits for its batches.
"""

import statistics
import time

import keras
import numpy as np
from absl import app
from absl import flags

import keras_m2m
from tasks.data.small_images import augment

flags.DEFINE_integer("batch_size", 128, "samples per batch", lower_bound=1)
flags.DEFINE_integer("batches", 50, "batches per round", lower_bound=2)
flags.DEFINE_integer("rounds", 9, "rounds, of which the medians are", lower_bound=1)
flags.DEFINE_float("step", 3.0, "milliseconds of a step that the host only waits for")
FLAGS = flags.FLAGS


def augment_before(images, rng):
    """Random crops and flips of float32 `(batch, height, width, 3)`."""
    batch, height, width, _ = images.shape
    top, left = rng.integers(9, size=(2, batch, 1))
    rows, columns = top + np.arange(height), left + np.arange(width)
    flipped = rng.random(batch) < 0.5
    columns[flipped] = columns[flipped, ::-1]
    padded = np.pad(images, [(0, 0), (4, 4), (4, 4), (0, 0)])
    which = np.arange(batch)[:, None, None]
    return padded[which, rows[:, :, None], columns[:, None, :]]


def main(_):
    keras.config.set_image_data_format("channels_last")
    counts = keras_m2m.long_tailed_counts(5000, 10, 100)
    rng = np.random.default_rng(0)
    x = rng.random((sum(counts), 32, 32, 3), dtype="float32")
    y = np.repeat(np.arange(10), counts)
    ways = {"no augmentation": None, "before": augment_before, "after": augment}
    costs, waits = ({name: [] for name in ways} for _ in range(2))
    for seed in range(FLAGS.rounds):
        firsts = {}
        for name, way in ways.items():
            batches = batches_of(x, y, way, seed)
            costs[name].append(cost(batches))
            waits[name].append(wait(batches))
            firsts[name] = batches[0][0]
        np.testing.assert_array_equal(firsts["before"], firsts["after"])
    print(f"{keras.config.backend()}, {FLAGS.batch_size} samples, ms per batch")
    for name in ways:
        of_host, waited = map(statistics.median, (costs[name], waits[name]))
        print(f"{name:16} host {of_host:6.3f}   a step waits {waited:6.3f}")


def batches_of(x, y, way, seed):
    return keras_m2m.ResampledDataset(
        *(x, y, FLAGS.batch_size, "class"),
        seed=seed,
        augment=way,
        samples_per_epoch=FLAGS.batches * FLAGS.batch_size,
    )


def cost(batches):
    """Milliseconds of a core for a batch."""
    batches[0]
    begin = time.process_time()
    for i in range(len(batches)):
        batches[i]
    return 1000 * (time.process_time() - begin) / len(batches)


def wait(batches):
    """Milliseconds by the clock that a step waits for its batch."""
    waited = 0
    for i in range(len(batches)):
        begin = time.perf_counter()
        batches[i]
        waited += time.perf_counter() - begin
        time.sleep(FLAGS.step / 1000)
    return 1000 * waited / len(batches)


if __name__ == "__main__":
    app.run(main)
