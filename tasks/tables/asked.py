"""From the flags of the tables' command to the trainings that it asks for."""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from absl import flags

from keras_m2m.recipes.after import after_refusal
from keras_m2m.recipes.losses import loss_refusal
from tasks import registry
from tasks.experiment.errors import UserError
from tasks.experiment.paths import read_path
from tasks.experiment.recipes import REFERENCES
from tasks.experiment.recipes import parts_of
from tasks.experiment.rows import Row
from tasks.experiment.rows import read_row
from tasks.experiment.shared_flags import names_in_role
from tasks.runs.sweep import Entry
from tasks.runs.sweep import Sweep
from tasks.tables import after2020
from tasks.tables import own_rows
from tasks.tables import paper


def sweep_of(chosen: flags.FlagValues, arguments: Sequence[str]) -> Sweep:
    """What is to be run, or found.

    Args:
        chosen: The flags of the command.
        arguments: What else is on the command line: datasets, and flags of tasks.

    Raises:
        UserError: If a flag does not fit.
    """
    common = [part for part in arguments if part.startswith("--")]
    commands = [part for part in arguments if not part.startswith("-")]
    unclear = set(arguments) - {*common, *commands}
    if unclear:
        raise UserError(f"unexpected argument: {' '.join(sorted(unclear))}")
    if (chosen.table is None) == (chosen.task is None):
        raise UserError(
            f"give --table=1 to 6 or {after2020.NAME}, or --task for data of your own"
        )
    names = [chosen.task] if chosen.task else chosen.datasets
    datasets = [read_entry(command, common) for command in [*names, *commands]]
    # By their names, under which they stand in the table and have their figures.
    _check_once("datasets", [own.label for own in datasets])
    if not datasets or (chosen.task and (len(datasets) > 1 or chosen.datasets)):
        raise UserError(
            "name the datasets: --datasets=reuters,twitter, or each in quotes with its "
            'flags, as in "reuters --data_dir=PATH"; for --task nothing else'
        )
    if chosen.tune and chosen.tuning_seed < chosen.seeds:
        raise UserError(
            f"--tuning_seed={chosen.tuning_seed} is one of the {chosen.seeds} seeds of "
            "the table, which would be tuned for it"
        )
    return Sweep(
        datasets,
        _rows(chosen, datasets),
        chosen.seeds,
        Path(read_path("results", chosen.results)),
        Path(read_path("runs", chosen.runs)),
        chosen.tuning_seed if chosen.tune else None,
        asked=bool(chosen.rows or chosen.table),
        keeps_predictions=bool(chosen.task),
    )


def table_number(chosen: flags.FlagValues) -> int | None:
    """The number of the paper's table; None for another one."""
    known = chosen.table not in (None, after2020.NAME)
    return int(chosen.table) if known else None


def read_entry(command: str, common: Sequence[str] = ()) -> Entry:
    """A dataset from a command line.

    Args:
        command: A task's name, then its flags, as in `"cifar_lt --rho=10"`.
        common: Flags that go before these.

    Returns:
        `Entry`.

    Raises:
        UserError: If there is no such task, or its flags are wrong.
    """
    task, own = registry.find(command)
    found = Entry(task, _joined([*common, *own]))
    for part in found.arguments:
        flag = part.partition("=")[0]
        if flag.removeprefix("--") in names_in_role("choice", "after", "command"):
            raise UserError(f"{flag} has no use here: the table says what is run")
    found.shared()
    return found


def _joined(parts):
    """Flags as `--name=value`, also those given as `-name` or as `--name value`."""
    joined = []
    for part in parts:
        if re.match(r"-[a-z]", part):
            part = f"-{part}"
        if joined and not part.startswith("-") and "=" not in joined[-1]:
            joined[-1] += f"={part}"
        else:
            joined.append(part)
    return joined


def _rows(chosen, datasets):
    rows = {row.name: row for row in _of_table(chosen, datasets)}
    if not chosen.rows:
        return [*rows.values()]
    found = [rows.get(name) or read_row(name) for name in chosen.rows]
    unknown = [name for name, row in zip(chosen.rows, found) if row is None]
    if unknown:
        raise UserError(
            f"--rows={','.join(unknown)}: expected a loss and a method, such as "
            "ce-erm, with what is done after it, such as ce-erm+crt or "
            "ce-erm+adjust=auto, on mixed batches, such as ce-mixup-drs, or of this "
            f"table {', '.join(rows)}, or {', '.join(REFERENCES)}"
        )
    _check_once("rows", [row.name for row in found])
    for row in found:
        parts = parts_of(row.loss, row.method)
        why = loss_refusal(*parts) or after_refusal(*parts, row.after)
        if why:
            raise UserError(f"--rows={row.name}: {why}")
    return found


def _of_table(chosen, datasets) -> Sequence[Row]:
    """The rows of a table where none are named."""
    if chosen.table == after2020.NAME:
        last = any(own.shared().protocol == "field" for own in datasets)
        return after2020.rows(validated=not last)
    number = table_number(chosen)
    return paper.rows(number) if number else own_rows.rows()


def _check_once(what: str, found: list[Any]):
    twice = [item for item in found if found.count(item) > 1]
    if twice:
        raise UserError(f"{what}: {twice[0]} is named twice")
