"""A table of results: rows of methods, a column for each dataset."""

from collections.abc import Callable
from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import field

from tasks.experiment.errors import UserError
from tasks.experiment.rows import Row
from tasks.tables import published
from tasks.tables.published import Elsewhere
from tasks.tables.published import Published
from tasks.tables.statistics import Spread
from tasks.tables.statistics import spread


@dataclass(frozen=True)
class Column:
    """The results on one dataset.

    Attributes:
        label: What it is called.
        records: By `Row.key`, a record for each run, finished or failed.
        paper_dataset: The dataset as `published/results.csv` has it, or None.
        departures: Where the protocol is not the paper's, as `published.departures`
            says.
        left_out: Why rows were not run, by `Row.key`.
    """

    label: str
    records: Mapping[tuple[str, str], Sequence[dict]]
    paper_dataset: str | None = None
    departures: Sequence[str] = ()
    left_out: Mapping[tuple[str, ...], str] = field(default_factory=dict)


@dataclass(frozen=True)
class Table:
    """Results in the form of one of the paper's tables, or of none.

    Attributes:
        title: What stands above it.
        rows: In order.
        columns: In order.
        number: The paper's table, 1 to 6, or None for none of them.
        printed: Function from the paper's name of a dataset, or None, and a row to what
            is printed of it elsewhere; None where nothing stands beside the runs.
    """

    title: str
    rows: Sequence[Row]
    columns: Sequence[Column]
    number: int | None = None
    printed: Callable[[str | None, Row], Sequence[Elsewhere]] | None = None

    def cells(self, column: Column) -> list["Cell"]:
        """The cell of each row in a column.

        Raises:
            UserError: If two records of a row are of the same seed.
        """
        return [_cell(self, column, row) for row in self.rows]


@dataclass(frozen=True)
class Cell:
    """The runs of a row on a dataset.

    Attributes:
        row: The row.
        finished: Records with scores.
        failed: Records without, whose `"failed"` says why.
        published: What the paper prints there, or None.
        elsewhere: What is printed of it elsewhere.
    """

    row: Row
    finished: Sequence[dict] = field(default_factory=list)
    failed: Sequence[dict] = field(default_factory=list)
    published: Published | None = None
    elsewhere: Sequence[Elsewhere] = ()

    @property
    def runs(self) -> int:
        return len(self.finished) + len(self.failed)

    def by_seed(self, score: str) -> dict[int, float]:
        """A score of the finished runs by seed, a fraction."""
        found = {record["seed"]: record.get(score) for record in self.finished}
        return {seed: value for seed, value in found.items() if value is not None}

    def spread(self, score: str) -> Spread | None:
        """Mean and spread of a score, fractions, or None without any."""
        return spread([*self.by_seed(score).values()])


def _cell(table, column, row):
    records = column.records.get(row.key, ())
    seeds = [record["seed"] for record in records]
    twice = sorted({seed for seed in seeds if seeds.count(seed) > 1})
    if twice:
        raise UserError(
            f"{column.label}, {row.label}: more than one result of seed "
            f"{', '.join(map(str, twice))}. Keep one of each seed"
        )
    failed = [record for record in records if "failed" in record]
    finished = [record for record in records if "failed" not in record]
    printed = table.printed(column.paper_dataset, row) if table.printed else ()
    return Cell(row, finished, failed, _published(table, column, row), printed)


def _published(table, column, row):
    if column.paper_dataset is None or table.number is None or row.after:
        return None
    return published.ablation(table.number, *row.key) or published.result(
        table.number, column.paper_dataset, *row.key
    )
