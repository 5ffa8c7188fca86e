"""Records of results: how they are written, and found again by their flags."""

import json
import os
import warnings
from pathlib import Path

import numpy as np

from tasks.data import whole_files
from tasks.experiment.errors import UserError
from tasks.experiment.recipes import mixed_name
from tasks.experiment.settings import Settings
from tasks.records.identity import differences
from tasks.records.identity import is_of_other_columns

# Lists of K lists of K counts. Of many classes most counts are 0 and are not written.
_MATRICES = {"confusion_matrix", "translated", "accepted"}
_MOST_DENSE = 100  # Classes.
_SCORES = (
    *("balanced_accuracy", "geometric_mean", "geometric_mean_corrected", "accuracy"),
    *("major", "minor", "many", "medium", "few"),
)


def write(path: Path, record: dict) -> None:
    """Write a record as JSON, as a whole or not at all.

    Args:
        path: The file.
        record: What JSON can hold.
    """
    # A key a line: small, and still read by people and by `git diff`.
    small = {
        key: _sparse(value) if key in _MATRICES else value
        for key, value in record.items()
    }
    lines = (f"{json.dumps(key)}: {json.dumps(small[key])}" for key in small)
    whole_files.write(path, "{\n" + ",\n".join(lines) + "\n}\n")


class Damaged(UserError):
    """A file that is not what was written.

    Attributes:
        path: The file.
    """

    def __init__(self, path: Path, message: str) -> None:
        super().__init__(f"{path}{message}")
        self.path = path


def read_json(path: Path) -> dict:
    """A file that holds a JSON object.

    Raises:
        Damaged: If it is none.
    """
    try:
        if not path.is_file():  # To open a pipe would wait for ever.
            raise ValueError("it is no file")
        return {**json.loads(path.read_text(encoding="utf-8"))}
    except (ValueError, TypeError, RecursionError) as error:
        raise Damaged(
            path, f" is damaged: {error}. Remove it, which makes it again"
        ) from error


def read(path: Path) -> dict:
    """What `write` wrote.

    Args:
        path: Of a finished training, of one that diverged, or of a search.

    Returns:
        The record.

    Raises:
        Damaged: If a key is missing or wrong, with its name.
    """
    record = read_json(path)
    for key in _MATRICES & record.keys():
        record[key] = _dense(record[key])
    for key, (is_right, expected) in _expected(record).items():
        try:
            right = bool(is_right(record.get(key)))
        except (KeyError, TypeError, ValueError):  # From lists that are no arrays, say.
            right = False
        if not right:
            found = str(record.get(key)) if key in record else "nothing"
            raise Damaged(
                path,
                f": {key!r} must be {expected}, and is {found[:50]}. Remove the file, "
                "which makes it again, or give another folder by --results",
            )
    return record


def _sparse(matrix):
    """A matrix of many classes as `{"size": K, "counts": [[row, column, count]]}`."""
    if not isinstance(matrix, list) or len(matrix) <= _MOST_DENSE:
        return matrix
    counts = np.array(matrix)
    rows, columns = counts.nonzero()
    found = np.stack([rows, columns, counts[rows, columns]], axis=1)
    return {"size": len(matrix), "counts": found.tolist()}


def _dense(matrix):
    """What `_sparse` was given; what is of neither form is left for the checks."""
    try:
        counts = np.zeros((matrix["size"], matrix["size"]), "int64")
        rows, columns, values = np.array(matrix["counts"], "int64").reshape(-1, 3).T
        counts[rows, columns] = values
        return counts.tolist()
    except (TypeError, KeyError, ValueError, IndexError, MemoryError):
        return matrix


def _expected(record):
    """What must be in a record, by key: a test, and its words."""
    if "trials" in record:
        return {"trials": (_are_trials, "a list of parameters and their scores")}
    text = lambda value: isinstance(value, str), "a text"
    whole = lambda value: type(value) is int and value >= 0, "a whole number"
    names = record.get("class_names")
    k = len(names) if isinstance(names, list) else 0
    found = {
        **dict.fromkeys(("source", "protocol"), text),
        "seed": whole,
        "class_names": (_are_names, "a list of names"),
        "class_counts": (lambda v: _are_counts(v, (k,), 1), f"a list of {k} counts"),
    }
    if "failed" in record:
        return {**found, "failed": text}
    score = lambda value: value is None or 0 <= value <= 1, "a fraction or null"
    pairs = lambda value: _are_counts(value, (k, k), 0), f"{k} lists of {k} counts"
    translated = {key: pairs for key in ("translated", "accepted") if key in record}
    return {
        **found,
        "tested_epoch": whole,
        **dict.fromkeys((*_SCORES, "acceptance_rate"), score),
        "balanced_accuracy": (lambda value: 0 <= value <= 1, "a fraction"),
        "per_class_recall": (lambda v: _are_recalls(v, k), f"a list of {k} fractions"),
        "confusion_matrix": pairs,
        **translated,
    }


def _are_names(value):
    return type(value) is list and value and all(isinstance(v, str) for v in value)


def _are_counts(value, shape, least):
    counts = np.array(value)
    return counts.shape == shape and counts.dtype.kind == "i" and counts.min() >= least


def _are_recalls(value, k):
    return k == len(value) and all(v is None or 0 <= v <= 1 for v in value)


def _are_trials(value):
    names = "beta", "lam", "gamma", "val_balanced_accuracy"
    return value and all(0 <= trial[name] <= 1 for trial in value for name in names)


def find(
    results: Path, settings: Settings, prefix: str = "", **about: object
) -> dict | None:
    """The result of a cell by its flags, as far as the record knows them.

    A flag that the record lacks is newer than the record, and had the value that is now
    its default; one that only the record has is of no version any more.

    Args:
        results: Folder with the results of all tasks.
        settings: The cell's.
        prefix: What the names of such files begin with.
        **about: What else the record must say, such as its backend.

    Returns:
        What is in the file, or None.

    Raises:
        UserError: If there are several, or a file is damaged.
    """
    return find_with_path(results, settings, prefix, **about)[1]


def find_with_path(
    results: Path, settings: Settings, prefix: str = "", **about: object
) -> tuple[Path | None, dict | None]:
    """As `find`, with the path of the file."""
    method = mixed_name(settings.method, settings.mix)
    name = f"{prefix}{method}-{settings.loss}-seed{settings.seed}-*.json"
    found = {}
    for path in sorted((results / settings.task).glob(name)):
        record = read_json(path)
        # With a checksum of the data in `about`, it does not matter by which flags.
        is_other = not about and is_of_other_columns(record, settings)
        if not (is_other or differences(record, settings, **about)):
            found[path] = read(path)
    if len(found) > 1:
        raise UserError(
            f"{results / settings.task} has results of the same flags from different "
            "backends or data, which --found cannot tell apart: "
            f"{', '.join(path.name for path in found)}. Give each a folder of its own "
            "by --results"
        )
    return next(iter(found.items()), (None, None))


def find_sound(
    results: Path, settings: Settings, prefix: str = "", **about: object
) -> dict | None:
    """As `find`, but damaged files are set aside.

    Args:
        results: As for `find`.
        settings: As for `find`.
        prefix: As for `find`.
        **about: As for `find`.

    Warns:
        UserWarning: If a file is damaged.
    """
    while True:
        try:
            return find(results, settings, prefix, **about)
        except Damaged as error:
            aside = error.path.with_suffix(".damaged")
            os.replace(error.path, aside)
            warnings.warn(
                f"{error}. It is now {aside.name}, and is made again", stacklevel=3
            )
