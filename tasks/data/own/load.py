"""Data of a user's own: what a path holds, read, checked and split."""

import functools
from pathlib import Path

import numpy as np

from keras_m2m.sampling import is_stream
from tasks.data.own.arrays import read_arrays
from tasks.data.own.features import side_of
from tasks.data.own.image_parts import read_images
from tasks.data.own.normalisation import tell_spreads
from tasks.data.own.photograph import photograph
from tasks.data.own.pretrained import backbone_of
from tasks.data.own.pretrained import note_cost
from tasks.data.own.splitting import complete
from tasks.data.own.table_files import SUFFIXES
from tasks.data.own.table_files import is_table
from tasks.data.own.table_files import tables_of
from tasks.data.own.tables import load as load_tables
from tasks.data.small_images import augment
from tasks.data.small_images import augment_each
from tasks.data.small_images import in_order_of_keras
from tasks.data.small_images import samples
from tasks.experiment.errors import UserError
from tasks.experiment.settings import Settings
from tasks.experiment.task import Data

_KINDS = {2: "vectors", 3: "series", 4: "images"}  # By axes, that of samples too.
# What networks are for that take one kind alone.
_NETWORKS = {"resnet": "images", "preact_resnet18": "images", "resnet1d": "series"}


def load(settings: Settings) -> Data:
    """Read a folder or a file, and draw the splits that it does not bring.

    Args:
        settings: With the flags of `tasks.folder`, above all `data_dir`.

    Raises:
        UserError: If there is nothing that is known, or something in it is wrong.
    """
    path = _path(settings.data_dir)
    tables = _tables(path)
    backbone = backbone_of(settings, path, photographs=path.is_dir() and not tables)
    frozen = backbone if settings.finetune == "none" else None
    if backbone is not None:
        settings = settings.replace(image_size=side_of(backbone))
    if tables:
        _check_network(settings.network, "vectors")
        _check_no_photographs(settings)
        return load_tables(tables, path, settings)
    read = _read_photographs if path.is_dir() else _read_arrays
    parts, class_names, about = read(path, settings, frozen)
    parts = {split: (_floats(x), y) for split, (x, y) in parts.items()}
    start = None if frozen else backbone
    if start is not None:
        note_cost(start, np.bincount(parts["train"][1]), settings)
    kind = _KINDS[len(parts["train"][0].shape)]
    _check_network(settings.network, kind)
    images, augments = kind == "images", settings.augment == "auto"
    if not images:
        tell_spreads(parts["train"][0], far_apart=settings.units == "none")
    return Data(
        train=parts["train"],
        validation=parts.get("validation"),
        test=parts["test"],
        class_names=class_names,
        source=_source(path, parts["train"][0].shape[1:], backbone),
        bounds=(0.0, 1.0) if images else None,
        augment=_augment(parts["train"][0]) if images and augments else None,
        frozen=frozen,
        start=start,
        by_few=False,
        **about,
    )


def _read_photographs(path, settings, frozen):
    """Samples by split, names of classes, and what `Data` says of photographs."""
    found = read_images(path, settings, frozen)
    size, group = settings.image_size, settings.group
    about = {
        "reading": {"size": size, "bits": found.bits, "group": group},
        "shown": functools.partial(photograph, found.files, path),
        "defaults": found.defaults,
    }
    return found.parts, found.class_names, about


def _read_arrays(path, settings, _):
    _check_no_columns(path, settings)
    drop_missing = settings.missing == "drop"
    parts, class_names = read_arrays(path, settings.kind, drop_missing)
    return complete(parts, class_names, settings), class_names, {}


def data_name(settings: Settings) -> str:
    """What the default folder of a run calls the data.

    Args:
        settings: With `data_dir`.

    Raises:
        UserError: If there is no such data.
    """
    path = _path(settings.data_dir)
    # Short enough to be part of a name on any system.
    name = (path.stem if path.is_file() else path.name)[:50]
    backbone = settings.backbone and Path(settings.backbone).stem[:30]
    return "-".join(filter(None, [name, backbone]))


def _path(data_dir):
    if data_dir is None:
        raise UserError(
            "--data_dir=PATH is needed: a folder with a folder of images per class, an "
            f".npz file with arrays x and y, or a table ({SUFFIXES})"
        )
    path = Path(data_dir)
    if not path.exists():
        raise UserError(f"--data_dir={data_dir} does not exist")
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


def _check_no_photographs(settings):
    for name in ("labels", "group"):
        if getattr(settings, name):
            raise UserError(f"--{name} is for folders of photographs")


def _check_no_columns(path, settings):
    """Refuse flags that name columns, or a table of labels."""
    names = ("label", "id", "labels", "group")
    given = [f"--{name}" for name in names if getattr(settings, name)]
    if given:
        raise UserError(f"{given[0]} is for labels in tables, and {path} holds arrays")


def _check_network(network, kind):
    own = _NETWORKS.get(network, kind)
    if own != kind:
        raise UserError(
            f"--network={network} is for {own}; give mlp, or auto, for {kind}"
        )


def _floats(x):
    """Float32 samples, images in [0, 1] and in the order that Keras is set to."""
    if is_stream(x) or x.ndim != 4:  # A stream gives such images.
        return x
    return in_order_of_keras(x) if x.dtype.kind == "f" else samples(x)


def _augment(x):
    return augment_each if is_stream(x) else augment


def _source(path, shape, backbone):
    of = f" by {backbone.name}" if backbone else ""
    return f"{path.name}, samples of shape {'×'.join(map(str, shape))}{of}"
