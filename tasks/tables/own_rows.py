"""The rows of a table of a user's own data, where none are named."""

from tasks.experiment.recipes import REFERENCES
from tasks.experiment.rows import Row
from tasks.experiment.rows import read_row

# Few, and strong on the tables of docs/results/keel.md: four trainings, two rows that
# are made of the first, and what is no network and may be enough.
_ROWS = (
    *("ce-erm", "ce-erm+adjust", "ce-erm+crt", "ce-drs", "ce-mixup-drs", "ce-m2m"),
    *REFERENCES,
)


def rows() -> list[Row]:
    """The rows, in order."""
    return [read_row(name) for name in _ROWS]
