"""What a run left in a folder: to compare it, and to say it in a line."""

import hashlib
import io
import json
import zipfile

import h5py

_OF_THE_CLOCK = {"timing", "seconds"}
_NOT_COMPARED = {".png", ".html", ".txt"}  # Pictures and logs.


def content(folder):
    """A digest of each file by its name, without what follows from the clock."""
    files = (path for path in folder.rglob("*") if path.is_file())
    return {
        str(path.relative_to(folder)): _digest(path)
        for path in sorted(files)
        # A process that is killed cannot take its name off a lock.
        if "tensorboard" not in path.parts and path.name != "lock.holder"
    }


def _digest(path):
    if path.suffix in _NOT_COMPARED:
        return ""
    data = path.read_bytes()
    if path.suffix == ".keras":
        data = _weights(data)
    elif path.suffix == ".json":
        data = json.dumps(_timeless(json.loads(data))).encode()
    return hashlib.sha256(data).hexdigest()


def _weights(data):
    """Every array of a .keras file, which itself holds the time when it was saved."""
    found = []

    def visit(name, item):
        if isinstance(item, h5py.Dataset):
            found.append(
                f"{name} {item.dtype} {item.shape}".encode() + item[()].tobytes()
            )

    weights = zipfile.ZipFile(io.BytesIO(data)).read("model.weights.h5")
    with h5py.File(io.BytesIO(weights)) as file:
        file.visititems(visit)
    return b"".join(found)


def _timeless(found):
    if isinstance(found, dict):
        return {k: _timeless(v) for k, v in found.items() if k not in _OF_THE_CLOCK}
    return found


def state(folder):
    """Epochs by training, files half written, and how many of each kind are whole."""
    epochs = {}
    for path in folder.rglob("epoch-*.npz"):
        training = "-".join(path.parts[-3].split("-")[:3])
        epochs[training] = max(epochs.get(training, 0), int(path.stem[6:]))
    found = [f"{training} {count}" for training, count in sorted(epochs.items())]
    found += [path.name for path in folder.rglob("*.part*")]
    for ending in ("keras", "json"):
        count = sum(1 for path in folder.rglob(f"*.{ending}"))
        found += [f"{count} .{ending}"] if count else []
    return ", ".join(found) or "nothing"
