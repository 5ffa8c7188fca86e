"""Pages of every cell of every table of `docs/tables`, made of `results/`."""

import re
import shlex
import textwrap
from collections.abc import Iterator
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
from absl import flags
from tabulate import tabulate

from tasks import table
from tasks.experiment.escaping import escape
from tasks.experiment.rows import Row
from tasks.experiment.rows import read_row
from tasks.records import records
from tasks.runs import card
from tasks.runs.sweep import Entry
from tasks.runs.sweep import Sweep
from tasks.tables.asked import sweep_of
from tasks.tables.statistics import spread
from tasks.tables.winner import score

FOLDER = "gallery"
# Search has the tables; of each cell it would find the same words again.
_NOT_SEARCHED = "---\nsearch:\n  exclude: true\n---\n\n"
_OF_CARD = "Training", "Probabilities", "Limits", "Versions"
# Flags of the command that are not of what is run.
_PLACES = "--found", "--out=", "--datasets="
_HEADER = ["method", "bACC", "GM", "least recall", "seeds"]


class Cell(NamedTuple):
    """The runs of a row on a data set.

    Attributes:
        row: The row.
        runs: From files, relative to the repository, to the records in them.
    """

    row: Row
    runs: dict[str, dict]

    @property
    def finished(self) -> list[dict]:
        """The records that have scores."""
        return [record for record in self.runs.values() if "failed" not in record]

    @property
    def recalls(self) -> np.ndarray:
        """Fractions `(seeds, classes)`, NaN of classes that are not tested."""
        return np.array([one["per_class_recall"] for one in self.finished], float)


class Part(NamedTuple):
    """A table's part of one data set: a page.

    Attributes:
        name: Of the table, as its file in `docs/tables` is called.
        command: The flags of what makes the table.
        dataset: The data set.
        cells: Those that have runs.
    """

    name: str
    command: list[str]
    dataset: Entry
    cells: list[Cell]

    @property
    def uri(self) -> str:
        """The address of its page."""
        words = re.findall(r"\w+", self.dataset.label)
        return f"{FOLDER}/{self.name}/{'_'.join(words)}.md"


def pages(root: Path) -> dict[str, str]:
    """All pages, by their addresses.

    Args:
        root: The repository, which is the current folder too.
    """
    parts = [part for command in commands(root) for part in parts_of(root, command)]
    return {f"{FOLDER}/README.md": _index(parts), **{p.uri: page(p) for p in parts}}


def of_tables(known: Mapping[str, object]) -> dict[str, str]:
    """Where the cells of a table are, by the address of the table.

    Args:
        known: Addresses of pages.
    """
    names = {uri.split("/")[1] for uri in known if uri.count("/") == 2}
    return {
        f"tables/{name}.md": f"../{FOLDER}/README.md#{name}"
        for name in names
        if any(uri.startswith(f"{FOLDER}/{name}/") for uri in known)
    }


def commands(root: Path) -> list[list[str]]:
    """The commands that make the tables: their arguments."""
    text = (root / "docs" / "tables" / "README.md").read_text()
    found = re.findall(r"^python -m tasks\.table (.+)$", text, re.MULTILINE)
    return [shlex.split(one) for one in found]


def parts_of(root: Path, command: list[str]) -> Iterator[Part]:
    """The pages of a command's table.

    Args:
        root: The repository.
        command: The arguments of `tasks.table`.
    """
    values = flags.FlagValues()
    table.define_flags(values)
    rest = values(["tasks.table", *command], known_only=True)
    sweep = sweep_of(values, rest[1:])
    own = [
        word for word in command if word.partition("=")[0].removeprefix("--") in values
    ]
    shown = [word for word in own if not word.startswith(_PLACES)]
    for dataset in sweep.datasets:
        yield Part(Path(values.out).name, shown, dataset, _cells(root, sweep, dataset))


def _cells(root: Path, sweep: Sweep, dataset: Entry):
    found = {row.key: Cell(row, {}) for row in sweep.rows}
    for row, settings in sweep.settings(dataset, load=False):
        path, record = records.find_with_path(root / sweep.results, settings)
        if path is not None:
            found[row.key].runs[path.relative_to(root).as_posix()] = record
    return [cell for cell in found.values() if cell.runs]


def command_of(part: Part, cell: Cell) -> str:
    """What runs the cell again, and finds what of it is there.

    A row that `--rows` does not know, an ablation, is run with its table.
    """
    others = [word for word in part.command if not word.startswith("--rows=")]
    if read_row(cell.row.name):
        others.insert(1, f"--rows={cell.row.name}")
    backend = next(iter(cell.runs.values()))["backend"]
    line = shlex.join(["python", "-m", "tasks.table", *others, part.dataset.label])
    return f"KERAS_BACKEND={backend} {line}"


def _index(parts):
    """The page that leads to the others."""
    lines = [
        "# Gallery\n",
        "Every cell of [every table](../tables/README.md): the command that runs it, "
        "its seeds and their records, the recall of each class, and the fields of a "
        "model card. Records are files of the repository. Figures are of the test "
        "set, in percent, ± the sample standard deviation over seeds.\n",
        "A command finds what is there and runs the rest. What a data set needs beside "
        "it, such as `--data_dir=PATH`, goes into the quotes of its name.",
    ]
    last = None
    for part in parts:
        if part.name != last:
            lines.append(f"\n## {part.name}\n\n[The table](../tables/{part.name}.md)\n")
        last = part.name
        page = part.uri.removeprefix(f"{FOLDER}/")
        lines.append(
            f"- [{escape(part.dataset.label)}]({page}), {len(part.cells)} cells"
        )
    return "\n".join(lines) + "\n"


def page(part: Part) -> str:
    """The cells of a part: an overview, then each with all that is known of it."""
    rows = [_summary(cell) for cell in part.cells]
    return "\n\n".join(
        [
            f"{_NOT_SEARCHED}# Cells of {part.name}: {escape(part.dataset.label)}",
            f"[The table](../../tables/{part.name}.md) · [all tables](../README.md)",
            _grid(_HEADER, rows),
            *(_section(part, cell) for cell in part.cells),
            "",
        ]
    )


def _summary(cell):
    if not cell.finished:
        return [escape(cell.row.label), *["—"] * 3, _seeds(cell)]
    least = np.nanmin(cell.recalls, axis=1)
    return [
        escape(cell.row.label),
        _mean(cell, "balanced_accuracy"),
        _mean(cell, "geometric_mean"),
        score(spread(least)),
        _seeds(cell),
    ]


def _mean(cell, key):
    values = [record[key] for record in cell.finished if record[key] is not None]
    return score(spread(values)) if values else "—"


def _seeds(cell):
    return len(cell.runs)


def _section(part, cell):
    parts = [
        f"## {escape(cell.row.label)}",
        f"```bash\n{command_of(part, cell)}\n```",
        _grid(
            ["seed", "bACC", "GM", "epoch", "commit", "record"],
            [_run(file, record) for file, record in cell.runs.items()],
        ),
    ]
    if cell.finished:
        parts.append(_folded("Recall of each class", _by_class(cell)))
        first = cell.finished[0]
        title = f"Model card, seed {first['seed']}"
        parts.append(_folded(title, _card(first)))
    return "\n\n".join(parts)


def _run(file, record):
    if "failed" in record:
        about = [escape(record["failed"]), "—", "—"]
    else:
        both = record["balanced_accuracy"], record["geometric_mean"]
        scores = ["—" if value is None else f"{100 * value:.1f}" for value in both]
        about = [*scores, 1 + record["tested_epoch"]]
    return [record["seed"], *about, f"`{record['commit'][:7]}`", f"`{file}`"]


def _by_class(cell):
    first = cell.finished[0]
    rows = [
        [escape(name), count, score(spread(recall)) if len(recall) else "—"]
        for name, count, recall in zip(
            first["class_names"],
            first["class_counts"],
            [column[~np.isnan(column)] for column in cell.recalls.T],
            strict=True,
        )
    ]
    rows.sort(key=lambda row: -row[1])
    return _grid(["class", "trained on", "recall"], rows)


def _card(record):
    """The fields of Hugging Face's cards, and what else a card says in sentences."""
    _, front, body = card.card(record).split("---\n", 2)
    sections = re.split(r"^## ", body, flags=re.MULTILINE)[1:]
    by_title = {title: text for title, _, text in (s.partition("\n") for s in sections)}
    told = [f"**{title}**\n\n{by_title[title].strip()}" for title in _OF_CARD]
    return "\n\n".join([f"```yaml\n{front.strip()}\n```", *told])


def _folded(title, text):
    """A part that is shown on demand."""
    return f'??? note "{title}"\n\n' + textwrap.indent(text, "    ")


def _grid(header, rows):
    align = ["left", *["right"] * (len(header) - 1)]
    own = {"tablefmt": "pipe", "colalign": align, "disable_numparse": True}
    return tabulate(rows, header, **own)
