"""What a classifier says of new samples: photographs, rows of a table, or arrays."""

import sys
from pathlib import Path
from typing import Any
from typing import NamedTuple

import keras
import numpy as np

from tasks.data.own import preprocessing
from tasks.data.own.array_samples import read_samples
from tasks.data.own.class_names import listed
from tasks.data.own.image_files import read_new
from tasks.data.own.image_walk import files_below
from tasks.data.own.image_walk import is_image
from tasks.data.own.table_files import SUFFIXES
from tasks.data.own.table_files import is_table
from tasks.data.own.table_files import load_pandas
from tasks.data.own.table_files import read_table
from tasks.data.small_images import in_order_of_keras
from tasks.data.small_images import samples
from tasks.experiment.errors import UserError
from tasks.records.served import Model
from tasks.training import devices
from tasks.training import familiarity

_BATCH = 2**23  # Values of photographs that are in memory at once, and at least 16.


class Seen(NamedTuple):
    """What a classifier says of samples.

    Attributes:
        chances: Probabilities, float32 `(n, num_classes)`.
        others: A frame of what else is known of each.
        broken: By row, why a sample could not be read.
        unlike: Rows of samples unlike those of the training set, if that is known.
    """

    chances: np.ndarray
    others: Any
    broken: dict[int, str] = {}
    unlike: np.ndarray | tuple = ()


def seen(folder: Path, data: Path, model: Model, about: dict) -> Seen:
    """What a classifier says of samples.

    Args:
        folder: Of the classifier: its preprocessing, and features to compare with.
        data: A table, an `.npz` file, or a photograph or a folder of some.
        model: The classifier.
        about: What `result.json` holds.

    Raises:
        UserError: If a file is missing or damaged, or samples are not such as the
            classifier takes.
    """
    if data.is_dir() or is_image(data.name):
        return _photographs(folder, data, model, about)
    x, others = _table(folder, data) if is_table(data) else _arrays(data, model)
    if x.shape[1:] != model.shape:
        raise UserError(
            f"{data} holds samples of shape {x.shape[1:]}, and the network of {folder} "
            f"takes {model.shape}"
        )
    return Seen(model.probabilities(x), others)


def _photographs(folder, data, model, about):
    """What a network says of photographs, of which few are in memory at once."""
    reading = about.get("reading")
    if reading is None:
        raise UserError(
            f"--data={data} holds photographs, and the network was not trained on a "
            "folder of some, or by an earlier version"
        )
    root = data if data.is_dir() else data.parent
    paths = _paths(data)
    size, count = reading["size"], len(paths)
    step = max(16, _BATCH // (size * size * 3))
    bar = keras.utils.Progbar(count, verbose=sys.stdout.isatty(), unit_name="image")
    judge = _judge(model, familiarity.load(folder))
    chances, unlike, broken = [], [], {}
    for start in range(0, count, step):
        images, own = read_new(paths[start : start + step], size, reading["bits"])
        broken |= {start + row: why for row, why in own.items()}
        found, far = judge(samples(images))
        chances.append(found)
        unlike += [start + row for row in np.flatnonzero(far) if row not in own]
        bar.update(min(start + step, count))
    if len(broken) == count:
        raise UserError(f"no image can be read: {paths[0]}: {broken[0]}")
    names = [path.relative_to(root).as_posix() for path in paths]
    others = load_pandas().DataFrame({"file": names})
    return Seen(np.concatenate(chances), others, broken, np.array(unlike, int))


def _judge(model, known):
    """A function from samples to probabilities, and which are unlike the training's."""
    if known is None:
        return lambda x: (model.probabilities(x), np.zeros(len(x), bool))
    body, head = model.parts()

    def judge(x):
        features = devices.predict(body, x)
        far = familiarity.distances(known.directions, features) > known.limit
        return head(features), far

    return judge


def _paths(data):
    if not data.is_dir():
        if not data.is_file():  # To open a pipe would wait for ever.
            raise UserError(f"--data={data} is no file")
        return [data]
    found = files_below(data, data.resolve())
    for left, what in ((found.masks, "masks"), (found.others, "no images")):
        if left:
            names = [path.relative_to(data).as_posix() for path in left]
            print(f"note: {len(left)} files or folders are {what}: {listed(names)}")
    if not found.images:
        raise UserError(f"--data={data} holds no images")
    return found.images


def _table(folder, data):
    """Rows of a table as a network takes them, and the columns that it does not."""
    preprocessor, frame = preprocessing.load(folder), read_table(data)
    read = [*preprocessor.feature_names_in_]
    lacking = [name for name in read if name not in frame.columns]
    if lacking:
        raise UserError(
            f"{data} lacks columns that the network reads: {listed(lacking)}. It "
            f"holds {listed([*frame.columns], 20)}"
        )
    return preprocessor.transform(frame[read]), frame.drop(columns=read)


def _arrays(data, model):
    """Samples of an archive as a network takes them, and a frame without columns."""
    try:
        with np.load(data, allow_pickle=False) as archive:
            x = archive["x"]
    except Exception as error:  # zipfile and numpy raise many kinds for what is broken.
        raise UserError(
            f"--data={data} must be a folder of photographs, a table ({SUFFIXES}), or "
            f"an .npz file with an array x: {error}"
        ) from error
    kind = {2: "series", 3: "images"}.get(len(model.shape), "vectors")
    x = read_samples(x, kind, f"x of {data}")
    if kind == "images":
        x = in_order_of_keras(x) if x.dtype.kind == "f" else samples(x)
    return x, load_pandas().DataFrame(index=range(len(x)))
