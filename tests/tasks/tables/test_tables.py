"""Tables of results beside the paper's, and as Markdown."""

import re
from dataclasses import replace

import pytest
from markdown_it import MarkdownIt

from helpers.made_results import by_loss_and_method
from helpers.made_results import failed
from helpers.made_results import record
from helpers.made_results import runs
from keras_m2m.recipes import After
from tasks.experiment.errors import UserError
from tasks.experiment.escaping import escape
from tasks.experiment.rows import Row
from tasks.tables import layout
from tasks.tables import paper
from tasks.tables.markdown import markdown
from tasks.tables.model import Column
from tasks.tables.model import Table

pytestmark = pytest.mark.no_backend


def column(*records, published="reuters", label="Reuters", departures=()):
    return Column(label, by_loss_and_method(records), published, departures)


def table2(*records, **changes):
    return Table("Table 2", paper.rows(2), [column(*records, **changes)], 2)


def ablations(number, **records):
    by_key = {("ce", method): runs for method, runs in records.items()}
    columns = [Column("CIFAR-LT-10", by_key, "cifar_lt_10 rho=100")]
    return Table(f"Table {number}", paper.rows(number), columns, number)


def block(table):
    return layout.block(table, table.columns[0])


def texts(table, label):
    """Texts of a row, by the names of the columns."""
    found = block(table)
    (row,) = (row for row in found.rows if row[0].text == label)
    return {name.text: cell.text for name, cell in zip(found.header, row)}


def has(notes, start):
    return [note for note in notes if note.startswith(start)]


def test_a_cell_is_mean_and_sample_deviation_beside_the_papers():
    # Mean 0.55; differences of 0.05 give a sample deviation of 0.05 * sqrt(2).
    shown = texts(table2(*runs([0.5, 0.6])), "M2m")
    assert shown["bACC"] == f"55.0 ± {100 * 0.05 * 2**0.5:.1f}"
    assert shown["bACC (paper)"] == "66.3 ± 0.42"
    assert shown["GM (paper)"] == "60.5 ± 0.52"
    assert shown["seeds"] == "2"


def test_one_seed_has_no_deviation():
    assert texts(table2(*runs([0.5])), "M2m")["bACC"] == "50.0"


def test_both_geometric_means_are_told_apart():
    shown = texts(table2(record([810, 810, 810, 0])), "M2m")
    assert (shown["GM"], shown["GM*"]) == (
        "0.0",
        f"{100 * 0.81**0.75 * 0.001**0.25:.1f}",
    )


def test_the_rate_of_acceptance_is_shown_where_there_is_one():
    table = table2(*runs([0.5], accepted=0.25), *runs([0.5], "drs"))
    assert texts(table, "M2m")["accepted"] == "25.0"
    assert texts(table, "DRS")["accepted"] == "—"


def test_the_best_mean_is_marked():
    table = table2(*runs([0.5], "erm"), *runs([0.6], "drs"), *runs([0.55]))
    marked = [row[0].text for row in block(table).rows if any(c.is_best for c in row)]
    assert marked == ["DRS"]


def test_rows_are_the_papers_in_its_order():
    labels = [row.label for row in paper.rows(2)]
    plain = ["ERM", "RS", "SMOTE", "RW", "CB-RW", "DRS", "M2m"]
    assert labels == [*plain, "Focal", "LDAM", "LDAM-DRW", "LDAM-M2m"]


@pytest.mark.parametrize(
    "number, printed",
    [
        (3, [*(f"{n} seeds a class" for n in (10, 50, 100, 200, 500)), "Full"]),
        (4, ["M2m (λ = 0)", "M2m-Clean", "ERM-RS", "M2m-RS", "M2m-RS-Rand", "M2m"]),
        (
            5,
            ["ERM-DRS", "M2m-Self", "M2m-No-Reject", "M2m (γ = 0)", "M2m"]
            + ["M2m-Ensemble"],
        ),
    ],
)
def test_rows_of_ablations_are_called_as_in_the_paper(number, printed):
    assert [row.label for row in paper.rows(number)] == printed


def test_another_loss_has_no_published_ablation():
    table = replace(ablations(4), rows=[Row("ldam", "m2m")])
    (cell,) = table.cells(table.columns[0])
    assert cell.published is None


def test_what_comes_after_a_method_is_not_what_the_paper_prints_of_it():
    adjusted = Row("ce", "erm", after=After(adjust="1"))
    records = {("ce", "erm"): runs([0.5], "erm"), adjusted.key: runs([0.6], "erm")}
    columns = [Column("Reuters", records, "reuters")]
    table = Table("Table 2", [Row("ce", "erm"), adjusted], columns, 2)
    plain, after = table.cells(columns[0])
    assert plain.published is not None
    assert after.published is None
    assert after.spread("balanced_accuracy").mean == pytest.approx(0.6)


def test_missing_cells_are_dashes_and_said():
    table = Table(
        "t", [Row("ce", "erm"), Row("ce", "rs")], [column(*runs([0.5], "erm"))]
    )
    assert texts(table, "RS")["bACC"] == "—"
    assert has(block(table).notes, "—: ") == ["—: no run of RS."]


def test_failed_runs_are_shown_beside_the_mean_of_the_others():
    table = table2(*runs([0.4, 0.5, 0.6]), failed(seed=3), failed(seed=4, why="NaN"))
    shown = texts(table, "M2m")
    assert (shown["bACC"], shown["seeds"]) == ("50.0 ± 10.0", "3; diverged 2 of 5")
    assert has(block(table).notes, "M2m diverged") == [
        "M2m diverged 2 of 5 times (seeds 3, 4): loss is not finite; NaN. "
        "The scores are of the other 3."
    ]


def test_a_row_whose_runs_all_failed_says_so():
    table = table2(failed(seed=0), *runs([0.5], "erm"))
    assert texts(table, "M2m")["bACC"] == "diverged 1 of 1"
    assert has(block(table).notes, "M2m diverged")[0].endswith("There are no scores.")


def test_a_method_that_is_tested_before_it_began_is_told():
    early, late = runs([0.4, 0.5])
    early = {**early, "tested_epoch": 9, "flags": {**early["flags"], "defer_epoch": 10}}
    late = {**late, "tested_epoch": 10, "flags": {**late["flags"], "defer_epoch": 10}}
    (told,) = has(block(table2(early, late)).notes, "M2m: the best validation epoch")
    assert told.endswith("(seeds 0).")


@pytest.mark.parametrize(
    "loss, method, rates, told",
    [
        ("ce", "m2m", [0.01, 0.03], ("M2m: 2.0 %", "DRS")),
        ("ldam", "m2m", [0.04], ("LDAM-M2m: 4.0 %", "LDAM-DRS")),
        ("ce", "m2m_rs", [0.0], ("M2m-RS: 0.0 %", "RS")),
        ("ce", "mixup-m2m", [0.0], ("mixup-M2m: 0.0 %", "mixup-DRS")),
        ("ce", "m2m", [0.04, 0.06], None),
        ("ce", "drs", [None], None),
    ],
)
def test_m2m_that_hardly_translates_is_told(loss, method, rates, told):
    found = [record([500] * 4, seed=i, accepted=rate) for i, rate in enumerate(rates)]
    of_it = Column("Reuters", {(loss, method): found})
    notes = block(Table("t", [Row(loss, method)], [of_it])).notes
    expected = told and [
        f"{told[0]} of translations were accepted, so that it hardly differs from "
        f"{told[1]}; see --step_size in the --help of the task."
    ]
    assert [note for note in notes if "hardly differs" in note] == (expected or [])


@pytest.mark.parametrize(
    "method, rate, told",
    [("m2m", 1.0, 1), ("m2m", 0.999, 0), ("m2m_no_threshold", 1.0, 0)],
)
def test_m2m_whose_translations_are_never_refused_is_told(method, rate, told):
    column = Column("Reuters", {("ce", method): [record([500] * 4, accepted=rate)]})
    notes = block(Table("t", [Row("ce", method)], [column])).notes
    assert len([note for note in notes if "try a shorter --step_size" in note]) == told


def test_steps_that_trainings_chose_are_listed_by_row():
    chosen = [
        {**record([500] * 4, seed=seed, flags={"step_size": "auto"}), "step_size": step}
        for seed, step in enumerate([0.5, 0.25, 0.5])
    ]
    given = {**record([500] * 4, loss="ldam"), "step_size": 1.0}
    column = Column("Reuters", {("ce", "m2m"): chosen, ("ldam", "m2m"): [given]})
    rows = [Row("ce", "m2m"), Row("ldam", "m2m")]
    found = dict(block(Table("t", rows, [column])).provenance)
    assert found["chosen step_size"] == "0.25, 0.5 of M2m"


def test_it_is_told_where_the_paper_has_no_values():
    table = table2(*runs([0.5]), published=None)
    assert "bACC (paper)" not in texts(table, "M2m")
    assert "The paper has no values on this dataset." in block(table).notes


def test_it_is_told_where_the_papers_protocol_is_another():
    table = table2(*runs([0.5]), departures=["epochs 3, not 15"])
    assert texts(table, "M2m")["bACC (paper)"] == "66.3 ± 0.42"
    (told,) = has(block(table).notes, "(paper) is of another protocol")
    assert told.endswith("Ours: epochs 3, not 15.")


def test_it_is_told_that_published_ablations_are_of_another_dataset():
    of_reuters = replace(ablations(5).columns[0], paper_dataset="reuters")
    table = replace(ablations(5), columns=[of_reuters])
    assert has(block(table).notes, "(paper) is on CIFAR-LT-10")
    assert not has(block(ablations(5)).notes, "(paper) is on CIFAR-LT-10")


def test_two_results_of_one_seed_are_refused():
    with pytest.raises(UserError, match="Reuters, M2m: more than one result of seed 0"):
        block(table2(*runs([0.5]), *runs([0.6])))


def test_m2m_is_compared_with_drs_drw_and_erm_of_its_loss():
    records = [
        run
        for loss, method in paper_recipes()
        for run in runs([0.5], method, loss=loss)
    ]
    compared = [test[0].text for test in block(table2(*records)).tests]
    assert compared == [
        "M2m − DRS",
        "M2m − ERM",
        "LDAM-M2m − LDAM-DRW",
        "LDAM-M2m − LDAM",
    ]


def paper_recipes():
    return [(row.loss, row.method) for row in paper.rows(2)]


def test_a_paired_test_is_written_in_points():
    records = [*runs([0.52, 0.63, 0.72]), *runs([0.5, 0.6, 0.7], "drs")]
    (test,) = block(table2(*records)).tests
    # Differences 2, 3, 2: mean 7/3, sd 1/sqrt(3), t(2) at 0.975 is 4.303.
    half = 4.303 / 3
    assert [cell.text for cell in test] == [
        "M2m − DRS",
        "+2.3",
        f"{3**-0.5:.1f}",
        f"+{7 / 3 - half:.1f} to +{7 / 3 + half:.1f}",
        "0.020",  # t = 7, of which 2 (1 - T(7)) = 1 - 7 / sqrt(51)
        "3",
        "more than noise",
    ]
    assert f"{1 - 7 / 51**0.5:.3f}" == "0.020"


def test_table_4_has_major_and_minor_accuracy():
    table = ablations(4, m2m=[record([900, 500, 600, 700])], m2m_clean=runs([0.5]))
    shown = texts(table, "M2m")
    assert (shown["major"], shown["minor"]) == ("90.0", "60.0")
    assert (shown["major (paper)"], shown["minor (paper)"]) == (
        "93.3 ± 0.85",
        "74.6 ± 0.34",
    )


def test_table_3_has_the_gap_to_all_seeds():
    table = ablations(3, m2m=runs([0.8]), m2m_pool10=runs([0.6]))
    shown = texts(table, "10 seeds a class")
    assert shown["Δ bACC"] == f"{100 * (0.6 - 0.8) / 0.8:.1f} %"
    # As the paper prints them.
    assert shown["Δ bACC (paper)"] == "-4.34 %"
    assert shown["Δ GM (paper)"] == "-5.27 %"


def test_ablations_are_compared_with_the_whole_method():
    table = ablations(5, m2m=runs([0.8]), m2m_self=runs([0.7]), drs=runs([0.6]))
    compared = [test[0].text for test in block(table).tests]
    assert compared == ["M2m − ERM-DRS", "M2m − M2m-Self"]


def test_the_papers_two_spreads_are_told_where_one_is_shown():
    table = ablations(5, m2m=runs([0.8]))
    assert has(block(table).notes, "The paper prints two spreads")
    assert not has(block(table2(*runs([0.5]))).notes, "The paper prints two spreads")


def test_provenance_tells_what_was_run():
    table = table2(*runs([0.5, 0.6]), *runs([0.5, 0.5], "drs", flags={"epochs": 20}))
    found = dict(block(table).provenance)
    assert found["data"] == "made up"
    assert found["training samples"] == "100 of 4 classes, 60 to 10 each"
    assert (found["backend"], found["protocol"]) == ("jax", "m2m")
    assert (found["seeds"], found["commit"]) == ("0, 1", "abc1234")
    assert found["versions"] == "keras 3.15.1"
    assert "batch_size 64" in found["hyper-parameters"]
    assert found["hyper-parameters of DRS"] == "epochs 20"
    assert found["hyper-parameters of M2m"] == "epochs 15"


def test_runs_that_should_be_alike_and_are_not_are_told():
    other = record([500] * 4, seed=1, backend="torch", flags={"beta": 0.99})
    notes = block(table2(*runs([0.5]), other)).notes
    expected = "These runs differ in more than the method: backend, beta between seeds"
    assert has(notes, expected) == [f"{expected} of M2m."]


def test_runs_on_other_data_of_the_same_name_are_told():
    made = [
        record([500] * 4, seed=seed, **{"checksum of the data": seed})
        for seed in (0, 1)
    ]
    assert has(block(table2(*made)).notes, "These runs differ") == [
        "These runs differ in more than the method: checksum of the data."
    ]


HOSTILE = [
    "a|b",
    "<script>x</script>",
    "$x$",
    "_c_ *d* `e` [f](g)",
    r"\|",
    "# h",
    "&lt;",
]


@pytest.mark.parametrize("name", HOSTILE)
def test_markdown_shows_names_as_they_are(name):
    row = Row("ce", "erm", name)
    table = Table(name, [row], [column(*runs([0.5], "erm"), label=name)])
    html = MarkdownIt("commonmark").enable("table").render(markdown(table))
    cells = re.findall(r"<t[dh][^>]*>(.*?)</t[dh]>", html)
    shown = name.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    assert f"<h2>{shown}</h2>" in html
    assert f"<h3>{shown}</h3>" in html
    assert cells[5:] == [shown, "<strong>50.0</strong>", "50.0", "50.0", "1"]


def test_a_name_of_several_lines_stays_in_its_cell():
    assert escape("a\nb") == "a b"


def test_several_datasets_have_an_overview():
    columns = [column(*runs([0.5]), label="one"), column(*runs([0.6]), label="two")]
    table = Table("t", [Row("ce", "m2m")], columns)
    text = markdown(table)
    line = next(line for line in text.splitlines() if line.startswith("| M2m"))
    assert re.findall(r"\d+\.\d", line) == ["50.0", "60.0"]
