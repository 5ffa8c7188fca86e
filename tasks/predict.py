"""Labels and probabilities of new samples, by a network that `tasks.folder` trained.

    python -m tasks.predict --model=runs/folder-claims-m2m-ce-seed0 --data=new.csv

writes `predictions.csv` (`--out`), a line for each sample: `predicted`, the class, and
`probability of CLASS` for each class. `--model` is the folder of a run, or that of a
compared method in it; `--data` is

- a table of raw rows, such as the run was trained on, in any order of columns. Those
  that the network does not read, such as identifiers or a label, are copied;
- or an `.npz` file with an array `x`, of a network that was trained on arrays.

A network that was trained on balanced batches, as by M2m, gives probabilities as if all
classes were equally frequent: right for the choice of a class, not as frequencies.
"""

from pathlib import Path
from typing import Any

import numpy as np
from absl import flags

from tasks.data import whole_files
from tasks.data.own import preprocessing
from tasks.data.own.array_samples import read_samples
from tasks.data.own.class_names import listed
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
from tasks.training.evaluation import probabilities


def predict(folder: Path, data: Path) -> Any:
    """The classes of samples.

    Args:
        folder: Of a run: its `f.keras`, `result.json` and perhaps preprocessing.
        data: A table, or an `.npz` file.

    Returns:
        A pandas frame, a row for each sample: columns of the table that the network
        does not read, `predicted`, and `probability of CLASS` for each class.

    Raises:
        UserError: If a file is missing or damaged, or samples are not such as the
            network takes.
    """
    pandas = load_pandas()
    f, class_names = _network(folder)
    x, others = _table(folder, data) if is_table(data) else _arrays(data, f)
    if x.shape[1:] != f.input_shape[1:]:
        raise UserError(
            f"{data} holds samples of shape {x.shape[1:]}, and the network of {folder} "
            f"takes {f.input_shape[1:]}"
        )
    chances = probabilities(f, x)
    names = [f"probability of {name}" for name in class_names]
    found = pandas.DataFrame(chances, columns=names, index=others.index)
    found.insert(0, "predicted", np.array(class_names)[chances.argmax(axis=1)])
    return pandas.concat([others, found], axis=1)


def _network(folder):
    try:
        f = load(folder / "f.keras")
    except Exception as error:  # Keras raises many kinds for a file it cannot read.
        raise UserError(
            f"--model={folder} must be the folder of a finished run: its f.keras is "
            f"missing or damaged: {error}"
        ) from error
    return f, records.read(folder / "result.json")["class_names"]


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
            f"--data={data} must be a table ({SUFFIXES}), or an .npz file with an "
            f"array x: {error}"
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
    found = predict(folder, Path(read_path("data", flags.FLAGS.data)))
    with whole_files.aside(out) as part:
        found.to_csv(part, index=False)
    counts = found["predicted"].value_counts()
    told = ", ".join(f"{count} {name}" for name, count in counts.items())
    print(f"{len(found)} samples: {told}\nThe predictions are in {out}")


if __name__ == "__main__":
    flags.DEFINE_string("model", None, "folder of a run of tasks.folder")
    flags.DEFINE_string("data", None, f"a table ({SUFFIXES}), or an .npz file")
    flags.DEFINE_string("out", "predictions.csv", "the table to write")
    commands.main(_write)
