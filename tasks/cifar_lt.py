"""CIFAR-LT-10 and -100: CIFAR made long-tailed, by the paper's protocol.

    python -m tasks.cifar_lt --rho=100 --method=m2m

The paper's balanced accuracy on CIFAR-LT-10, rho 100 (Table 1, mean of three
runs): ERM 68.7, DRS 75.2, M2m 78.3. That protocol, ResNet-32 for 200 epochs and
as many for g, is work for a GPU. `--preset=small` is the same code at a size
that two CPU cores finish in about an hour: ResNet-20, 2,000 images in the
largest class, 60 epochs. Its g is good enough that M2m has something to add.
"""

import keras
import numpy as np

import keras_m2m
from tasks import runner
from tasks.long_tail import tail_counts
from tasks.settings import Settings
from tasks.task import Data
from tasks.task import Flag
from tasks.task import Preset
from tasks.task import Task
from tasks.task import UserError
from tasks.tfds_builder import prepared_builder

_PADDING = 4  # Pixels of zeros around an image before the random crop.


def load(settings: Settings) -> Data:
    """Read CIFAR through TensorFlow Datasets and cut its training set to a tail."""
    train, test, class_names = _read(settings.dataset, settings.data_dir)
    available = np.bincount(train[1])
    largest = settings.largest or available.max()
    if largest > available.min():
        raise UserError(
            f"--largest={largest}, but {settings.dataset} has {available.min()} images "
            "per class"
        )
    counts = tail_counts(largest, len(class_names), settings.rho)
    validation = None
    if settings.protocol == "m2m":
        # As the authors do: a tenth of each class of the *test* set.
        per_class = np.bincount(test[1])
        held_out = _first_rows(test[1], per_class // 10)
        validation = tuple(part[held_out] for part in test)
        test = tuple(np.delete(part, held_out, axis=0) for part in test)
    rows = _first_rows(train[1], counts, shuffled=settings.subset == "shuffled")
    name = "CIFAR-10" if settings.dataset == "cifar10" else "CIFAR-100"
    return Data(
        train=(train[0][rows], train[1][rows]),
        validation=validation,
        test=test,
        class_names=class_names,
        source=f"{name} of tensorflow-datasets, rho {settings.rho:g}",
        bounds=(0.0, 1.0),
        augment=augment,
    )


def _read(dataset, data_dir):
    """`(train, test, class_names)` with images in [0, 1] and in file order."""
    builder = prepared_builder(dataset, data_dir)
    splits = [_arrays(builder, split) for split in ("train", "test")]
    return *splits, builder.info.features["label"].names


def _arrays(builder, split):
    import tensorflow_datasets as tfds

    batches = list(tfds.as_numpy(builder.as_dataset(split=split, batch_size=1000)))
    rows = {
        key: np.concatenate([batch[key] for batch in batches]) for key in batches[0]
    }
    # Ids sort in file order, so that "the first N_k of a class" is well defined.
    order = np.argsort(rows["id"], kind="stable")
    images = rows["image"][order].astype("float32") / 255
    if keras.config.image_data_format() == "channels_first":
        images = np.ascontiguousarray(np.moveaxis(images, -1, 1))
    return images, rows["label"][order].astype("int64")


def _first_rows(labels, counts, shuffled=False):
    """Rows of the first `counts[k]` samples of every class, or of random ones."""
    rng = np.random.default_rng(0)
    chosen = []
    for k, count in enumerate(counts):
        rows = np.flatnonzero(labels == k)
        chosen.append((rng.permutation(rows) if shuffled else rows)[:count])
    return np.concatenate(chosen)


def augment(images: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Random crops of the zero-padded images, and random horizontal flips.

    Args:
        images: float32 `(batch, height, width, 3)` in [0, 1], or channels first
            where Keras is set so.
        rng: Source of the crops and flips.

    Returns:
        float32 array of the same shape.
    """
    first = keras.config.image_data_format() == "channels_first"
    images = np.moveaxis(images, 1, -1) if first else images
    batch, height, width, _ = images.shape
    padding = [(0, 0), (_PADDING, _PADDING), (_PADDING, _PADDING), (0, 0)]
    top, left = rng.integers(2 * _PADDING + 1, size=(2, batch, 1))
    rows, columns = top + np.arange(height), left + np.arange(width)
    flipped = rng.random(batch) < 0.5
    columns[flipped] = columns[flipped, ::-1]
    which = np.arange(batch)[:, None, None]
    images = np.pad(images, padding)[which, rows[:, :, None], columns[:, None, :]]
    return np.moveaxis(images, -1, 1) if first else images


def build(data: Data, head: str, settings: Settings) -> keras.Model:
    """The CIFAR ResNet of `--depth` layers, normalised by the training set."""
    images = data.train[0]
    first = keras.config.image_data_format() == "channels_first"
    axes = (0, 2, 3) if first else (0, 1, 2)
    return keras_m2m.cifar_resnet(
        int(settings.depth),
        len(data.class_names),
        images.shape[1:],
        mean=images.mean(axis=axes, dtype="float64"),
        variance=images.var(axis=axes, dtype="float64"),
        head=head,
        weight_decay=settings.weight_decay,
    )


TASK = Task(
    name="cifar_lt",
    load=load,
    build=build,
    flags=[
        Flag(
            "enum",
            "dataset",
            "cifar10",
            "which CIFAR",
            {"enum_values": ["cifar10", "cifar100"]},
        ),
        Flag(
            "float",
            "rho",
            100,
            "imbalance ratio of the training set",
            {"lower_bound": 1},
        ),
        Flag(
            "integer",
            "largest",
            0,
            "images of the largest class; 0 for all",
            {"lower_bound": 0},
        ),
        Flag(
            "enum",
            "subset",
            "first",
            "first: the first of each class, as the authors; shuffled: by seed 0",
            {"enum_values": ["first", "shuffled"]},
        ),
        Flag(
            "enum",
            "depth",
            "32",
            "layers of the ResNet, 6n + 2",
            {"enum_values": ["8", "14", "20", "32", "44", "56"]},
        ),
    ],
    defaults={
        "epochs": 200,
        "defer_epoch": 160,
        "drops": ["160:0.01", "180:0.01"],
        "batch_size": 128,
        "weight_decay": 2e-4,
    },
    presets={
        "cifar10_rho100": Preset(
            {"beta": 0.999, "lam": 0.5, "gamma": 0.9},
            "authors",
            when={"dataset": "cifar10", "rho": 100},
        ),
        "small": Preset(
            {
                "depth": "20",
                "largest": 2000,
                "epochs": 60,
                "defer_epoch": 48,
                "drops": ["48:0.01", "54:0.01"],
                "beta": 0.99,
                "lam": 0.1,
                "gamma": 0.9,
            },
            "ours",
        ),
    },
)

if __name__ == "__main__":
    runner.main(TASK)
