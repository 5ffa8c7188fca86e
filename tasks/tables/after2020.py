"""The table of methods after 2020, each alone and each with M2m."""

from tasks.experiment.rows import Row
from tasks.experiment.rows import read_row
from tasks.tables import published
from tasks.tables.published import Elsewhere

NAME = "after2020"
TITLE = "Methods after 2020, alone and with M2m, from runs of our own"
_ROWS = (
    # Balancing, as the paper compares it.
    *("ce-erm", "ce-rs", "ce-rw", "ce-drs", "ldam-drw"),
    # Losses.
    *("la-erm", "vs-erm", "las-erm"),
    # After plain training.
    *("ce-erm+adjust", "ce-erm+adjust=auto", "ce-erm+tau_norm", "ce-erm+tau_norm_auto"),
    *("ce-erm+crt", "ce-erm+lws", "ce-erm+ncm"),
    # Mixing.
    *("ce-mixup-erm", "ce-mixup-drs", "ce-remix-drs"),
    # M2m, and what goes with it: its batches leave no prior to adjust.
    *("ce-m2m", "la-m2m", "ce-m2m+tau_norm", "ce-m2m+crt", "ce-m2m+lws", "ce-m2m+ncm"),
    *("ce-mixup-m2m", "ce-remix-m2m"),
)


def rows(validated: bool) -> list[Row]:
    """The rows of the table, in order.

    Args:
        validated: Whether there are rows of which something is chosen on validation.
    """
    found = [read_row(name) for name in _ROWS]
    return [row for row in found if validated or not row.after.needs_validation]


def printed(dataset: str | None, row: Row) -> list[Elsewhere]:
    """What the paper and others print of a row, on whatever protocol.

    Args:
        dataset: As `published/results.csv` has it, or None.
        row: The row.
    """
    if dataset is None:
        return []
    found = published.elsewhere(dataset, row.name)
    of_paper = [
        value
        for number in (1, 2, 6)
        if not row.after
        and (value := published.result(number, dataset, row.loss, row.method))
    ]
    return [*(Elsewhere(value.bacc, "paper") for value in of_paper), *found]
