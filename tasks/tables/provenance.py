"""What was run: backend, protocol, seeds, versions, hyper-parameters."""

import json
from collections.abc import Sequence

from keras_m2m.m2m_model.settings import AUTO
from tasks.experiment.shared_flags import names_in_role
from tasks.tables.model import Cell

_BY_NATURE = "choice", "after", "machine", "command"
# What rows differ in by their nature, what has a line of its own, and the machine.
_NOT_HYPER = {"task", "protocol"} | names_in_role(*_BY_NATURE)
_CHOSEN = (None, AUTO)  # Values of --step_size that leave it to M2m.
# What the runs of a column must have in common to be compared.
_COMMON = (
    *("source", "checksum of the data", "class_counts", "protocol"),
    *("backend", "devices", "versions", "commit"),
)


def of_cells(cells: Sequence[Cell]) -> list[tuple[str, str]]:
    """What was run, as `(name, text)`; empty without runs.

    Args:
        cells: Those of a column.
    """
    records = [record for cell in cells for record in _records(cell)]
    if not records:
        return []
    found = [
        ("data", _distinct(records, "source")),
        ("training samples", _counts(records)),
        ("backend", _distinct(records, "backend")),
        ("protocol", _distinct(records, "protocol")),
        ("seeds", _seeds(cells)),
        ("commit", _distinct(records, "commit")),
        ("versions", _distinct(records, "versions")),
        ("chosen step_size", _chosen_steps(cells)),
        ("hyper-parameters", _common_flags(records)),
        *_flags_by_row(cells, records),
    ]
    return [(name, text) for name, text in found if text]


def not_alike(cells: Sequence[Cell]) -> list[str]:
    """What runs of a column, to be compared, should not differ in and do."""
    records = [record for cell in cells for record in _records(cell)]
    of_column = [key for key in _COMMON if len(_values(records, key)) > 1]
    of_row = [
        f"{name} between seeds of {cell.row.label}"
        for cell in cells
        for name in _varying_flags(_records(cell))
    ]
    return of_column + of_row


def _records(cell):
    return [*cell.finished, *cell.failed]


def _values(records, key):
    """The distinct values of a key, in order; a failed run may have few."""
    found = {}
    for record in records:
        flags = record.get("flags", {})
        value = record.get(key, flags.get(key))
        if value is not None:
            found.setdefault(json.dumps(value, sort_keys=True), value)
    return list(found.values())


def _distinct(records, key):
    return "; or ".join(_text(value) for value in _values(records, key))


def _text(value):
    if isinstance(value, dict):
        return ", ".join(f"{name} {item}" for name, item in value.items())
    if isinstance(value, list):
        return " ".join(map(str, value))
    return f"{value:g}" if isinstance(value, float) else str(value)


def _counts(records):
    return "; or ".join(
        f"{sum(counts)} of {len(counts)} classes, {max(counts)} to {min(counts)} each"
        for counts in _values(records, "class_counts")
    )


def _seeds(cells):
    """The seeds, once if all rows have the same."""
    by_seeds = {}
    for cell in cells:
        seeds = ", ".join(str(seed) for seed in sorted(_seeds_of(cell)))
        if seeds:
            by_seeds.setdefault(seeds, []).append(cell.row.label)
    if len(by_seeds) == 1:
        return next(iter(by_seeds))
    return "; ".join(f"{seeds} of {', '.join(on)}" for seeds, on in by_seeds.items())


def _seeds_of(cell):
    return [record["seed"] for record in _records(cell)]


def _chosen_steps(cells):
    """By row, the steps that trainings chose themselves."""
    found = []
    for cell in cells:
        open_ = [r for r in cell.finished if r["flags"].get("step_size") in _CHOSEN]
        steps = sorted({r["step_size"] for r in open_ if r.get("step_size")})
        if steps:
            found.append(f"{', '.join(f'{s:.3g}' for s in steps)} of {cell.row.label}")
    return "; ".join(found)


def _flag_names(records):
    names = {name for record in records for name in record.get("flags", {})}
    return sorted(names - _NOT_HYPER)


def _varying_flags(records):
    names = _flag_names(records)
    return [name for name in names if len(_values(_flags(records), name)) > 1]


def _flags(records):
    return [record.get("flags", {}) for record in records]


def _common_flags(records):
    varying = _varying_flags(records)
    names = [name for name in _flag_names(records) if name not in varying]
    pairs = [(name, _distinct(_flags(records), name)) for name in names]
    return ", ".join(f"{name} {text}" for name, text in pairs if text)


def _flags_by_row(cells, records):
    """Values of the flags that rows differ in, once for rows of the same."""
    varying = _varying_flags(records)
    by_text = {}
    for cell in cells:
        pairs = [(name, _distinct(_flags(_records(cell)), name)) for name in varying]
        text = ", ".join(f"{name} {text}" for name, text in pairs if text)
        if text:
            by_text.setdefault(text, []).append(cell.row.label)
    return [
        (f"hyper-parameters of {', '.join(labels)}", text)
        for text, labels in by_text.items()
    ]
