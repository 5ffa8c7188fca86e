"""Arrays from an `.npz` file of anybody's: nothing in it is trusted."""

import math
import zipfile
from pathlib import Path

import numpy as np

from tasks.data.own.array_labels import index_labels
from tasks.data.own.array_labels import read_labels
from tasks.data.own.array_labels import tell_missing
from tasks.data.own.array_names import find_pairs
from tasks.data.own.array_samples import find_kind
from tasks.data.own.array_samples import read_samples
from tasks.data.own.class_names import check_name
from tasks.data.own.memory import check_memory
from tasks.experiment.errors import UserError

_HEADERS = {
    (1, 0): np.lib.format.read_array_header_1_0,
    (2, 0): np.lib.format.read_array_header_2_0,
}


def read_arrays(
    path: Path, kind: str = "auto", drop_missing: bool = False
) -> tuple[dict, list[str]]:
    """Samples, labels and names of classes from an archive of `numpy.savez`.

    Arrays are `x` and `y`, or `x_train`, `y_train` and perhaps `x_validation`,
    `y_validation`, `x_test`, `y_test`, or other names that mean the same
    (`array_names`); and perhaps `class_names`. Others are not read. Labels are
    integers, whole floats or strings; integers index `class_names` where there are
    some.

    Args:
        path: The file.
        kind: What samples are, one of `array_samples.KINDS`.
        drop_missing: Whether rows without a label are left out, not refused.

    Returns:
        `(parts, class_names)`: for `"train"` and each split that there is `(x, y)`,
        uint8 or float32 samples, images with a channel axis, and int64 labels that
        index `class_names`, which are in order.

    Raises:
        UserError: If the file is damaged, too large for memory, or holds other than
            this, objects above all.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            return _read(archive, path, kind, drop_missing)
    except UserError:
        raise
    except Exception as error:  # zipfile and numpy raise many kinds for what is broken.
        raise UserError(
            f"{path} is no .npz file that can be read, or is damaged: "
            f"{type(error).__name__}: {error}. Write it by numpy.savez(path, x=x, y=y)"
        ) from error


def _read(archive, path, kind, drop_missing):
    members = _members(archive, path)
    pairs, class_names = find_pairs(members, path)
    names = [*(name for pair in pairs.values() for name in pair), class_names]
    about = {n: _header(archive, members[n], f"{n} of {path}") for n in names if n}
    kind = _checked(pairs, about, kind, path)
    # What is unpacked first is small, and the rest only if it is in order.
    labels, labelled = {}, {}
    for split, (_, name) in pairs.items():
        y = _array(archive, members[name])
        labels[split], labelled[split] = read_labels(y, f"{name} of {path}")
        tell_missing(labelled[split], f"{name} of {path}", drop_missing)
        labels[split] = labels[split][labelled[split]]
    given = _array(archive, members[class_names]) if class_names else None
    labels, class_names = index_labels(labels, given, path)
    parts = {}
    for split, (name, _) in pairs.items():
        x = read_samples(_array(archive, members[name]), kind, f"{name} of {path}")
        own = labelled[split]
        parts[split] = (x if own.all() else x[own]), labels[split]
    return parts, class_names


def _members(archive, path):
    found = {}
    for member in archive.infolist():
        name = check_name(member.filename, f"{path}").removesuffix(".npy")
        if name in found:
            raise UserError(f"{path} holds {name} twice")
        found[name] = member
    return found


def _header(archive, member, what):
    """`(shape, dtype)`; what a header declares is allocated before a value is read."""
    with archive.open(member) as file:
        version = np.lib.format.read_magic(file)
        shape, _, dtype = _HEADERS[version](file)
        declared = math.prod(shape) * dtype.itemsize + file.tell()
    if dtype.hasobject:
        raise UserError(
            f"{what} is an array of Python objects, which can run code when it is "
            "read. Save numbers, or strings of a string dtype: numpy.array(y, str)"
        )
    if min(shape, default=0) < 0 or not dtype.itemsize or declared != member.file_size:
        raise UserError(
            f"{what} is damaged: its header declares shape {shape} of {dtype}, and "
            f"{member.file_size} bytes are stored"
        )
    return shape, dtype


def _checked(pairs, about, kind, path):
    """What samples are, where headers fit each other and memory."""
    shape, dtype = about[pairs["train"][0]]
    kind = find_kind(shape, dtype, kind, f"{pairs['train'][0]} of {path}")
    sizes = {
        name: math.prod(own) * dtype.itemsize for name, (own, dtype) in about.items()
    }
    needed = sum(sizes.values())
    for split, (x, y) in pairs.items():
        own, dtype = about[x]
        if own[1:] != shape[1:]:
            raise UserError(
                f"{path}: all samples must have one shape. Received: {shape[1:]} for "
                f"train, {own[1:]} for {split}"
            )
        if [own[0]] != [*about[y][0][:1]]:
            raise UserError(
                f"{path}: samples and labels must be equally many. Received: {own[0]} "
                f"samples and {math.prod(about[y][0][:1])} labels for {split}"
            )
        # As stored, as float32, and a copy of that by splits.
        needed += math.prod(own) * 8
    advice = "Save fewer samples, smaller ones, or float32 instead of float64"
    check_memory(needed, f"{path}", advice)
    return kind


def _array(archive, member):
    with archive.open(member) as file:
        return np.lib.format.read_array(file, allow_pickle=False)
