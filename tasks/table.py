"""The paper's tables from runs of our own, beside what the paper reports.

    python -m tasks.table --table=2 --datasets=reuters,twitter --seeds=5 --tune
    python -m tasks.table --table=5 --seeds=5 "reuters --data_dir=PATH"
    python -m tasks.table --table=after2020 --datasets=reuters
    python -m tasks.table --task=folder --data_dir=PATH --seeds=5

A cell of a table, a training by a loss and a method from a seed, is run once: its
result is a small file in `--results`, under all that its numbers follow from. What is
there is not run again, and a command that was cut off goes on when it is given again.
`--found` runs nothing and loads no data: it makes the table of what is there.

Datasets are named by `--datasets`, or each in quotes with flags of its task. All other
flags go to every task: `--preset=small`, `--epochs=30`. The table is printed as
Markdown and written to `--out`.md, and to `--out`.html with plots of the classes.

`--rows` names rows by loss and method, ce-erm, and by what is done after the training:
ce-erm+crt, ce-m2m+ncm, ce-erm+adjust (post-hoc logit adjustment, τ = 1), or
ce-erm+adjust=auto (τ chosen on validation). That trains no network again.

`--table=after2020` compares M2m with what came after it, each alone and each with M2m,
beside what others print. With `--protocol=field` it has no rows chosen on validation.

`--tune` first chooses beta, lam and gamma for each loss from the paper's grid, on the
validation set with a seed of its own, `--tuning_seed`; see `tasks/runs/tuning.py`.

`--figures` draws the paper's: class sizes (Figure 3), features of four methods (4),
false positives (5) and for images translations (6), and beside these acceptance by pair
of classes and the recall gained over ERM. `--found` draws what results alone show:
false positives, acceptance and gain.

`--task` is for data of your own: the methods of Table 2 or those of `--rows`, which one
wins, and whether its lead is more than noise.
"""

import re
import sys
from collections.abc import Sequence
from pathlib import Path

from absl import flags

from keras_m2m.checks.scalars import LARGEST_WHOLE
from keras_m2m.recipes.after import after_refusal
from keras_m2m.recipes.losses import loss_refusal
from tasks import registry
from tasks.data.whole_files import make_folder
from tasks.data.whole_files import write
from tasks.experiment.errors import UserError
from tasks.experiment.names_flag import define_names
from tasks.experiment.paths import read_path
from tasks.experiment.recipes import parts_of
from tasks.experiment.rows import Row
from tasks.experiment.rows import read_row
from tasks.experiment.shared_flags import names_in_role
from tasks.runs import commands
from tasks.runs import table_figures
from tasks.runs.sweep import Entry
from tasks.runs.sweep import Sweep
from tasks.tables import after2020
from tasks.tables import paper
from tasks.tables import published
from tasks.tables.markdown import markdown
from tasks.tables.model import Column
from tasks.tables.model import Table
from tasks.tables.page import page

_OWN = 2  # The table of the paper whose methods are tried on a user's own data.


def define_flags(values: flags.FlagValues) -> None:
    """Define the flags of the command.

    Args:
        values: Where absl keeps them.
    """
    define = {"flag_values": values, "module_name": sys.argv[0]}
    number = f"number of the paper's table, or {after2020.NAME}"
    flags.DEFINE_enum("table", None, [*"123456", after2020.NAME], number, **define)
    define_names("datasets", [], "tasks, by their names", **define)
    flags.DEFINE_string("task", None, "one task, for a report of your own", **define)
    flags.DEFINE_integer("seeds", 5, "number of seeds, from 0", 1, 1000, **define)
    rows = (
        "rows by loss, method and what is done after it, such as ce-erm,ce-erm+crt,"
        "ce-erm+adjust=auto, or ce-mixup-drs on mixed batches; by default all of the "
        "table"
    )
    define_names("rows", [], rows, **define)
    flags.DEFINE_boolean("found", False, "run nothing, show what is there", **define)
    flags.DEFINE_boolean("tune", False, "choose beta, lam, gamma first", **define)
    tuning = "the seed that --tune trains with, none of the table's"
    most = LARGEST_WHOLE - 2  # The teachers of an ensemble have the next two.
    flags.DEFINE_integer("tuning_seed", 1000, tuning, 0, most, **define)
    flags.DEFINE_string("results", "results", "folder of results", **define)
    runs = "folder of networks and checkpoints"
    flags.DEFINE_string("runs", "runs/table", runs, **define)
    figures = "draw the figures too: into OUT_figures, as PNG and SVG"
    flags.DEFINE_boolean("figures", False, figures, **define)
    out = "where the table goes, without .md or .html; default RUNS/tableN"
    flags.DEFINE_string("out", None, out, **define)


def make(chosen: flags.FlagValues, arguments: list[str]) -> str:
    """Run what a table is made of, or find it, and write the table.

    Args:
        chosen: The flags of the command.
        arguments: What else is on the command line: datasets, and flags of tasks.

    Returns:
        The table, as Markdown.

    Raises:
        UserError: If a flag does not fit, or the data, or a run.
    """
    sweep = _sweep(chosen, arguments)
    number = _number(chosen)
    name = f"table{number}" if number else chosen.table or _task(chosen)
    out = sweep.runs / name
    if chosen.out is not None:
        out = Path(read_path("out", chosen.out))
    # An hour of training is too late to find out that a folder cannot be.
    if not chosen.found:
        make_folder("results", sweep.results)
        make_folder("runs", sweep.runs)
    if not out.name:
        raise UserError(f"--out={chosen.out} is a folder: expected FOLDER/NAME")
    make_folder("out", out.parent)
    if chosen.found:
        return _made(chosen, sweep, sweep.found(), out)
    with sweep.devices():
        return _made(chosen, sweep, sweep.run(), out)


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


def _made(chosen, sweep, records, out):
    """Write the table, and draw."""
    columns = [_column(*pair) for pair in zip(sweep.datasets, records, strict=True)]
    printed = after2020.printed if chosen.table == after2020.NAME else None
    table = Table(_title(chosen), sweep.rows, columns, _number(chosen), printed)
    text = markdown(table)
    write(out.with_name(f"{out.name}.md"), text)
    write(out.with_name(f"{out.name}.html"), page(table))
    text += f"\nWritten to {out}.md and {out}.html"
    if chosen.figures:
        folder = out.with_name(f"{out.name}_figures")
        drawn = table_figures.draw_found(sweep, records, folder)
        if not chosen.found:
            drawn += table_figures.draw_trained(sweep, folder)
        text += f", and {len(drawn)} figures to {folder}"
    return text


def _sweep(chosen, arguments):
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
    )


def _path(flag, text):
    return Path(read_path(flag, text))


def _number(chosen):
    """The number of the paper's table; None for another one."""
    known = chosen.table not in (None, after2020.NAME)
    return int(chosen.table) if known else None


def _rows(chosen, datasets):
    if chosen.table == after2020.NAME:
        last = any(own.shared().protocol == "field" for own in datasets)
        of_table = after2020.rows(validated=not last)
    else:
        of_table = paper.rows(_number(chosen) or _OWN)
    rows = {row.name: row for row in of_table}
    if not chosen.rows:
        return [*rows.values()]
    found = [rows.get(name) or read_row(name) for name in chosen.rows]
    unknown = [name for name, row in zip(chosen.rows, found) if row is None]
    if unknown:
        raise UserError(
            f"--rows={','.join(unknown)}: expected a loss and a method, such as "
            "ce-erm, with what is done after it, such as ce-erm+crt or "
            "ce-erm+adjust=auto, on mixed batches, such as ce-mixup-drs, or of this "
            f"table {', '.join(rows)}"
        )
    _check_once("rows", [row.name for row in found])
    for row in found:
        parts = parts_of(row.loss, row.method)
        why = loss_refusal(*parts) or after_refusal(*parts, row.after)
        if why:
            raise UserError(f"--rows={row.name}: {why}")
    return found


def _check_once(what, found):
    twice = [item for item in found if found.count(item) > 1]
    if twice:
        raise UserError(f"{what}: {twice[0]} is named twice")


def _column(of: Entry, records: dict) -> Column:
    flags_of_it = of.settings(Row("ce", "erm"), 0).values
    label = published.dataset_label(of.task.name, flags_of_it)
    departures = published.departures(of.task, flags_of_it)
    return Column(of.label, records, label, departures)


def _title(chosen):
    if chosen.task:
        return f"Methods compared on {_task(chosen)}"
    if chosen.table == after2020.NAME:
        return after2020.TITLE
    return f"Table {chosen.table} of the paper, from runs of our own"


def _task(chosen):
    """The name alone: its flags may say where the data lies."""
    return chosen.task.split()[0]


if __name__ == "__main__":
    define_flags(flags.FLAGS)
    commands.main(
        lambda arguments: print(make(flags.FLAGS, arguments)),
        lambda: f"What is done stays. To go on:\n  {commands.again()}",
        known_only=True,  # Others are of the tasks.
    )
