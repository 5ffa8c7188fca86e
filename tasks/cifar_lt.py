"""CIFAR-LT-10 and -100: CIFAR made long-tailed, by the paper's protocol.

    python -m tasks.cifar_lt --rho=100 --method=m2m
    python -m tasks.cifar_lt --dataset=cifar100 --rho=10 --method=m2m
    python -m tasks.cifar_lt --imbalance=step --rho=10 --method=m2m  # not in the paper

The paper's balanced accuracy (Table 1, mean of three runs), without and with LDAM:

                    rho     N     ERM   DRS   M2m  |  LDAM  DRW   M2m
    CIFAR-LT-10     100  12,406   68.7  75.2  78.3 |  72.8  77.1  79.1
    CIFAR-LT-10      10  20,431   86.0  87.1  87.9 |  86.2  87.1  87.5
    CIFAR-LT-100    100  10,847   37.2  41.5  42.9 |  39.5  42.1  43.5
    CIFAR-LT-100     10  19,573   56.2  57.7  58.2 |  54.7  56.9  57.6

That protocol, ResNet-32 for 200 epochs and as many for g, is work for a GPU: from the
seconds per step of docs/results/speed.md, two CPU cores would take some 8 hours for the
first line and 12 for the second. The other two are not far from these. The download is
170 MB.

`--preset=small` is the same code at a size that two CPU cores finish in about an hour:
ResNet-20, 2,000 images in the largest class, 60 epochs. It gave ERM 53.1, DRS 60.7 and
M2m 62.1, the means of three seeds (docs/results/after2020.md); LDAM-DRW needs longer
training (docs/results/cifar_lt.md).

Source: Krizhevsky, Learning multiple layers of features from tiny images (2009).
"""

from pathlib import Path

import numpy as np

from tasks.data import cifar_archive
from tasks.data import packed_images
from tasks.data.long_tail import IMBALANCES
from tasks.data.long_tail import tail_counts
from tasks.data.small_images import DEPTH
from tasks.data.small_images import augment
from tasks.data.small_images import build_resnet
from tasks.data.small_images import first_rows
from tasks.data.small_images import samples
from tasks.data.tfds import missing_packages
from tasks.data.tfds import prepared_builder
from tasks.experiment.errors import UserError
from tasks.experiment.settings import Settings
from tasks.experiment.task import Data
from tasks.experiment.task import Flag
from tasks.experiment.task import Preset
from tasks.experiment.task import Task
from tasks.runs import runner


def load(settings: Settings) -> Data:
    """Read CIFAR and cut its training set to a tail."""
    splits, class_names, source = read(settings.dataset, settings.data_dir)
    train, test = splits
    available = np.bincount(train[1], minlength=len(class_names))
    largest = settings.largest or available.max()
    counts = tail_counts(largest, len(class_names), settings.rho, settings.imbalance)
    _check_largest(settings, available, counts)
    validation = None
    if settings.protocol == "m2m":
        # As the authors do: a tenth of each class of the *test* set.
        per_class = np.bincount(test[1])
        held_out = first_rows(test[1], per_class // 10)
        validation = tuple(part[held_out] for part in test)
        test = tuple(np.delete(part, held_out, axis=0) for part in test)
    rows = first_rows(train[1], counts, shuffled=settings.subset == "shuffled")
    train = tuple(part[rows] for part in train)
    shape = settings.imbalance.replace("_", " ")
    return Data(
        train=_as_samples(train),
        validation=_as_samples(validation),
        test=_as_samples(test),
        class_names=class_names,
        source=f"{source}, {shape} of rho {settings.rho:g}",
        bounds=(0.0, 1.0),
        augment=augment,
    )


def read(dataset: str, data_dir: str | None) -> tuple[list, list[str], str]:
    """Read a CIFAR: packed, or its published archive, or by TensorFlow Datasets.

    Args:
        dataset: `"cifar10"` or `"cifar100"`.
        data_dir: A folder with `DATASET.npz` (`packed_images`), with the archive, or of
            TensorFlow Datasets. None for the folder of the latter, or where that
            is not installed for the archive, downloaded.

    Returns:
        `(splits, names, source)`; training and test set are `(images, labels)`, uint8
        `(n, 32, 32, 3)` and int64 `(n,)`, in file order.

    Raises:
        UserError: If it can be neither read nor downloaded.
    """
    name = "CIFAR-10" if dataset == "cifar10" else "CIFAR-100"
    if data_dir is not None and (packed := Path(data_dir, f"{dataset}.npz")).exists():
        return packed_images.read(packed)
    if cifar_archive.is_in(dataset, data_dir) or (
        data_dir is None and missing_packages()
    ):
        splits, names = cifar_archive.read(dataset, data_dir)
        return splits, names, f"{name}, the published archive"
    builder = prepared_builder(dataset, data_dir)
    splits = [_arrays(builder, split) for split in ("train", "test")]
    names = builder.info.features["label"].names
    return splits, names, f"{name} of tensorflow-datasets"


def _as_samples(part):
    return None if part is None else (samples(part[0]), part[1])


def _check_largest(settings, available, counts):
    missing = np.flatnonzero(counts > available)
    if len(missing):
        k = missing[0]
        raise UserError(
            f"--largest={settings.largest} and --rho={settings.rho:g} take {counts[k]} "
            f"images of class {k}, and {settings.dataset} has {available[k]} of it"
        )


def _arrays(builder, split):
    import tensorflow_datasets as tfds

    batches = list(tfds.as_numpy(builder.as_dataset(split=split, batch_size=1000)))
    rows = {
        key: np.concatenate([batch[key] for batch in batches]) for key in batches[0]
    }
    # Ids sort in file order, so that "the first N_k of a class" is well defined.
    order = np.argsort(rows["id"], kind="stable")
    return rows["image"][order], rows["label"][order].astype("int64")


TASK = Task(
    name="cifar_lt",
    load=load,
    build=build_resnet,
    flags=[
        Flag(
            "enum",
            "dataset",
            "cifar10",
            "which CIFAR",
            {"enum_values": ["cifar10", "cifar100"]},
        ),
        Flag(
            "enum",
            "imbalance",
            "long_tail",
            "long_tail: sizes fall class by class; step: half of the classes are rare",
            {"enum_values": [*IMBALANCES]},
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
        DEPTH,
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
            when={"dataset": "cifar10", "rho": 100, "imbalance": "long_tail"},
        ),
        # The authors state no values for these. They were not tuned, but chosen from
        # the paper's grid. beta: the one under which R keeps nearest to the 79 % of
        # the candidates that it keeps in cifar10_rho100, if all classes are in the
        # batch. With 0.9, 0.99 and 0.999 that is
        #   cifar10_rho10   100, 99, 79 %
        #   cifar100_rho100  95, 74, 20 %: the largest class has 500 images, so 0.999
        #                    rejects three of five seeds even from it to the rarest
        #   cifar100_rho10   97, 74, 18 %
        # lam and gamma: the authors'. With 100 classes g is less sure: there a
        # smaller lam, with which more translations reach gamma.
        "cifar10_rho10": Preset(
            {"beta": 0.999, "lam": 0.5, "gamma": 0.9},
            "ours",
            when={"dataset": "cifar10", "rho": 10},
        ),
        "cifar100_rho100": Preset(
            {"beta": 0.99, "lam": 0.1, "gamma": 0.9},
            "ours",
            when={"dataset": "cifar100", "rho": 100},
        ),
        "cifar100_rho10": Preset(
            {"beta": 0.99, "lam": 0.1, "gamma": 0.9},
            "ours",
            when={"dataset": "cifar100", "rho": 10},
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
