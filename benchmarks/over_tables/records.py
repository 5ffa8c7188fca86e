"""The file of results: a row for each table, fold and method."""

import csv
from collections.abc import Iterable
from pathlib import Path

KEYS = ("table", "fold", "method")
MEASURES = {
    "balanced_accuracy": "balanced accuracy",
    "geometric_mean": "geometric mean",
    "auc": "AUC",
}
# What all rows of a file have in common.
SETTING = ("steps", "seed", "backend")
# Of M2m alone: accepted over translated, replaced over all rows, and the chosen step.
OF_M2M = ("acceptance", "replaced", "step_size")
# Entries that stand for the columns, and those of them that a translation may move.
OF_TABLE = ("rows", "positives", "features", "words", "moved")
NUMBERS = (*MEASURES, "seconds", "diverged", *OF_M2M, *OF_TABLE)
COLUMNS = (*KEYS, *NUMBERS, *SETTING, "commit")


def read(path: Path) -> list[dict]:
    """All whole rows of a file, numbers as floats, None for none; none of no file."""
    if not path.exists():
        return []
    # What follows the last end of a line was being written when somebody killed it.
    lines = path.read_text().splitlines(keepends=True)
    whole = [line for line in lines if line.endswith("\n")]
    return [_typed(row) for row in csv.DictReader(whole)]


def append(path: Path, rows: Iterable[dict]) -> None:
    """Add rows to a file, which is made if it is not there."""
    path.parent.mkdir(parents=True, exist_ok=True)
    _cut_half_line(path)
    is_new = not path.exists() or not path.stat().st_size
    with path.open("a", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        if is_new:
            writer.writeheader()
        writer.writerows(rows)


def _cut_half_line(path):
    if not path.exists():
        return
    text = path.read_bytes()
    if not text.endswith(b"\n"):
        path.write_bytes(text[: text.rfind(b"\n") + 1])


def _typed(row):
    numbers = {key: float(row[key]) if row[key] else None for key in NUMBERS}
    return {**row, **numbers, "fold": int(row["fold"])}
