"""Records of results: how they are written, and found again by their flags."""

import json
from pathlib import Path
from typing import Any

import numpy as np

from tasks.data import whole_files
from tasks.experiment.errors import UserError
from tasks.experiment.recipes import method_of
from tasks.experiment.settings import Settings
from tasks.experiment.settings import flags_of_the_run
from tasks.records import run_folder

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
    lines = (f"{json.dumps(key)}: {json.dumps(record[key])}" for key in record)
    whole_files.write(path, "{\n" + ",\n".join(lines) + "\n}\n")


def read(path: Path) -> dict:
    """What `write` wrote.

    Args:
        path: Of a finished training, of one that diverged, or of a search.

    Returns:
        The record.

    Raises:
        UserError: If a key is missing or wrong, with its name.
    """
    record = run_folder.read(path)
    for key, (is_right, expected) in _expected(record).items():
        try:
            right = bool(is_right(record.get(key)))
        except (KeyError, TypeError, ValueError):  # Of lists that are no arrays, say.
            right = False
        if not right:
            found = str(record.get(key)) if key in record else "nothing"
            raise UserError(
                f"{path}: {key!r} must be {expected}, and is {found[:50]}. Remove the "
                "file, which makes it again, or give another folder by --results"
            )
    return record


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
    name = f"{prefix}{settings.method}-{settings.loss}-seed{settings.seed}-*.json"
    found = {}
    for path in sorted((results / settings.task).glob(name)):
        known = run_folder.read(path)
        others = [key for key in about if known.get(key) != about[key]]
        if not others and _has_flags(known.get("flags"), settings):
            found[path.name] = read(path)
    if len(found) > 1:
        raise UserError(
            f"{results / settings.task} has results of the same flags from different "
            f"backends or data, which --found cannot tell apart: {', '.join(found)}. "
            "Give each a folder of its own by --results"
        )
    return next(iter(found.values()), None)


def _has_flags(recorded, settings):
    """Whether flags are those of settings, of which they may lack newer ones."""
    if not isinstance(recorded, dict):
        return False
    default = {flag.name: flag.default for flag in settings.flags.values()}
    wanted = json.loads(json.dumps(flags_of(settings)))
    return all(recorded.get(name, default.get(name)) == wanted[name] for name in wanted)


def flags_of(settings: Settings) -> dict[str, Any]:
    """The flags that a cell's numbers follow from: not those its method ignores."""
    method = method_of(settings.method)
    reads = {"translation": method.translate, "deferred": method.deferred}
    known = settings.flags.values()
    ignored = {flag.name for flag in known if not reads.get(flag.read_by, True)}
    flags = flags_of_the_run(settings)
    return {name: value for name, value in flags.items() if name not in ignored}
