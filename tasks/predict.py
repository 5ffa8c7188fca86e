"""Labels and probabilities of new samples, by a network that `tasks.folder` trained.

    python -m tasks.predict --model=runs/folder-claims-m2m-ce-seed0 --data=new.csv

writes `predictions.csv` (`--out`), a line for each sample: `predicted`, the class;
`probability of CLASS` for each class; and `look`, why a person should look at it.
`--model` is the folder of a run, or that of a compared method in it; `--data` is

- a folder of photographs, at any depth and without labels, or one photograph, of a
  network that was trained on a folder of them. `file` says which one a line is of;
- a table of raw rows, such as the run was trained on, in any order of columns. Those
  that the network does not read, such as identifiers or a label, are copied;
- or an `.npz` file with an array `x`, of a network that was trained on arrays.

`look` is empty, or says one or more of

- `unsure`: the two likeliest classes are closer than in other rows. `--look` (0.05) is
  the share of rows that are called so;
- `unlike training`: a photograph whose features are farther from those of all training
  photographs than 99 of 100 of the validation set were. `training_features.npz` in the
  folder of the run is needed for that;
- `cannot be read`, and why: a photograph that is damaged. It has no prediction.

A network that was trained on balanced batches, as by M2m, gives probabilities as if all
classes were equally frequent: right for the choice of a class, not as frequencies.
"""

import math
import sys
from pathlib import Path
from typing import Any
from typing import NamedTuple

import keras
import numpy as np
from absl import flags

from keras_m2m.heads import feature_network
from keras_m2m.heads.head import head_alone
from tasks.data import whole_files
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
from tasks.experiment.paths import read_path
from tasks.records import records
from tasks.records.teachers import load
from tasks.runs import commands
from tasks.training import familiarity
from tasks.training.evaluation import logits_of
from tasks.training.evaluation import probabilities_of

_BATCH = 2**23  # Values of photographs that are in memory at once, and at least 16.


class _Seen(NamedTuple):
    """What a network says of samples.

    Attributes:
        logits: float32 `(n, num_classes)`.
        others: A frame of what else is known of each.
        broken: By row, why a sample could not be read.
        unlike: Rows of samples unlike those of the training set, if that is known.
    """

    logits: np.ndarray
    others: Any
    broken: dict[int, str] = {}
    unlike: np.ndarray | tuple = ()


def predict(folder: Path, data: Path, look: float = 0.05) -> Any:
    """The classes of samples.

    Args:
        folder: Of a run: its `f.keras`, `result.json` and perhaps preprocessing.
        data: A table, an `.npz` file, or a photograph or a folder of some.
        look: The share of rows that are called unsure, in [0, 1].

    Returns:
        A pandas frame, a row for each sample: `file`, or the columns of a table that
        the network does not read; `predicted`; `probability of CLASS` for each class;
        and `look`. What could not be read has no prediction.

    Raises:
        UserError: If a file is missing or damaged, or samples are not such as the
            network takes.
    """
    pandas = load_pandas()
    f, about = _network(folder)
    seen = _seen(folder, data, f, about)
    chances = probabilities_of(seen.logits)
    chances[[*seen.broken]] = np.nan
    class_names = about["class_names"]
    names = [f"probability of {name}" for name in class_names]
    found = pandas.DataFrame(chances, columns=names, index=seen.others.index)
    predicted = np.array(class_names, object)[seen.logits.argmax(axis=1)]
    predicted[[*seen.broken]] = None
    found.insert(0, "predicted", predicted)
    found["look"] = _reasons(seen, chances, look)
    return pandas.concat([seen.others, found], axis=1)


def _seen(folder, data, f, about):
    if data.is_dir() or is_image(data.name):
        return _photographs(folder, data, f, about)
    x, others = _table(folder, data) if is_table(data) else _arrays(data, f)
    if x.shape[1:] != f.input_shape[1:]:
        raise UserError(
            f"{data} holds samples of shape {x.shape[1:]}, and the network of {folder} "
            f"takes {f.input_shape[1:]}"
        )
    return _Seen(logits_of(f, x), others)


def _reasons(seen, chances, share):
    """Why to look at each row; empty where there is no reason."""
    readable = np.setdiff1d(np.arange(len(chances)), [*seen.broken])
    two = np.sort(chances[readable], axis=1)[:, -2:]
    order = np.argsort(two[:, 1] - two[:, 0], kind="stable")
    unsure = readable[order[: math.ceil(share * len(readable))]]
    reasons = [[] for _ in chances]
    for rows, why in ((unsure, "unsure"), (seen.unlike, "unlike training")):
        for row in rows:
            reasons[row].append(why)
    for row, why in seen.broken.items():
        reasons[row].append(f"cannot be read: {why}")
    return ["; ".join(own) for own in reasons]


def _network(folder):
    """The network of a run, and its result."""
    try:
        f = load(folder / "f.keras")
    except Exception as error:  # Keras raises many kinds for a file it cannot read.
        raise UserError(
            f"--model={folder} must be the folder of a finished run: its f.keras is "
            f"missing or damaged: {error}"
        ) from error
    return f, records.read(folder / "result.json")


def _photographs(folder, data, f, about):
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
    judge = _judge(f, familiarity.load(folder))
    logits, unlike, broken = [], [], {}
    for start in range(0, count, step):
        images, own = read_new(paths[start : start + step], size, reading["bits"])
        broken |= {start + row: why for row, why in own.items()}
        found, far = judge(samples(images))
        logits.append(found)
        unlike += [start + row for row in np.flatnonzero(far) if row not in own]
        bar.update(min(start + step, count))
    if len(broken) == count:
        raise UserError(f"no image can be read: {paths[0]}: {broken[0]}")
    names = [path.relative_to(root).as_posix() for path in paths]
    others = load_pandas().DataFrame({"file": names})
    return _Seen(np.concatenate(logits), others, broken, np.array(unlike, int))


def _judge(f, known):
    """A function from samples to their logits, and which are unlike the training's."""
    if known is None:
        return lambda x: (logits_of(f, x), np.zeros(len(x), bool))
    body, head = feature_network(f), head_alone(f)

    def judge(x):
        features = body.predict(x, verbose=0)
        far = familiarity.distances(known.directions, features) > known.limit
        return logits_of(head, features), far

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


def _arrays(data, f):
    """Samples of an archive as a network takes them, and a frame without columns."""
    try:
        with np.load(data, allow_pickle=False) as archive:
            x = archive["x"]
    except Exception as error:  # zipfile and numpy raise many kinds for what is broken.
        raise UserError(
            f"--data={data} must be a folder of photographs, a table ({SUFFIXES}), or "
            f"an .npz file with an array x: {error}"
        ) from error
    kind = {3: "series", 4: "images"}.get(len(f.input_shape), "vectors")
    x = read_samples(x, kind, f"x of {data}")
    if kind == "images":
        x = in_order_of_keras(x) if x.dtype.kind == "f" else samples(x)
    return x, load_pandas().DataFrame(index=range(len(x)))


def _write(arguments):
    if arguments:
        raise UserError(f"unexpected argument: {arguments[0]}")
    for name, value in (("model", flags.FLAGS.model), ("data", flags.FLAGS.data)):
        if value is None:
            raise UserError(f"--{name} is needed; see python -m tasks.predict --help")
    folder = Path(read_path("model", flags.FLAGS.model))
    out = Path(read_path("out", flags.FLAGS.out))
    data = Path(read_path("data", flags.FLAGS.data))
    found = predict(folder, data, flags.FLAGS.look)
    with whole_files.aside(out) as part:
        found.to_csv(part, index=False)
    print(f"{len(found)} samples: {_told(found['predicted'].value_counts())}")
    reasons = found["look"][found["look"] != ""].str.partition(":")[0]
    if len(reasons):
        counts = reasons.str.split("; ").explode().value_counts()
        print(f"{len(reasons)} of them to look at: {_told(counts)}")
    print(f"The predictions are in {out}")


def _told(counts):
    return ", ".join(f"{count} {name}" for name, count in counts.items())


if __name__ == "__main__":
    flags.DEFINE_string("model", None, "folder of a run of tasks.folder")
    flags.DEFINE_string(
        "data", None, f"photographs, a table ({SUFFIXES}), or an .npz file"
    )
    flags.DEFINE_string("out", "predictions.csv", "the table to write")
    flags.DEFINE_float(
        "look", 0.05, "share of rows to be called unsure", lower_bound=0, upper_bound=1
    )
    commands.main(_write)
