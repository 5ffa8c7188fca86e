"""Data of your own: a folder of images, or arrays in an `.npz` file.

    python -m tasks.folder --data_dir=PATH --compare=erm,drs

trains g and f by M2m, and ERM and DRS beside it, and leaves what every task leaves.

**Images.** A folder with a folder per class, of PNG, JPEG, WebP, BMP, GIF or TIFF:

    PATH/cat/1.jpg            or, with splits of your own,  PATH/train/cat/1.jpg
    PATH/dog/x.png                                          PATH/validation/... (or val)
                                                            PATH/test/...

The centre square of each becomes `--image_size` pixels wide, RGB. That is done once;
the small images are kept in `~/.keras/keras_m2m` and made again when files change.
Grey images of more than 8 bits keep their values; white is the next 2^n - 1 from the
largest value of all, which the run prints. Images may also be in a folder `images` of
their class, beside `masks`, which are left out. Labels in a table (CSV) are not read: a
table that lists the images beside it is refused, as are folders named as parts.

**Arrays.** `numpy.savez("data.npz", x=x, y=y)`, or `x_train`, `y_train`, `x_test`,
`y_test`, `x_validation` (or `x_val`), `y_validation`; `train_images`, `train_labels`
and so on mean the same, in upper case too; strings `class_names` if you like. `x` is
images, uint8 `(n, h, w, 3)`, `(n, h, w, 1)` or `(n, h, w)`, or floats in [0, 1]; or
vectors `(n, d)`. Where grey images may be series, such as `(n, 187, 12)`, say which by
`--kind`; there is no network for series yet, and `--kind=vectors` makes a vector of
each. `y` is integers, whole floats or strings `(n,)`. Rows without a label (NaN, "nan",
"None", "NA", "null", "<NA>" or "") are refused, or left out by `--missing=drop`.

**Splits** that you do not bring are drawn from the training samples of each class:
`--test_fraction` (0.2) and `--validation_fraction` (0.1), at least one sample. So a
class needs three samples. The epoch that is tested is chosen on validation; with
`--protocol=field` the last is tested, and no validation is drawn.

**Networks** are the CIFAR ResNet of `--depth` layers for images and an MLP for vectors,
or what `--network` says. Their first layer normalises samples by the training set's
mean and variance, of each channel or entry; one that hardly varies (its spread below a
ten-thousandth of the median) is only shifted. Training images are flipped and shifted
by up to 4 pixels; `--augment=none` for those that must not be, such as letters.

**M2m's parameters.** Watch `accepted` in the table: near 0, M2m is DRS and no more.
Then g is too weak (`--epochs`, `--depth`), or steps are too short: a translation moves
by at most `--steps` times `--step_size`, 1 by default, in the units of the data, where
images are in [0, 1]. That is enough for images. For vectors try `--step_size` from a
hundredth to a tenth of the spread of the samples, which the run prints, and choose on
validation. No one step suits entries in units far apart, such as an age and an income:
standardise those first; the run says so. `--noise` is in these units too. `--beta`, of
the paper's grid 0.9, 0.99 and 0.999: the larger, the more a seed's class must outnumber
the target's.

Vectors take a minute. For images see the time of an epoch in the run: g and f take
`--epochs` of them each, and so does each method to compare; the epochs of M2m itself,
after `--defer_epoch`, take several times as long.
"""

from dataclasses import replace
from pathlib import Path

import keras
import numpy as np

import keras_m2m
from tasks.data.own.array_samples import KINDS
from tasks.data.own.arrays import read_arrays
from tasks.data.own.class_names import listed
from tasks.data.own.image_files import BYTES_A_VALUE
from tasks.data.own.image_files import prepare
from tasks.data.own.image_folder import list_images
from tasks.data.own.memory import check_memory
from tasks.data.own.normalisation import tell_spreads
from tasks.data.small_images import DEPTH
from tasks.data.small_images import augment
from tasks.data.small_images import in_order_of_keras
from tasks.data.small_images import samples
from tasks.data.splits import fill_splits
from tasks.experiment.errors import UserError
from tasks.experiment.recipes import METHODS
from tasks.experiment.settings import Settings
from tasks.experiment.task import Data
from tasks.experiment.task import Flag
from tasks.experiment.task import Preset
from tasks.experiment.task import Task
from tasks.runs import runner


def load(settings: Settings) -> Data:
    """Read a folder or a file, and draw the splits that it does not bring."""
    path = _path(settings.data_dir)
    read = _read_images if path.is_dir() else _read_file
    parts, class_names = read(path, settings)
    fractions = {"test": settings.test_fraction}
    if settings.protocol == "m2m":
        fractions["validation"] = settings.validation_fraction
    parts = fill_splits(parts, class_names, fractions)
    _check_held_out(parts, class_names)
    parts = {split: (_floats(x), y) for split, (x, y) in parts.items()}
    images = parts["train"][0].ndim == 4
    _check_network(settings.network, images)
    if not images:
        _tell_scale(parts["train"][0], settings)
    return Data(
        train=parts["train"],
        validation=parts.get("validation"),
        test=parts["test"],
        class_names=class_names,
        source=_source(path, parts["train"][0].shape[1:]),
        bounds=(0.0, 1.0) if images else None,
        augment=augment if images and settings.augment == "auto" else None,
    )


def _path(data_dir):
    if data_dir is None:
        raise UserError(
            "--data_dir=PATH is needed: a folder with a folder of images per class, or "
            "an .npz file with arrays x and y"
        )
    path = Path(data_dir)
    if not (path.is_dir() or (path.is_file() and path.suffix.lower() == ".npz")):
        raise UserError(f"--data_dir={data_dir} is neither a folder nor an .npz file")
    return path.resolve()


def _name(settings):
    path = _path(settings.data_dir)
    # Short enough to be part of a name on any system.
    return (path.stem if path.is_file() else path.name)[:50]


def _read_file(path, settings):
    return read_arrays(path, settings.kind, settings.missing == "drop")


def _read_images(path, settings):
    if settings.kind not in ("auto", "images"):
        raise UserError(
            f"--kind={settings.kind} is for arrays; {path} is a folder of images"
        )
    found = list_images(path)
    class_names = sorted({name for classes in found.values() for name in classes})
    rows = [
        (split, class_names.index(name), file)
        for split, classes in found.items()
        for name, files in classes.items()
        for file in files
    ]
    splits, labels, files = zip(*rows, strict=True)
    size = settings.image_size
    needed = len(files) * size * size * 3 * BYTES_A_VALUE
    what = f"{len(files)} images of {size}×{size} pixels"
    check_memory(needed, what, "Give a smaller --image_size")
    images, splits = prepare(files, size, path), np.array(splits)
    labels = np.array(labels, "int64")
    parts = {s: (images[splits == s], labels[splits == s]) for s in found}
    return parts, class_names


def _check_held_out(parts, class_names):
    """Refuse classes that training lacks; name those that are not tested."""
    for split in parts.keys() - {"train"}:
        counts = np.bincount(parts[split][1], minlength=len(class_names))
        absent = [class_names[k] for k in np.flatnonzero(counts == 0)]
        if absent:
            print(
                f"note: no {split} samples of {listed(absent)}, whose recall counts "
                "nowhere"
            )


def _check_network(network, images):
    if not images and network in ("resnet", "preact_resnet18"):
        raise UserError(f"--network={network} is for images; give mlp, for vectors")


def _floats(x):
    """Float32 samples, images in [0, 1] and in the order that Keras is set to."""
    if x.ndim != 4:
        return x
    return in_order_of_keras(x) if x.dtype.kind == "f" else samples(x)


def _tell_scale(x, settings):
    """What a user needs to choose `--step_size` by."""
    tell_spreads(x)
    if any(METHODS[m].translate for m in (settings.method, *settings.compare)):
        print(
            f"a translation moves by at most {settings.steps * settings.step_size:.3g},"
            " --steps times --step_size",
            flush=True,
        )


def _source(path, shape):
    return f"{path.name}, samples of shape {'×'.join(map(str, shape))}"


def build(data: Data, head: str, settings: Settings) -> keras.Model:
    """The network of `--network`, normalised by the training set."""
    x = data.train[0]
    mean, variance = keras_m2m.moments(x)
    arguments = {
        "mean": mean,
        "variance": variance,
        "head": head,
        "weight_decay": settings.weight_decay,
    }
    shape, num_classes = x.shape[1:], len(data.class_names)
    network = settings.network
    if network == "auto":
        network = "resnet" if data.are_images else "mlp"
    if network == "resnet":
        depth = int(settings.depth)
        return keras_m2m.cifar_resnet(depth, num_classes, shape, **arguments)
    make = {"mlp": keras_m2m.mlp, "preact_resnet18": keras_m2m.preact_resnet18}
    return make[network](num_classes, shape, **arguments)


_FRACTION = {"lower_bound": 0.01, "upper_bound": 0.5}
_NETWORKS = ["auto", "resnet", "preact_resnet18", "mlp"]

TASK = Task(
    name="folder",
    load=load,
    build=build,
    flags=[
        Flag(
            "integer",
            "image_size",
            32,
            "side of the images of a folder, in pixels",
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
            "drop: rows of an .npz file without a label are left out",
            {"enum_values": ["refuse", "drop"]},
        ),
        Flag(
            "enum",
            "network",
            "auto",
            "auto: resnet for images, mlp for vectors",
            {"enum_values": _NETWORKS},
        ),
        replace(DEPTH, default="20", about="layers of --network=resnet, 6n + 2"),
        Flag(
            "enum",
            "augment",
            "auto",
            "auto: images are flipped and shifted",
            {"enum_values": ["auto", "none"]},
        ),
    ],
    defaults={
        "epochs": 60,
        "defer_epoch": 48,
        "drops": ["48:0.1", "54:0.1"],
        "batch_size": 64,
        "weight_decay": 2e-4,
    },
    presets={"own": Preset({"beta": 0.99, "lam": 0.1, "gamma": 0.9}, "ours", when={})},
    data_name=_name,
)

if __name__ == "__main__":
    runner.main(TASK)
