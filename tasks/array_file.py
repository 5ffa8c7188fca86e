"""Arrays from an `.npz` file of anybody's: nothing in it is trusted."""

import math
import zipfile
from pathlib import Path

import numpy as np

from tasks.class_names import check_distinct
from tasks.class_names import check_name
from tasks.class_names import listed
from tasks.memory import check_memory
from tasks.task import UserError

SPLITS = ("train", "validation", "test")
_NAMES = ("x", "y", *(f"{a}_{s}" for s in SPLITS for a in "xy"), "class_names")
_HEADERS = {
    (1, 0): np.lib.format.read_array_header_1_0,
    (2, 0): np.lib.format.read_array_header_2_0,
}
_LARGEST = 1e18  # The square of a value, and so the variance, must fit float32.


def read_arrays(path: Path) -> tuple[dict, list[str]]:
    """Samples, labels and names of classes from an archive of `numpy.savez`.

    Arrays are `x` and `y`, or `x_train`, `y_train` and perhaps `x_validation`,
    `y_validation`, `x_test`, `y_test`; and perhaps `class_names`. Others are not
    read. Samples are vectors `(n, d)` of any real numbers, or images `(n, h, w)`,
    `(n, h, w, 1)` or `(n, h, w, 3)`, uint8 or floats in [0, 1]. Labels are integers
    or strings; integers index `class_names` where there are some.

    Args:
        path: The file.

    Returns:
        `(parts, class_names)`: for `"train"` and each split that there is `(x, y)`,
        uint8 or float32 samples, images with a channel axis, and int64 labels that
        index `class_names`, which are in order.

    Raises:
        UserError: If the file is damaged, too large for memory, or holds other than
            this, objects above all.
    """
    arrays = _read(path)
    names = {split: (f"x_{split}", f"y_{split}") for split in SPLITS}
    if "x" in arrays or "y" in arrays:
        if set(arrays) & {name for pair in names.values() for name in pair}:
            raise UserError(f"{path} holds both x, y and arrays of splits. Keep one")
        names["train"] = "x", "y"
    names = {s: own for s, own in names.items() if s == "train" or set(own) & {*arrays}}
    for own in names.values():
        for name in own:
            if name not in arrays:
                raise UserError(
                    f"{path} holds no array {name}. Expected x and y, or x_train, "
                    f"y_train, x_test, y_test. Received: {listed([*arrays]) or 'none'}"
                )
    samples = {s: _samples(arrays[x], f"{x} of {path}") for s, (x, _) in names.items()}
    labels = {s: _labels(arrays[y], f"{y} of {path}") for s, (_, y) in names.items()}
    _check_fit(samples, labels, path)
    given = arrays.get("class_names")
    indices, class_names = _indices(labels, given, path)
    return {s: (samples[s], indices[s]) for s in samples}, class_names


def _read(path):
    """The arrays of an archive that have a meaning here, by name."""
    try:
        with zipfile.ZipFile(path) as archive:
            members = _members(archive, path)
            needed = sum(member.file_size for member in members.values())
            # Once as they are stored, once as float32.
            advice = "Save fewer samples, smaller ones, or float32 instead of float64"
            check_memory(2 * needed, f"{path}", advice)
            for name, member in members.items():
                _check_header(archive, member, f"{name} of {path}")
            return {name: _array(archive, member) for name, member in members.items()}
    except UserError:
        raise
    except Exception as error:  # zipfile and numpy raise many kinds for what is broken.
        raise UserError(
            f"{path} is no .npz file that can be read, or is damaged: "
            f"{type(error).__name__}: {error}. Write it by numpy.savez(path, x=x, y=y)"
        ) from error


def _members(archive, path):
    found = {}
    for member in archive.infolist():
        name = check_name(member.filename, f"{path}").removesuffix(".npy")
        if name in found:
            raise UserError(f"{path} holds {name} twice")
        found[name] = member
    others = [name for name in found if name not in _NAMES]
    if others:
        print(f"note: {path}: not read: {listed(others)}")
    return {name: found[name] for name in _NAMES if name in found}


def _check_header(archive, member, what):
    """What an array's header declares is allocated before a value is read."""
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


def _array(archive, member):
    with archive.open(member) as file:
        return np.lib.format.read_array(file, allow_pickle=False)


def _samples(x, what):
    """uint8 or float32 samples `(n, d)` or `(n, h, w, c)`."""
    x = x[..., None] if x.ndim == 3 else x
    images = x.ndim == 4
    if x.ndim not in (2, 4) or not x.size or (images and x.shape[-1] not in (1, 3)):
        raise UserError(
            f"{what} must be vectors (n, d) or images (n, h, w), (n, h, w, 1) or "
            f"(n, h, w, 3), at least one. Received: shape {x.shape}"
        )
    if images and x.dtype == "uint8":
        return x
    if x.dtype.kind not in ("f" if images else "fiu"):
        allowed = "uint8 or floats in [0, 1]" if images else "real numbers"
        raise UserError(f"{what} must be {allowed}. Received: dtype {x.dtype}")
    with np.errstate(over="ignore"):  # What overflows is refused below.
        x = x.astype("float32")
    wrong = ~np.isfinite(x).all(axis=tuple(range(1, x.ndim)))
    if wrong.any():
        raise UserError(
            f"{what} holds NaN or infinity in {wrong.sum()} of {len(x)} samples, the "
            f"first of them {wrong.argmax()}. Remove or replace them"
        )
    low, high = x.min(), x.max()
    if images and not 0 <= low <= high <= 1:
        raise UserError(
            f"{what} must be in [0, 1], or uint8. Received: floats from {low} to "
            f"{high}. Divide pixels by 255"
        )
    if max(-low, high) > _LARGEST:
        raise UserError(f"{what} holds values beyond ±{_LARGEST:g}. Scale them")
    return x


def _labels(y, what):
    """Integers or strings `(n,)`."""
    y = y[:, 0] if y.ndim == 2 and y.shape[1] == 1 else y
    if y.ndim != 1 or y.dtype.kind not in "biuSU":
        raise UserError(
            f"{what} must be integers or strings of shape (n,), not one-hot; use "
            f"y.argmax(axis=1) on one-hot labels. Received: shape {y.shape}, dtype "
            f"{y.dtype}"
        )
    return _decoded(y, what) if y.dtype.kind in "SU" else y


def _decoded(strings, what):
    """Strings that are Unicode text; NumPy does not check it."""
    try:
        if strings.dtype.kind == "S":
            strings = np.char.decode(strings, "utf-8")
        strings.tolist()
    except ValueError as error:
        raise UserError(f"{what} holds strings that are no text: {error}") from error
    return strings


def _check_fit(samples, labels, path):
    for split, x in samples.items():
        if x.shape[1:] != samples["train"].shape[1:]:
            raise UserError(
                f"{path}: all samples must have one shape. Received: "
                f"{samples['train'].shape[1:]} for train, {x.shape[1:]} for {split}"
            )
        if len(x) != len(labels[split]):
            raise UserError(
                f"{path}: samples and labels must be equally many. Received: "
                f"{len(x)} samples and {len(labels[split])} labels for {split}"
            )
    if len({y.dtype.kind in "SU" for y in labels.values()}) > 1:
        raise UserError(f"{path}: labels are integers in one split, strings in another")


def _indices(labels, given, path):
    """int64 labels that index the names of classes, and these."""
    # Python's numbers: NumPy's would become floats where int64 meets uint64.
    unique = {split: np.unique(y, return_inverse=True) for split, y in labels.items()}
    values = {split: found.tolist() for split, (found, _) in unique.items()}
    known = sorted({value for own in values.values() for value in own})
    class_names = [str(value) for value in known]
    if given is not None:
        class_names = _given_names(given, path)
        numbered = all(isinstance(value, int) for value in known)
        domain = list(range(len(class_names))) if numbered else class_names
        strange = [str(value) for value in known if value not in set(domain)]
        if strange:
            raise UserError(
                f"{path}: labels {listed(strange)} are none of the "
                f"{len(class_names)} class_names"
                + (", which are numbered from 0" if numbered else "")
            )
        known = domain
    names = [check_name(name, f"{path}") for name in class_names]
    check_distinct(names, f"{path}")
    index = {value: k for k, value in enumerate(known)}
    indices = {
        split: np.array([index[value] for value in values[split]], "int64")[inverse]
        for split, (_, inverse) in unique.items()
    }
    return indices, names


def _given_names(given, path):
    if given.ndim != 1 or given.dtype.kind not in "SU" or not given.size:
        raise UserError(
            f"class_names of {path} must be strings of shape (num_classes,). "
            f"Received: shape {given.shape}, dtype {given.dtype}"
        )
    names = _decoded(given, f"class_names of {path}").tolist()
    if len(set(names)) < len(names):
        raise UserError(f"class_names of {path} holds a name twice")
    return names
