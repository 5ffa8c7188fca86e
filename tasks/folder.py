"""Data of your own: a folder of images, arrays in an `.npz` file, or a table.

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

**Tables.** `--data_dir=claims.csv --label=fraud`: CSV (`.csv`, `.tsv`, also `.gz`;
comma, semicolon, tab or bar; decimal comma; UTF-8, UTF-16 or Windows-1252), Parquet, or
KEEL's `.dat`; or a folder with `train.csv`, `test.csv`, or a column `split`. Numbers,
categories, dates and missing values are told apart and encoded by what the training
rows hold (`help(keras_m2m.tabular.TablePreprocessor)`). M2m moves numbers, in units of
their spread, and leaves categories as they are. `--id=NAME,NAME` leaves columns out;
one that gives the label away is refused. `--method=smote` interpolates numbers alone
(SMOTE-NC). `python -m tasks.predict --model=RUN
--data=NEW.csv` then takes such rows as they are.

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
by at most `--steps` times `--step_size`. For images that is 1 by default, where they
are in [0, 1], and enough. For vectors steps and noise are in standard deviations of
each entry, so that an age and an income move alike, and the step is chosen on training
samples before M2m begins: the shortest by which g accepts half of some translations.
The run prints it; `--step_size=NUMBER` takes another, `--units=none` the units of the
data. An entry that hardly varies is never moved. `--beta`, of the paper's grid 0.9,
0.99 and 0.999: the larger, the more a seed's class must outnumber the target's.

Vectors take a minute. For images see the time of an epoch in the run: g and f take
`--epochs` of them each, and so does each method to compare; the epochs of M2m itself,
after `--defer_epoch`, take several times as long.
"""

from dataclasses import replace
from pathlib import Path

import keras

import keras_m2m
from tasks.data.own.array_samples import KINDS
from tasks.data.own.arrays import read_arrays
from tasks.data.own.image_parts import read_images
from tasks.data.own.normalisation import tell_spreads
from tasks.data.own.splitting import complete
from tasks.data.own.table_files import SUFFIXES
from tasks.data.own.table_files import is_table
from tasks.data.own.table_files import tables_of
from tasks.data.own.tables import load as load_tables
from tasks.data.small_images import DEPTH
from tasks.data.small_images import augment
from tasks.data.small_images import in_order_of_keras
from tasks.data.small_images import samples
from tasks.experiment.errors import UserError
from tasks.experiment.settings import Settings
from tasks.experiment.task import Data
from tasks.experiment.task import Flag
from tasks.experiment.task import Preset
from tasks.experiment.task import Task
from tasks.runs import runner


def load(settings: Settings) -> Data:
    """Read a folder or a file, and draw the splits that it does not bring."""
    path = _path(settings.data_dir)
    tables = _tables(path)
    if tables:
        _check_network(settings.network, images=False)
        return load_tables(tables, path, settings)
    if settings.label is not None or settings.id:
        raise UserError(f"--label and --id are for tables. Received: {path}")
    if path.is_dir():
        parts, class_names = read_images(path, settings)
    else:
        drop_missing = settings.missing == "drop"
        parts, class_names = read_arrays(path, settings.kind, drop_missing)
    parts = complete(parts, class_names, settings)
    parts = {split: (_floats(x), y) for split, (x, y) in parts.items()}
    images = parts["train"][0].ndim == 4
    _check_network(settings.network, images)
    if not images:
        tell_spreads(parts["train"][0], far_apart=settings.units == "none")
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
            "--data_dir=PATH is needed: a folder with a folder of images per class, an "
            f".npz file with arrays x and y, or a table ({SUFFIXES})"
        )
    path = Path(data_dir)
    known = path.suffix.lower() == ".npz" or is_table(path)
    if not (path.is_dir() or (path.is_file() and known)):
        raise UserError(
            f"--data_dir={data_dir} is neither a folder nor an .npz file nor a table "
            f"({SUFFIXES})"
        )
    return path.resolve()


def _tables(path):
    """The files of tables by split; none for images and arrays."""
    if path.is_dir():
        return tables_of(path)
    return {"train": path} if is_table(path) else {}


def _name(settings):
    path = _path(settings.data_dir)
    # Short enough to be part of a name on any system.
    return (path.stem if path.is_file() else path.name)[:50]


def _check_network(network, images):
    if not images and network in ("resnet", "preact_resnet18"):
        raise UserError(f"--network={network} is for images; give mlp, for vectors")


def _floats(x):
    """Float32 samples, images in [0, 1] and in the order that Keras is set to."""
    if x.ndim != 4:
        return x
    return in_order_of_keras(x) if x.dtype.kind == "f" else samples(x)


def _source(path, shape):
    return f"{path.name}, samples of shape {'×'.join(map(str, shape))}"


def build(data: Data, head: str, settings: Settings) -> keras.Model:
    """The network of `--network`, normalised by the training set."""
    x = data.train[0]
    arguments = {"head": head, "weight_decay": settings.weight_decay}
    if data.preprocessor is None:  # Which brings tables to one scale.
        mean, variance = keras_m2m.moments(x)
        arguments |= {"mean": mean, "variance": variance}
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
            "drop: rows of an array or a table without a label are left out",
            {"enum_values": ["refuse", "drop"]},
        ),
        Flag(
            "string",
            "label",
            None,
            "the column of a table that holds the classes; by default the one that is "
            "called label, target, class or y",
            role="place",
        ),
        Flag(
            "names",
            "id",
            [],
            "columns of a table to leave out, such as identifiers",
            role="place",
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
        # For vectors chosen, in standard deviations; for images as in the paper.
        "step_size": None,
        "units": "auto",
    },
    presets={"own": Preset({"beta": 0.99, "lam": 0.1, "gamma": 0.9}, "ours", when={})},
    data_name=_name,
)

if __name__ == "__main__":
    runner.main(TASK)
