"""Memory and time that a folder of very many photographs takes.

    KERAS_BACKEND=jax python benchmarks/many_photographs.py --folder=FOLDER

makes a million files, links to 1,000 small PNGs, in 1,000 folders of classes of 9,990
to 5 images; lists, decodes and keeps them as `tasks.folder` does, and takes some steps
of M2m, in a process whose memory is its own. Remove FOLDER afterwards.
"""

import argparse
import contextlib
import os
import pathlib
import resource
import subprocess
import sys
import time

import numpy as np
from PIL import Image

ROOT = pathlib.Path(__file__).parents[1]
CLASSES, LARGEST, SMALLEST, FILES = 1000, 9990, 5, 1000
BATCH, STEPS = 128, 20


def make(folder, images):
    """Links by class; their number falls as a power of the rank."""
    sys.path.append(str(ROOT / "benchmarks"))
    from imagenet_lt_cost import class_counts

    rng = np.random.default_rng(0)
    (folder / "files").mkdir(parents=True)
    for i in range(FILES):
        pixels = rng.integers(0, 256, (40, 40, 3), "uint8")
        Image.fromarray(pixels).save(folder / "files" / f"{i}.png")
    counts = class_counts(images, CLASSES, LARGEST * images // 10**6, SMALLEST)
    made = 0
    for k, count in enumerate(counts):
        place = folder / "images" / f"class {k:03d}"
        place.mkdir(parents=True)
        for _ in range(count):
            os.link(folder / "files" / f"{made % FILES}.png", place / f"{made}.png")
            made += 1
    print(f"{made} files", flush=True)


def measure(folder):
    sys.path.insert(0, str(ROOT))
    import keras

    import keras_m2m
    from tasks import folder as task
    from tasks.experiment.settings import parse

    settings = parse(task.TASK, [f"--data_dir={folder / 'images'}", "--depth=8"])
    with told("listed, decoded and kept"):
        data = task.load(settings)
    with told("listed again"):
        data = task.load(settings)
    batches = keras_m2m.ResampledDataset(
        *data.train,
        batch_size=BATCH,
        sampling="class",
        augment=data.augment,
        samples_per_epoch=STEPS * BATCH,
    )
    with told(f"{STEPS} batches of {BATCH}"):
        for index in range(STEPS):
            batches[index]
    f, g = (task.build(data, "dense", settings) for _ in range(2))
    model = keras_m2m.M2mModel(f, g, data.class_counts, gamma=0.0, bounds=data.bounds)
    model.compile("sgd", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    with told(f"{STEPS} steps of M2m"):
        model.fit(**batches.fit_arguments, verbose=0)


@contextlib.contextmanager
def told(what):
    """Print the seconds of what is done inside, and the peak of memory until then."""
    began = time.perf_counter()
    yield
    seconds = time.perf_counter() - began
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    print(f"{what}: {seconds:.0f} s, at most {peak:.2f} GiB", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--folder", type=pathlib.Path, required=True)
    parser.add_argument("--images", type=int, default=10**6)
    parser.add_argument("--measure", action="store_true", help="what is there")
    options = parser.parse_args()
    if options.measure:
        measure(options.folder)
        return
    if not options.folder.exists():
        make(options.folder, options.images)
    os.environ["KERAS_HOME"] = str(options.folder / "home")
    flags = [f"--folder={options.folder}", "--measure"]
    subprocess.run([sys.executable, __file__, *flags], check=True)


if __name__ == "__main__":
    main()
