"""The page of a report: one file, for all readers, that says what it says."""

import io
import itertools
import re

import matplotlib.figure
import matplotlib.image
import numpy as np
import pytest

from helpers import decisions_oracle
from helpers.pages import Page
from keras_m2m import plots
from keras_m2m.report import Held
from keras_m2m.report import Part
from keras_m2m.report import report

pytestmark = pytest.mark.no_backend
NAMES = ["many", "<b>some</b> & more", "few"]


def made(**options):
    methods = []
    for name, strength, kind, seconds in [
        ("logistic", 2, "reference", 0.1),
        ("m2m", 4, "network", 60),
    ]:
        y, p = decisions_oracle.made(400, [0.6, 0.3, 0.1], strength)
        methods.append(Held(name, y, p, y, p, kind=kind, seconds=seconds))
    return report(methods, NAMES, [600, 300, 100], **options).html


def image(row):
    file = io.BytesIO()
    matplotlib.image.imsave(file, np.full((8, 8, 3), row % 5 / 5), format="png")
    return file.getvalue()


@pytest.fixture(scope="module")
def source():
    curve = {0.5: [0.9, 0.4, 0.1], 1.0: [0.95, 0.5, 0.4]}
    return made(samples=image, learning_curve=curve, title="My <data>")


@pytest.fixture(scope="module")
def page(source):
    return Page(source)


def test_headings_are_in_order(page):
    levels = [level for level, _ in page.headings]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in itertools.pairwise(levels))
    assert page.headings[0] == (1, "My <data>")
    assert page.headings[1] == (2, "What to do")


def test_all_images_say_what_they_show(page):
    assert len(page.images) > 2
    assert all(len(alt) > 10 for alt in page.images)


def test_every_table_has_a_caption_and_headers_with_a_scope(page):
    assert page.tables == page.captions > 5
    assert set(page.scopes) == {"col", "row"}


def test_wide_tables_scroll_and_can_be_reached_by_keys(page):
    assert len(page.regions) == page.tables
    assert all(one["tabindex"] == "0" and one["aria-label"] for one in page.regions)


def test_it_needs_no_other_file_and_runs_nothing(source, page):
    assert "default-src 'none'" in source
    assert not re.findall(r'(?:src|href)="(?!data:)', source)
    assert "script" not in page.tags


def test_tags_are_closed_in_order(page):
    assert page.open == []


def test_names_are_text(source):
    assert "<b>some</b>" not in source
    assert "&lt;b&gt;some&lt;/b&gt; &amp; more" in source


def test_names_of_links_are_unique(page):
    assert len(set(page.ids)) == len(page.ids) > 5


def test_it_is_the_same_each_time(source):
    curve = {0.5: [0.9, 0.4, 0.1], 1.0: [0.95, 0.5, 0.4]}
    again = made(samples=image, learning_curve=curve, title="My <data>")
    assert again == source


def test_the_learning_curve_says_where_samples_help(source):
    # (17/42 - 5/42) of 40 samples, a success and a failure added.
    assert "The last step gained most for few: 30.0 ± 17.8 points of recall" in source
    assert "help where recall still rises" in source
    curve = {0.5: [0.9, 0.4, 0.3], 1.0: [0.9, 0.4, 0.4]}
    within = made(samples=image, learning_curve=curve)
    assert "That is within noise: more samples are not sure to help." in within


def test_samples_may_be_values_or_text():
    values = made(samples=lambda row: {"height": row, "<i>": "<script>"})
    assert "<dt>height</dt>" in values
    assert "&lt;script&gt;" in values
    assert "<dd>so it reads</dd>" in made(samples=lambda row: "so it reads")


def test_values_may_hold_an_image(source):
    both = made(samples=lambda row: {"file": "a.png", "picture": image(row)})
    assert "<dt>file</dt><dd>a.png</dd>" in both
    assert "picture" not in both
    assert both.count("data:image/png") == source.count("data:image/png") > 0


def test_the_surest_mistakes_are_shown_first():
    y = np.repeat([0, 1, 2], [6, 3, 3])
    p = np.full((12, 3), 0.1) + 0.7 * np.eye(3)[y]
    p[7], p[9] = [0.9, 0.05, 0.05], [0.6, 0.1, 0.3]
    one = Held("logistic", y, p, y, p)
    html = report([one], ["a", "b", "c"], [6, 3, 3], maximise="accuracy").html
    assert re.findall(r"Test sample (\d+)\.", html) == ["7", "9"]
    assert "Probability of a 90.0 %, of b 5.0 %" in html


def test_counts_of_decisions_are_those_of_the_test():
    y = np.repeat([0, 1], [30, 20])
    p = np.where(y[:, None] == [0, 1], 0.9, 0.1)
    p[:4] = p[:4, ::-1]
    html = report([Held("logistic", y, p, y, p)], ["a", "b"], [30, 20]).html
    rows = re.findall(
        r'row">([ab])</th>\s*<td>(\d+)</td>\s*<td>(\d+)</td>\s*</tr>', html
    )
    assert rows[-2:] == [("a", "26", "4"), ("b", "0", "20")]


def test_precision_is_for_the_frequencies_that_were_asked_for():
    """By Bayes' rule, of the rates at which each class is taken for a class."""
    y = np.repeat([0, 1], [80, 20])
    p = np.full((100, 2), [0.9, 0.1])
    p[72:92] = [0.1, 0.9]  # 8 of 80 are wrong, 12 of 20 right.
    held = [Held("one", y, p, y, p, kind="reference")]
    for prior, expected in ((None, 12 / 20), ([0.5, 0.5], 0.6 / (0.6 + 0.1))):
        found = report(held, ["a", "b"], [80, 20], test_prior=prior)
        np.testing.assert_array_equal(found.advice.decide(p), p.argmax(axis=1))
        row = re.search(r">b</th>(.*?)</tr>", found.html, re.DOTALL)[1]
        assert f"{100 * expected:.1f} (" in row


def test_the_reliability_diagram_leaves_out_bins_of_few_samples(monkeypatch):
    drawn = {}

    def reliability(curves):
        drawn.update(curves)
        return matplotlib.figure.Figure()

    monkeypatch.setattr(plots, "reliability", reliability)
    made()
    for _, _, samples in drawn.values():
        assert samples.min() >= 10


def test_it_is_saved(tmp_path):
    y, p = decisions_oracle.made(50, [0.5, 0.5])
    found = report([Held("é", y, p, y, p)], ["a", "b"], [25, 25])
    path = found.save(tmp_path / "report.html")
    assert path.read_text("utf-8") == found.html


def of_three(**options):
    """A report of classes that are named from the rarest to the most frequent."""
    y, p = decisions_oracle.made(400, [0.1, 0.3, 0.6], 1)
    held = [Held("logistic", y, p, y, p, kind="reference")]
    names, counts = ["rare", "some", "frequent"], [100, 300, 600]
    return report(held, names, counts, **options).html


@pytest.mark.parametrize("options", [{}, {"costs": [[0, 9, 9], [1, 0, 1], [1, 2, 0]]}])
def test_classes_are_from_the_most_frequent_in_all_tables(options):
    source = of_three(test_prior=[1, 1, 1], **options)
    captions = re.findall(r"<caption><span>(.*?)</span>", source)
    tables = re.findall(r"<tbody>(.*?)</tbody>", source, re.DOTALL)
    order = ["frequent", "some", "rare"]
    seen = 0
    for caption, table in zip(captions, tables, strict=True):
        rows = re.findall(r'<th scope="row">(.*?)</th>', table)
        if set(rows) <= set(order):
            assert rows == order, caption
            seen += 1
    assert seen >= 3  # Recalls, decisions, frequencies.
    squares = re.findall(r'true class</th>\s*<th scope="col">(\w+)', source)
    assert squares
    assert set(squares) == {"frequent"}


def test_the_costs_that_were_given_are_shown():
    source = of_three(costs=[[0, 9.5, 9], [1, 0, 1], [1234.5, 2, 0]])
    (table,) = re.findall(
        r"<span>Costs that were given.*?<tbody>(.*?)</tbody>", source, re.DOTALL
    )
    cells = re.findall(r"<td>(.*?)</td>", table)
    # Rows and columns from the most frequent class, which is given last.
    assert cells == ["0", "2", "1,234.5", "1", "0", "1", "9", "9.5", "0"]


def test_of_many_classes_the_dearest_costs_are_shown():
    size = 13
    y, p = decisions_oracle.made(130, np.full(size, 1 / size), 3)
    costs = 1.0 - np.eye(size)
    costs[4, 2] = 70
    held = [Held("logistic", y, p, y, p, kind="reference")]
    names = [f"class {k}" for k in range(size)]
    source = report(held, names, np.full(size, 10), costs=costs).html
    (table,) = re.findall(
        r"<span>The dearest of the 169 costs.*?<tbody>(.*?)</tbody>", source, re.DOTALL
    )
    first, *others = re.findall(r"<tr>(.*?)</tr>", table, re.DOTALL)
    assert re.findall(r">([^<\n]+)</t", first) == ["class 4", "class 2", "70"]
    assert len(others) == 11


def test_sections_of_the_advice_stand_right_below_it():
    def first(advice):
        said = [f"For {advice.method}:"]
        return [Part("use", "How", said, commands=["run --it <now>"])]

    source = made(first=first)
    start = source.index("What to do"), source.index("The methods")
    assert start[0] < source.index("For m2m:") < start[1]
    assert "<pre><code>run --it &lt;now&gt;</code></pre>" in source
