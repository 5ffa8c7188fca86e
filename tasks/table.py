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

`--ray` trains on a Ray cluster, each where processors are free (docs/sweeps.md).

`--figures` draws the paper's: class sizes (Figure 3), features of four methods (4),
false positives (5) and for images translations (6), and beside these acceptance by pair
of classes and the recall gained over ERM. `--found` draws what results alone show:
false positives, acceptance and gain.

`--task` is for data of your own, and OUT.html is a report: which method to take and
whether its lead is more than noise, how far its probabilities can be trusted, and how
to decide by them for `--maximise=METRIC`, `--cost=costs.csv` or `--test_prior`. All of
that is chosen on validation; the test set confirms. By default it tries few networks
that are strong on tables, and what is no network and may be enough: `logistic`
regression, `boosted` trees, and a `probe`, logistic regression on the features of the
network of ERM. What each cell predicts is kept in `--runs`, and what
is advised in OUT_model, for `tasks.predict`. `--learning_curve` trains
the method that is advised on fewer samples too.
"""

from collections.abc import Sequence
from pathlib import Path

from absl import flags

from tasks.data.whole_files import make_folder
from tasks.data.whole_files import write
from tasks.experiment.errors import UserError
from tasks.experiment.paths import read_path
from tasks.experiment.rows import Row
from tasks.runs import cluster
from tasks.runs import commands
from tasks.runs import table_figures
from tasks.runs.sweep import Entry
from tasks.runs.sweep import Sweep
from tasks.tables import after2020
from tasks.tables import own_report
from tasks.tables import published
from tasks.tables.asked import sweep_of
from tasks.tables.asked import table_number
from tasks.tables.flags import define_flags
from tasks.tables.markdown import markdown
from tasks.tables.model import Column
from tasks.tables.model import Table
from tasks.tables.page import page


def make(chosen: flags.FlagValues, arguments: Sequence[str]) -> str:
    """Run what a table is made of, or find it, and write the table.

    Args:
        chosen: The flags of the command.
        arguments: What else is on the command line: datasets, and flags of tasks.

    Returns:
        The table, as Markdown; of a user's own data first what to do by the report.

    Raises:
        UserError: If a flag does not fit, or the data, or a run.
    """
    own_report.check_flags(chosen)
    cluster.check_flags(chosen)
    sweep = sweep_of(chosen, arguments)
    if chosen.out is not None:
        out = Path(read_path("out", chosen.out))
    elif chosen.task:
        (own,) = sweep.datasets
        out = sweep.runs / own.task.name_with_data(own.shared())
    else:
        number = table_number(chosen)
        out = sweep.runs / (f"table{number}" if number else chosen.table)
    # An hour of training is too late to find out that a folder cannot be.
    if not chosen.found:
        make_folder("results", sweep.results)
        make_folder("runs", sweep.runs)
    if not out.name:
        raise UserError(f"--out={chosen.out} is a folder: expected FOLDER/NAME")
    make_folder("out", out.parent)
    if chosen.found:
        return _made(chosen, sweep, sweep.found(), out)
    with sweep.devices(), cluster.connected(chosen) as workers:
        if chosen.task:  # The same is true of a file of costs.
            own_report.read_wishes(chosen, sweep.opened[0].data.class_names)
        return _made(chosen, sweep, sweep.run(workers), out)


def _made(chosen: flags.FlagValues, sweep: Sweep, records: list[dict], out: Path):
    """Write the table, and draw."""
    columns = [
        _column(of, by_row, {} if chosen.found else sweep.left_out(of))
        for of, by_row in zip(sweep.datasets, records, strict=True)
    ]
    printed = after2020.printed if chosen.table == after2020.NAME else None
    number = table_number(chosen)
    table = Table(_title(chosen), sweep.rows, columns, number, printed)
    text, shown = markdown(table), None
    if chosen.task:
        shown, above = own_report.make(chosen, sweep, table, out)
        text = above + text
    write(out.with_name(f"{out.name}.md"), text)
    write(out.with_name(f"{out.name}.html"), shown or page(table))
    text += f"\nWritten to {out}.md and {out}.html"
    if chosen.figures:
        folder = out.with_name(f"{out.name}_figures")
        drawn = table_figures.draw_found(sweep, records, folder)
        if not chosen.found:
            drawn += table_figures.draw_trained(sweep, folder)
        text += f", and {len(drawn)} figures to {folder}"
    return text


def _column(of: Entry, records: dict, left_out: dict) -> Column:
    flags_of_it = of.settings(Row("ce", "erm"), 0).values
    label = published.dataset_label(of.task.name, flags_of_it)
    departures = published.departures(of.task, flags_of_it)
    return Column(of.label, records, label, departures, left_out)


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
