"""The paper's values, and which runs stand beside them."""

from tasks.tables.published.protocol import dataset_label
from tasks.tables.published.protocol import departures
from tasks.tables.published.values import Published
from tasks.tables.published.values import ablation
from tasks.tables.published.values import result
from tasks.tables.published.values import rows

__all__ = [
    "Published",
    "ablation",
    "dataset_label",
    "departures",
    "result",
    "rows",
]
