"""The page of a table: whole, safe, and readable without sight."""

import base64
from html.parser import HTMLParser

import numpy as np
import pytest

from helpers.made_results import COUNTS
from helpers.made_results import NAMES
from helpers.made_results import by_loss_and_method
from helpers.made_results import failed
from helpers.made_results import record
from helpers.made_results import runs
from tasks.experiment.rows import Row
from tasks.tables import figures
from tasks.tables import paper
from tasks.tables.model import Column
from tasks.tables.model import Table
from tasks.tables.page import page

pytestmark = pytest.mark.no_backend

VOID = {"meta", "img", "br"}
HOSTILE = "<script>alert('x')</script> $x$ \"><img src=http://x.org/y>"


class Page(HTMLParser):
    """Elements with attributes and text; raises where tags do not close."""

    def __init__(self, text):
        super().__init__()
        self.elements, self._open = [], []
        self.feed(text)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag, attributes):
        self.elements.append([tag, dict(attributes), ""])
        if tag not in VOID:
            self._open.append(self.elements[-1])

    def handle_endtag(self, tag):
        assert self._open.pop()[0] == tag

    def handle_data(self, data):
        for element in self._open:
            element[2] += data

    def all(self, *tags):
        return [element for element in self.elements if element[0] in tags]

    def texts(self, *tags):
        return [text.strip() for _, _, text in self.all(*tags)]


def table(*records, number=2, label="Reuters", rows=None):
    published = "reuters" if number else None
    column = Column(label, by_loss_and_method(records), published)
    return Table("Table 2", rows or paper.rows(2), [column], number)


RECORDS = [*runs([0.5, 0.6, 0.7]), *runs([0.4, 0.6, 0.6], "drs"), failed(seed=3)]


@pytest.fixture(scope="module")
def shown():
    return Page(page(table(*RECORDS)))


def test_scores_tests_notes_and_provenance_are_there(shown):
    assert {"60.0 ± 10.0", "66.3 ± 0.42", "3; diverged 1 of 4"} <= {*shown.texts("td")}
    assert "M2m − DRS" in shown.texts("th")
    assert any(text.startswith("M2m diverged 1 of 4") for text in shown.texts("li"))
    assert "abc1234" in shown.texts("dd")


def test_headers_have_a_scope_and_tables_a_caption(shown):
    scopes = {attributes.get("scope") for _, attributes, _ in shown.all("th")}
    assert scopes == {"col", "row"}
    assert len(shown.all("caption")) == len(shown.all("table")) == 2


def test_published_numbers_are_told_apart(shown):
    marked = [text for _, a, text in shown.all("td") if a["class"] == "published"]
    assert "66.3 ± 0.42" in marked
    assert "60.0 ± 10.0" not in marked


def test_nothing_is_fetched_or_run(shown):
    links = [
        value
        for _, attributes, _ in shown.elements
        for name, value in attributes.items()
        if name in ("src", "href", "srcset", "action", "data")
    ]
    assert links
    assert all(link.startswith("data:image/") for link in links)
    assert shown.all("script", "link", "iframe") == []
    assert "url(" not in shown.texts("style")[0]
    assert "@import" not in shown.texts("style")[0]


def test_it_is_light_and_dark_and_fits_small_screens(shown):
    (style,) = shown.texts("style")
    assert "prefers-color-scheme: dark" in style
    assert "overflow-x: auto" in style
    assert any(a.get("name") == "viewport" for _, a, _ in shown.all("meta"))


def test_names_are_text_and_no_markup():
    rows = [Row("ce", "m2m", HOSTILE)]
    found = Page(page(table(*runs([0.5]), number=None, label=HOSTILE, rows=rows)))
    assert found.texts("h2")[0] == HOSTILE
    assert HOSTILE in found.texts("th")
    assert found.all("script") == []
    assert all(a["src"].startswith("data:") for _, a, _ in found.all("img"))


def test_own_data_has_its_winner_in_words():
    found = Page(page(table(*runs([0.5]), *runs([0.4], "erm"), number=None)))
    assert any(text.startswith("M2m has the best mean") for text in found.texts("p"))


def test_pictures_are_inside_with_their_words():
    made = table(*RECORDS)
    images = Page(page(made)).all("img")
    drawn = figures.of_column("Reuters", made.cells(made.columns[0]))
    assert [attributes["alt"] for _, attributes, _ in images] == [
        figure.alt for figure in drawn
    ]
    for figure, (_, attributes, _) in zip(drawn, images, strict=True):
        kind, _, content = attributes["src"].partition(",")
        assert kind == "data:image/svg+xml;base64"
        assert base64.b64decode(content).decode() == figure.image


def test_false_positives_are_drawn_for_any_number_of_seeds():
    rng = np.random.default_rng(0)
    confusions = [rng.multinomial(1000, [0.25] * 4, 4).tolist() for _ in range(5)]
    for seeds in (3, 5):
        made = table(
            *(
                record([500] * 4, seed=seed, confusion_matrix=confusions[seed])
                for seed in range(seeds)
            )
        )
        found = figures.of_column("Reuters", made.cells(made.columns[0]))
        assert len(found) == 2


def test_recall_and_false_positives_are_drawn():
    made = table(*RECORDS)
    found = figures.of_column("Reuters", made.cells(made.columns[0]))
    assert [figure.title for figure in found] == [
        "Reuters: recall by class, M2m",
        "Reuters: cumulative false positives",
    ]
    # Of 4000 test samples M2m gets 60 % right and DRS 53.3 %, the mean of the seeds.
    assert found[1].alt.endswith("In all: DRS 1867, M2m 1600.")


def test_runs_on_different_classes_are_not_drawn():
    other = runs([0.5], "erm", class_names=[*NAMES[:3], "d"], class_counts=COUNTS)
    made = table(*RECORDS, *other)
    assert figures.of_column("Reuters", made.cells(made.columns[0])) == []


def test_without_a_finished_run_nothing_is_drawn():
    assert Page(page(table(failed()))).all("img") == []
