"""The paper's values, and which runs stand beside them."""

from tasks.published.protocol import dataset_label
from tasks.published.protocol import departures
from tasks.published.values import Published
from tasks.published.values import ablation
from tasks.published.values import result
from tasks.published.values import rows
from tasks.published.values import variants

__all__ = [
    "Published",
    "ablation",
    "dataset_label",
    "departures",
    "result",
    "rows",
    "variants",
]
