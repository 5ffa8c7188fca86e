"""Data of your own: a folder of images, arrays in an `.npz` file, or a table.

    python -m tasks.folder --data_dir=PATH --compare=erm,drs

trains g and f by M2m, and ERM and DRS beside it, and leaves what every task leaves.
What is read, what is refused and what the flags mean: `docs/own_data.md`. In short:

**Images.** A folder with a folder per class, of PNG, JPEG, WebP, BMP, GIF or TIFF:

    PATH/cat/1.jpg            or, with splits of your own,  PATH/train/cat/1.jpg
    PATH/dog/x.png                                          PATH/validation/... (or val)
                                                            PATH/test/...

The centre square of each becomes `--image_size` pixels wide, RGB. That is done once;
the small images are kept in `~/.keras/keras_m2m` and made again when files change.

`--backbone=MobileNetV3Small` (or another pretrained network) trains f and g on its
features, or with `--finetune=lora` itself: `docs/pretrained.md`.

**Arrays.** `numpy.savez("data.npz", x=x, y=y)`, or `x_train`, `y_train`, `x_test`,
`y_test`, `x_validation`, `y_validation`; strings `class_names` if you like. `x` is
images, uint8 `(n, h, w, 3)`, `(n, h, w, 1)` or `(n, h, w)`, or floats in [0, 1]; or
vectors `(n, d)`; or, with `--kind=series`, windows of signals `(n, length, channels)`
or `(n, length)`. `y` is integers, whole floats or strings `(n,)`.

**Tables.** `--data_dir=claims.csv --label=fraud`: CSV, TSV, Parquet, or KEEL's `.dat`;
or a folder with `train.csv`, `test.csv`, or a column `split`. Numbers, categories,
dates and missing values are told apart. `--id=NAME,NAME` leaves columns out.

**Splits** that you do not bring are drawn from the training samples of each class:
`--test_fraction` (0.2) and `--validation_fraction` (0.1), at least one sample. So a
class needs three samples. The epoch that is tested is the best one on validation; where
fewer than ten samples of a class validate, which cannot tell, it is the last. With
`--protocol=field` it is always the last, and no validation is drawn.

**Networks** are the CIFAR ResNet of `--depth` layers for images, an MLP for vectors and
`resnet1d` for series, or what `--network` says. Training images are flipped and shifted
by up to 4 pixels; `--augment=none` for those that must not be, such as letters.

**M2m.** Watch `accepted` in the table: near 0, M2m is DRS and no more. Then g is too
weak (`--epochs`, `--depth`), or steps are too short (`--steps`, `--step_size`).

Vectors take a minute. For images see the time of an epoch in the run: g and f take
`--epochs` of them each, and so does each method to compare; the epochs of M2m itself,
after `--defer_epoch`, take several times as long.

`python -m tasks.predict --model=RUN --data=NEW` then predicts new samples.
"""

import math
from dataclasses import replace

import keras
import numpy as np

import keras_m2m
from keras_m2m.sampling import is_stream
from tasks.data.own.array_samples import KINDS
from tasks.data.own.load import data_name
from tasks.data.own.load import load
from tasks.data.own.pretrained import FLAGS
from tasks.data.own.pretrained import network as network_from
from tasks.data.small_images import DEPTH
from tasks.experiment.settings import Settings
from tasks.experiment.task import Data
from tasks.experiment.task import Flag
from tasks.experiment.task import Preset
from tasks.experiment.task import Task
from tasks.runs import runner


def build(data: Data, head: str, settings: Settings) -> keras.Model:
    """The network of `--network`, normalised by the training set."""
    if data.start is not None:
        return network_from(data, head, settings)
    x = data.train[0]
    shape, num_classes = x.shape[1:], len(data.class_names)
    if is_stream(x):  # Some of them show how bright they are.
        some = min(len(x), max(1, _PIXELS // math.prod(shape)))
        x = x[np.linspace(0, len(x) - 1, some).astype(int)]
    arguments = {"head": head, "weight_decay": settings.weight_decay}
    if data.preprocessor is None:  # Which brings tables to one scale.
        mean, variance = keras_m2m.moments(x)
        arguments |= {"mean": mean, "variance": variance}
    network = settings.network
    if network == "auto":
        own = {2: "resnet1d", 3: "resnet"}
        network = own.get(len(shape), "mlp")
    if network == "resnet":
        depth = int(settings.depth)
        return keras_m2m.cifar_resnet(depth, num_classes, shape, **arguments)
    if network == "resnet1d":
        arguments["width"] = _WIDTH
    return getattr(keras_m2m, network)(num_classes, shape, **arguments)


_PIXELS = 2**24  # By which a stream of images is normalised.
_WIDTH = 32  # Half of the paper's, which takes four times as long.
_FRACTION = {"lower_bound": 0.01, "upper_bound": 0.5}
_NETWORKS = ["auto", "resnet", "preact_resnet18", "resnet1d", "mlp"]

_M2M = {"beta": 0.99, "lam": 0.1, "gamma": 0.9}
_FINE = {**_M2M, "learning_rate": 0.01}

TASK = Task(
    name="folder",
    load=load,
    build=build,
    flags=[
        Flag(
            "integer",
            "image_size",
            None,  # By presets.
            "side of the images of a folder, in pixels: 32, or with --backbone that of "
            "its training",
            {"lower_bound": 4, "upper_bound": 512},
        ),
        Flag(
            "float",
            "validation_fraction",
            0.1,
            "of each class, if not brought",
            _FRACTION,
        ),
        Flag("float", "test_fraction", 0.2, "of each class, if not brought", _FRACTION),
        Flag(
            "enum",
            "kind",
            "auto",
            "what samples of an .npz file are, where that is not clear",
            {"enum_values": [*KINDS]},
        ),
        Flag(
            "enum",
            "missing",
            "refuse",
            "drop: rows of an array or a table without a label are left out",
            {"enum_values": ["refuse", "drop"]},
        ),
        Flag(
            "string",
            "label",
            None,
            "the column of a table that holds the classes; by default the one that is "
            "called label, target, class or y, of photographs also dx or diagnosis, or "
            "the only one",
            role="place",
        ),
        Flag(
            "path",
            "labels",
            None,
            "of photographs: the table of their labels, in --data_dir or by its "
            "absolute path; found by itself where folders cannot be classes",
            role="place",
        ),
        Flag(
            "string",
            "group",
            None,
            "of photographs: the column of --labels whose equal values stay in one "
            "split, such as lesion_id; folder for the folder that they are in",
            role="place",
        ),
        Flag(
            "names",
            "id",
            [],
            "columns of a table to leave out, such as identifiers; of photographs the "
            "column that names them",
            role="place",
        ),
        Flag(
            "enum",
            "network",
            "auto",
            "auto: resnet for images, resnet1d for series, mlp for vectors",
            {"enum_values": _NETWORKS},
            read_by="network",
        ),
        replace(DEPTH, default="20", about="layers of --network=resnet, 6n + 2"),
        Flag(
            "enum",
            "augment",
            "auto",
            "auto: images are flipped and shifted",
            {"enum_values": ["auto", "none"]},
            read_by="network",
        ),
        *FLAGS,
    ],
    defaults={
        "epochs": 60,
        "defer_epoch": 48,
        "drops": ["48:0.1", "54:0.1"],
        "batch_size": 64,
        "weight_decay": 2e-4,
        # For vectors chosen, in standard deviations; for images as in the paper.
        "step_size": None,
        "units": "auto",
    },
    presets={
        "own": Preset({**_M2M, "image_size": 32}, "ours", when={"backbone": None}),
        "lora": Preset(_FINE, "ours", when={"finetune": "lora"}),
        "all": Preset(_FINE, "ours", when={"finetune": "all"}),
        "backbone": Preset(_M2M, "ours", when={}),
    },
    data_name=data_name,
)

if __name__ == "__main__":
    runner.main(TASK)
