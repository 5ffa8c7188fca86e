"""Tables of users: read, checked, split, and encoded by what the training rows hold."""

import functools
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from tasks.data.own import table_columns
from tasks.data.own.class_names import listed
from tasks.data.own.split_names import split_column
from tasks.data.own.split_names import split_of
from tasks.data.own.splitting import complete
from tasks.data.own.table_files import load_pandas
from tasks.data.own.table_files import read_table
from tasks.data.own.table_labels import classes_of
from tasks.data.own.table_labels import find_label
from tasks.data.own.table_labels import usual_label
from tasks.experiment.errors import UserError
from tasks.experiment.settings import Settings
from tasks.experiment.task import Data


def load(files: Mapping[str, Path], path: Path, settings: Settings) -> Data:
    """A table as vectors, with the preprocessing that made them.

    Args:
        files: By split; one alone is `"train"`.
        path: What the user named, for messages.
        settings: Which column is the label, which are identifiers, and how to split.

    Raises:
        UserError: If the table cannot be read, its label names no classes, or a column
            gives the label away.
    """
    frame, splits = _read(files)
    named = [*map(str, frame.columns)]
    is_keel = ".dat" in files["train"].suffixes
    label = find_label(named, settings.label, is_keel, path)
    drop = settings.missing == "drop"
    y, kept, class_names = classes_of(frame[label], path, drop)
    features = frame.drop(columns=label)
    features = table_columns.without_identifiers(features, settings.id, path)
    if not len(features.columns):
        raise UserError(f"{path} holds no column beside the label {label!r}")
    parts = {
        split: (rows, y[rows])
        for split in dict.fromkeys(splits)
        for rows in [np.flatnonzero(kept & (splits == split))]
    }
    if "train" not in parts:
        raise UserError(f"{path}: no row is of the split 'train'")
    parts = complete(parts, class_names, settings)
    train, labels = features.iloc[parts["train"][0]], parts["train"][1]
    preprocessor, notes = _fitted(train, labels, path)
    encoded = {
        split: (preprocessor.transform(features.iloc[rows]), own)
        for split, (rows, own) in parts.items()
    }
    return Data(
        train=encoded["train"],
        validation=encoded.get("validation"),
        test=encoded["test"],
        class_names=class_names,
        source=f"{path.name}, {_summary(preprocessor)}",
        units=preprocessor.units_,
        preprocessor=preprocessor,
        smote=_smote(preprocessor, train, labels),
        shown=_shown(frame, parts["test"][0], splits, len(files)),
        by_few=False,
        notes=notes,
        defaults={"label": usual_label(named, is_keel)},
    )


def _read(files):
    """All rows in one frame, and the split of each."""
    frames = {split: read_table(path) for split, path in files.items()}
    names = [*frames["train"].columns]
    for split, frame in frames.items():
        lacking = [name for name in names if name not in frame.columns]
        if lacking:
            raise UserError(f"{files[split]} lacks the columns {listed(lacking)}")
    if len(frames) == 1:
        return _with_split_column(frames["train"])
    splits = np.repeat([*frames], [len(frame) for frame in frames.values()])
    rows = [frame[names] for frame in frames.values()]
    return load_pandas().concat(rows, ignore_index=True), splits


def _with_split_column(frame):
    name = split_column(frame)
    if name is None:
        return frame, np.full(len(frame), "train")
    return frame.drop(columns=name), frame[name].map(split_of).to_numpy(str)


def _fitted(train, labels, path):
    """The preprocessing of the training rows, and what to know of its columns."""
    notes = table_columns.check_no_leakage(train, labels, path)
    preprocessor = _preprocessor(train, path)
    notes += _note_on_quantities(preprocessor)
    notes += table_columns.note_on_identifiers(train, preprocessor.kinds_)
    for note in notes:
        print(f"note: {note}", flush=True)
    return preprocessor, notes


def _preprocessor(train, path) -> Any:
    try:
        from keras_m2m.tabular import TablePreprocessor

        return TablePreprocessor().fit(train)
    except ImportError as error:
        raise UserError(str(error)) from error
    except ValueError as error:
        raise UserError(f"{path}: {error}") from error


def _smote(preprocessor, train, labels):
    """SMOTE of the rows before they are encoded, as a function of a seed."""
    from keras_m2m.tabular import smote_nc

    return functools.partial(smote_nc, preprocessor, train, labels)


def _note_on_quantities(preprocessor):
    kinds = preprocessor.kinds_.items()
    own = {name for name, kind in kinds if kind in ("number", "date")}
    if not own <= {*preprocessor.categorical_}:
        return []
    return [
        "no column holds a quantity, so translations of M2m move what stands for "
        "categories"
    ]


def _shown(frame, rows, splits, num_files):
    """A test row as it was written: its number in its file, and all columns."""
    # Files lie one behind the other in the frame.
    before = int(np.argmax(splits == "test")) if num_files > 1 else 0
    kept = frame.iloc[rows]
    missing = kept.isna()

    def read(index):
        values = zip(kept.columns, kept.iloc[index], missing.iloc[index])
        texts = {str(name): "" if none else str(value) for name, value, none in values}
        return {"row": str(1 + int(rows[index]) - before), **texts}

    return read


def _summary(preprocessor):
    """Such as "7 entries of 3 number and 1 category columns"."""
    counts = Counter(preprocessor.kinds_.values())
    *first, last = (f"{count} {kind}" for kind, count in counts.items())
    held = f"{', '.join(first)} and {last}" if first else last
    return f"{len(preprocessor.units_)} entries of {held} columns"
