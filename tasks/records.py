"""Records of results: how they are written, and found again by their flags."""

import json
from pathlib import Path

from tasks import run_folder
from tasks import whole_files
from tasks.ablations import method_of
from tasks.settings import Settings
from tasks.task import UserError

_OF_TRANSLATION = {"beta", "lam", "gamma", "steps", "step_size", "noise"}
# Those that only choose others, and the one that the seed of a cell takes the place of.
_NEVER = {"compare", "preset", "g"}


def write(path: Path, record: dict) -> None:
    """Write a record as JSON, as a whole or not at all.

    Args:
        path: The file.
        record: What JSON can hold.
    """
    # A key a line: small, and still read by people and by `git diff`.
    lines = (f"{json.dumps(key)}: {json.dumps(record[key])}" for key in record)
    whole_files.write(path, "{\n" + ",\n".join(lines) + "\n}\n")


def find_by_flags(results: Path, settings: Settings, prefix: str = "") -> dict | None:
    """The result of a cell by its flags alone, whatever its backend and its data.

    Args:
        results: Folder with the results of all tasks.
        settings: The cell's.
        prefix: What the names of such files begin with.

    Returns:
        What is in the file, or None.

    Raises:
        UserError: If there are several, or a file is damaged.
    """
    wanted = json.loads(json.dumps(flags_of(settings)))
    name = f"{prefix}{settings.method}-{settings.loss}-seed{settings.seed}-*.json"
    found = {}
    for path in sorted((results / settings.task).glob(name)):
        record = run_folder.read(path)
        if record.get("flags") == wanted:
            found[path.name] = record
    if len(found) > 1:
        raise UserError(
            f"{results / settings.task} has results of the same flags from different "
            f"backends or data, which --found cannot tell apart: {', '.join(found)}. "
            "Give each a folder of its own by --results"
        )
    return next(iter(found.values()), None)


def flags_of(settings):
    """The flags that a cell's numbers follow from: not those its method ignores."""
    method = method_of(settings.method)
    ignored = set(_NEVER)
    if not method.translate:
        ignored |= _OF_TRANSLATION
    if not method.deferred:
        ignored |= {"defer_epoch"}
    flags = run_folder.flags_of_the_run(settings)
    return {name: value for name, value in flags.items() if name not in ignored}
