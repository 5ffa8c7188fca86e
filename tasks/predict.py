"""Labels and probabilities of new samples, by a classifier of `tasks.folder`.

    python -m tasks.predict --model=runs/folder-claims-m2m-ce-seed0 --data=new.csv

writes `predictions.csv` (`--out`), a line for each sample: `predicted`, the class;
`probability of CLASS` for each class; and `look`, why a person should look at it.
`--model` is the folder of a run, or that of a compared method in it, or the one that
the report of `tasks.table` names; `--data` is

- a folder of photographs, at any depth and without labels, or one photograph, of a
  network that was trained on a folder of them. `file` says which one a line is of;
- a table of raw rows, such as the run was trained on, in any order of columns. Those
  that the network does not read, such as identifiers or a label, are copied;
- or an `.npz` file with an array `x`, of a network that was trained on arrays.

`--rule` is the `rule.json` of a report: `predicted` is then what its costs, offsets and
class frequencies decide, and probabilities are corrected as it says. By default it is
the one in the folder of the model, if there is one; `--rule=none` takes the likeliest
class, and probabilities as they come.

`look` is empty, or says one or more of

- `unsure`: the two likeliest classes are closer than in other rows; by costs, the two
  cheapest decisions. `--look` (0.05) is the share of rows that are called so, rounded
  down: of fewer than 20 none;
- `unlike training`: a photograph whose features are farther from those of all training
  photographs than 99 of 100 of the validation set were. `training_features.npz` in the
  folder of the run is needed for that;
- `cannot be read`, and why: a photograph that is damaged. It has no prediction.

A network that was trained on balanced batches, as by M2m, gives probabilities as if all
classes were equally frequent: right for the choice of a class, not as frequencies. The
rule of a report corrects that.
"""

import math
from pathlib import Path
from typing import Any

import numpy as np
from absl import flags

from tasks.data import whole_files
from tasks.data.own.table_files import SUFFIXES
from tasks.data.own.table_files import load_pandas
from tasks.experiment.errors import UserError
from tasks.experiment.paths import read_path
from tasks.records import served
from tasks.runs import commands
from tasks.runs.new_samples import seen

_NO_RULE = "none"


def predict(
    folder: Path, data: Path, look: float = 0.05, rule: Path | str | None = None
) -> Any:
    """The classes of samples.

    Args:
        folder: Of a run: its `f.keras`, `result.json` and perhaps preprocessing.
        data: A table, an `.npz` file, or a photograph or a folder of some.
        look: The share of rows that are called unsure, in [0, 1].
        rule: The file of a rule to decide by; `"none"` for the likeliest class; None
            for the rule in the folder, if there is one.

    Returns:
        A pandas frame, a row for each sample: `file`, or the columns of a table that
        the network does not read, those called like the following renamed; `predicted`;
        `probability of CLASS` for each class; and `look`. What could not be read has no
        prediction.

    Raises:
        UserError: If a file is missing or damaged, or samples are not such as the
            network takes.
    """
    pandas = load_pandas()
    model, about = served.read(folder)
    class_names = about["class_names"]
    path = _rule_of(folder, rule)
    decision = None if path is None else served.read_rule(path, class_names)
    found = seen(folder, data, model, about)
    readable = np.setdiff1d(np.arange(len(found.chances)), [*found.broken])
    shown, classes, margins = _decided(decision, found.chances[readable])
    chances = np.full(found.chances.shape, np.nan, "float32")
    chances[readable] = shown
    predicted = np.full(len(chances), None, object)
    predicted[readable] = np.array(class_names, object)[classes]
    names = [f"probability of {name}" for name in class_names]
    others = _renamed(found.others, {"predicted", *names, "look"})
    frame = pandas.DataFrame(chances, columns=names, index=others.index)
    frame.insert(0, "predicted", predicted)
    unsure = readable[_least(margins, look)]
    frame["look"] = _reasons(found, unsure)
    return pandas.concat([others, frame], axis=1)


def _rule_of(folder, rule):
    """The file of the rule to decide by, or None."""
    if rule is not None:
        return None if rule == _NO_RULE else Path(rule)
    path = folder / served.RULE
    return path if path.exists() else None


def _decided(rule, chances):
    """Probabilities to show, classes, and how far these are from the next best ones."""
    if rule is None:
        two = np.sort(chances, axis=1)[:, -2:]
        return chances, chances.argmax(axis=1), two[:, 1] - two[:, 0]
    shown = rule.probabilities(chances).astype("float32")
    return shown, rule.decide(chances), rule.margins(chances)


def _renamed(others, taken):
    """A frame whose columns have names of their own."""
    names = {*others.columns} | taken
    new = {}
    for name in others.columns:
        if name in taken:
            new[name] = f"{name} in the data"
            while new[name] in names:
                new[name] += "_"
    return others.rename(columns=new)


def _least(margins, share):
    """The share of rows of the smallest margins."""
    # Beside so few others, a single photograph would be unsure however clear it is.
    return np.argsort(margins, kind="stable")[: math.floor(share * len(margins))]


def _reasons(found, unsure):
    """Why to look at each row; empty where there is no reason."""
    reasons = [[] for _ in found.chances]
    for rows, why in ((unsure, "unsure"), (found.unlike, "unlike training")):
        for row in rows:
            reasons[row].append(why)
    for row, why in found.broken.items():
        reasons[row].append(f"cannot be read: {why}")
    return ["; ".join(own) for own in reasons]


def _write(arguments):
    if arguments:
        raise UserError(f"unexpected argument: {arguments[0]}")
    for name, value in (("model", flags.FLAGS.model), ("data", flags.FLAGS.data)):
        if value is None:
            raise UserError(f"--{name} is needed; see python -m tasks.predict --help")
    folder = Path(read_path("model", flags.FLAGS.model))
    out = Path(read_path("out", flags.FLAGS.out))
    data = Path(read_path("data", flags.FLAGS.data))
    rule = flags.FLAGS.rule
    rule = rule if rule in (None, _NO_RULE) else read_path("rule", rule)
    with whole_files.made_folder("out", out.parent):
        found = predict(folder, data, flags.FLAGS.look, rule)
    with whole_files.aside(out) as part:
        found.to_csv(part, index=False)
    by = _rule_of(folder, rule)
    how = "by the likeliest class" if by is None else f"by {by}"
    print(f"{len(found)} samples, {how}: {_told(found['predicted'].value_counts())}")
    reasons = found["look"][found["look"] != ""].str.partition(":")[0]
    if len(reasons):
        counts = reasons.str.split("; ").explode().value_counts()
        print(f"{len(reasons)} of them to look at: {_told(counts)}")
    print(f"The predictions are in {out}")


def _told(counts):
    return ", ".join(f"{count} {name}" for name, count in counts.items())


if __name__ == "__main__":
    flags.DEFINE_string("model", None, "folder of a run of tasks.folder, or a report's")
    flags.DEFINE_string(
        "data", None, f"photographs, a table ({SUFFIXES}), or an .npz file"
    )
    flags.DEFINE_string("out", "predictions.csv", "the table to write")
    flags.DEFINE_string(
        "rule",
        None,
        "a report's rule.json to decide by; by default that in the folder of the model",
    )
    flags.DEFINE_float(
        "look", 0.05, "share of rows to be called unsure", lower_bound=0, upper_bound=1
    )
    commands.main(_write)
