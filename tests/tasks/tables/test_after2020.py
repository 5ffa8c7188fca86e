"""The table of methods after 2020: its rows, and what others print of them."""

import pytest

from helpers.made_results import runs
from keras_m2m.recipes.after import after_refusal
from keras_m2m.recipes.losses import loss_refusal
from tasks.experiment.recipes import parts_of
from tasks.experiment.rows import read_row
from tasks.tables import after2020
from tasks.tables import layout
from tasks.tables import published
from tasks.tables.model import Column
from tasks.tables.model import Table

pytestmark = pytest.mark.no_backend

CIFAR10, CIFAR100 = "cifar_lt_10 rho=100", "cifar_lt_100 rho=100"
ROWS = after2020.rows(validated=True)


def test_every_row_can_be_made():
    for row in ROWS:
        parts = parts_of(row.loss, row.method)
        assert after_refusal(*parts, row.after) is None, row
        assert loss_refusal(*parts) is None, row


def test_names_and_labels_are_unique():
    assert len({row.name for row in ROWS}) == len({row.label for row in ROWS})
    assert len({row.label for row in ROWS}) == len(ROWS)


def test_without_validation_nothing_is_chosen_on_it():
    names = {row.name for row in ROWS}
    left = {row.name for row in after2020.rows(validated=False)}
    assert names - left == {"ce-erm+adjust=auto", "ce-erm+tau_norm_auto"}


@pytest.mark.parametrize(
    "dataset, name, expected",
    [
        # Accuracies as they are printed, and 100 less the errors of BagofTricks-LT.
        (CIFAR10, "ce-erm+adjust", [77.32]),
        (CIFAR100, "ce-erm+adjust", [44.07]),
        (CIFAR10, "la-erm", [77.89, 100 - 22.46]),
        (CIFAR10, "ce-erm+crt", [100 - 25.01]),
        (CIFAR100, "ce-erm+lws", [100 - 59.84]),
        (CIFAR10, "ce-erm+tau_norm", [100 - 27.30]),
        (CIFAR100, "ce-remix-erm", [100 - 58.61]),
        (CIFAR10, "ce-m2m", [78.3, 76.15]),
        (CIFAR10, "ce-m2m+crt", []),
        ("reuters", "ce-m2m", [66.3]),
        (None, "ce-m2m", []),
    ],
)
def test_what_is_printed_elsewhere_stands_beside_a_row(dataset, name, expected):
    found = after2020.printed(dataset, read_row(name))
    assert [value.accuracy for value in found] == pytest.approx(expected)
    assert {value.source for value in found} <= published.SOURCES.keys()


@pytest.fixture(scope="module")
def block():
    rows = [read_row(name) for name in ("ce-erm", "ce-m2m", "ce-erm+adjust")]
    scores = [0.7, 0.71, 0.73], [0.78, 0.77, 0.79], [0.77, 0.78, 0.775]
    records = {row.key: runs(own, row.method) for row, own in zip(rows, scores)}
    column = Column("cifar_lt", records, CIFAR10)
    table = Table("after 2020", rows, [column], printed=after2020.printed)
    return layout.block(table, column)


def test_values_name_their_sources_by_numbers(block):
    place = [name.text for name in block.header].index("bACC (published)")
    assert [row[place].text for row in block.rows] == [
        "68.7 (1), 71.4 (2), 70.4 (3), 71.2 (4)",
        "78.3 (1), 76.2 (4)",
        "77.3 (2)",
    ]
    (note,) = (note for note in block.notes if note.startswith("(published)"))
    assert "(1) M2m's paper; (2) google-research/logit_adjustment" in note


def test_p_stands_beside_what_holm_makes_of_it(block):
    names = [name.text for name in block.tests_header]
    raw, corrected = names.index("p"), names.index("p by Holm")
    by_pair = {test[0].text: test for test in block.tests}
    close = by_pair["M2m − ERM + logit adjustment"]
    clear = by_pair["M2m − ERM"]
    # Of two tests the larger p stays, and the smaller one is doubled.
    assert close[raw].text == close[corrected].text
    double = 2 * float(clear[raw].text)
    assert float(clear[corrected].text) == pytest.approx(double, abs=2e-3)
