"""CIFAR-10 in two halves, as folders: to train a network on five classes, and a tail.

    python benchmarks/frozen_features.py --data_dir=$DATA/tfds --folder=halves
    python -m tasks.folder --data_dir=halves/known --method=erm --epochs=15 \\
      --protocol=field --out_dir=halves/run
    python benchmarks/frozen_features.py --folder=halves --headless
    python -m tasks.table --task=folder --data_dir=halves/tail --seeds=5 \\
      --backbone=halves/backbone.keras --results=results/frozen_features

`known/` has all images of airplane, automobile, bird, cat and deer; `tail/` the first
of dog, frog, horse, ship and truck, 2,000 of the first to 20 of the last, and all test
images of these. `--headless` takes the head off the network of the run.
"""

import argparse
import pathlib

import keras
from PIL import Image

from tasks import cifar_lt
from tasks.data.long_tail import tail_counts

LARGEST, RHO = 2000, 100


def write(images, labels, names, counts, folder):
    """The first images of each class, as PNG files, a folder a class."""
    for name, (number, count) in zip(names, enumerate(counts), strict=True):
        if count == 0:
            continue
        place = folder / name
        place.mkdir(parents=True, exist_ok=True)
        for index, image in enumerate(images[labels == number][:count]):
            Image.fromarray(image).save(place / f"{index:04}.png")


def make(data_dir, folder):
    """Write both halves."""
    splits, names, _ = cifar_lt.read("cifar10", data_dir)
    half = len(names) // 2
    every = [max((y == k).sum() for k in range(len(names))) for _, y in splits]
    tail = tail_counts(LARGEST, len(names) - half, RHO, "long_tail")
    for (images, labels), split, most in zip(splits, ("train", "test"), every):
        known = [most] * half + [0] * half
        write(images, labels, names, known, folder / "known" / split)
        rare = tail if split == "train" else [most] * half
        write(images, labels, names, [0] * half + [*rare], folder / "tail" / split)


def take_head_off(folder):
    """Write the network of the run, up to the input of its last layer."""
    f = keras.saving.load_model(folder / "run" / "f.keras")
    head = f.layers[-1]
    backbone = keras.Model(f.input, head.input, name="cifar_half")
    backbone.save(folder / "backbone.keras")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--data_dir", help="of TensorFlow Datasets")
    parser.add_argument("--folder", type=pathlib.Path, required=True)
    parser.add_argument("--headless", action="store_true")
    chosen = parser.parse_args()
    if chosen.headless:
        take_head_off(chosen.folder)
    else:
        make(chosen.data_dir, chosen.folder)
