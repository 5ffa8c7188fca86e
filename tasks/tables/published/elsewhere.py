"""What others than the paper print of methods after 2020, and of M2m."""

import csv
from functools import cache
from pathlib import Path
from typing import NamedTuple

SOURCES = {
    "paper": "M2m's paper",
    "Menon": "google-research/logit_adjustment, README, one run",
    "BagOfTricks": "zhangyongshun/BagofTricks-LT, documents/trick_gallery.md",
    "imbalanced-DL": "ntucllab/imbalanced-DL, example/README.md, best test epoch",
}


class Elsewhere(NamedTuple):
    """An accuracy on a balanced test set in percent, and a key of `SOURCES`."""

    accuracy: float
    source: str


def elsewhere(dataset: str, row: str) -> list[Elsewhere]:
    """What others print of a row.

    Args:
        dataset: As `results.csv` has it, such as `"cifar_lt_10 rho=100"`.
        row: As `Row.name` has it, such as `"ce-erm+crt"`.
    """
    return _values().get((dataset, row), [])


@cache
def _values():
    found = {}
    path = Path(__file__).with_name("after2020.csv")
    with open(path, newline="", encoding="utf-8") as file:
        for line in csv.DictReader(file):
            value = Elsewhere(float(line["accuracy"]), line["source"])
            found.setdefault((line["dataset"], line["row"]), []).append(value)
    return found
