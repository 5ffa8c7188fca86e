"""What people call the three splits, in files, in folders and in tables."""

import re
from typing import Any

# In lower case; any case is accepted.
SPLITS = {
    "train": "train",
    "training": "train",
    "validation": "validation",
    "valid": "validation",
    "val": "validation",
    "test": "test",
    "testing": "test",
}
EXPECTED = "train, validation (val, valid) and test"
_COLUMN = "split"


def split_column(frame: Any) -> str | None:
    """The column of a frame that says which split a row is of, if there is one."""
    for name in frame.columns:
        is_text = name.lower() == _COLUMN and frame[name].dtype.kind == "O"
        if is_text and frame[name].map(split_of).notna().all():
            print(f"note: the column {name!r} says which split a row is of")
            return name
    return None


def split_of(value: object) -> str | None:
    """The split that a value names, or None."""
    return SPLITS.get(str(value).strip().lower())


def split_in(name: str) -> str | None:
    """The one split that words in a name stand for, as in trainLabels.csv, or None."""
    words = re.findall("[A-Z]+(?![a-z])|[A-Z]?[a-z]+", name.partition(".")[0])
    found = {split_of(word) for word in words} - {None}
    return found.pop() if len(found) == 1 else None
