"""The paper's values and those of others, and which runs stand beside them."""

from tasks.tables.published.elsewhere import SOURCES
from tasks.tables.published.elsewhere import Elsewhere
from tasks.tables.published.elsewhere import elsewhere
from tasks.tables.published.protocol import dataset_label
from tasks.tables.published.protocol import departures
from tasks.tables.published.values import Published
from tasks.tables.published.values import ablation
from tasks.tables.published.values import result
from tasks.tables.published.values import rows

__all__ = [
    "SOURCES",
    "Elsewhere",
    "Published",
    "ablation",
    "dataset_label",
    "departures",
    "elsewhere",
    "result",
    "rows",
]
