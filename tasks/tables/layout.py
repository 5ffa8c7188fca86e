"""The texts of a table, as Markdown and HTML write them alike."""

from dataclasses import dataclass
from typing import NamedTuple

from tasks.tables import notes
from tasks.tables import paper
from tasks.tables import provenance
from tasks.tables import statistics
from tasks.tables import winner
from tasks.tables.model import Cell
from tasks.tables.model import Column
from tasks.tables.model import Table
from tasks.tables.published import SOURCES

NONE = "—"


class Text(NamedTuple):
    """A cell's text, whether it is the paper's, and whether it is the best of ours."""

    text: str
    is_published: bool = False
    is_best: bool = False


@dataclass(frozen=True)
class Block:
    """A dataset's part of a table.

    Attributes:
        title: The dataset.
        header: Names of the columns.
        rows: A list of texts for each row, the row's label first.
        sentences: What follows from it, in plain words.
        tests_header: Names of the columns of `tests`.
        tests: Paired tests, a list of texts each.
        about_tests: What to know of them.
        notes: What is missing, failed or not alike.
        provenance: `(name, text)` of what was run.
    """

    title: str
    header: list[Text]
    rows: list[list[Text]]
    sentences: list[str]
    tests_header: list[Text]
    tests: list[list[Text]]
    about_tests: str
    notes: list[str]
    provenance: list[tuple[str, str]]


_DIFFERENCE = "difference of bACC", "points", "sd", "95 % interval"


def block(table: Table, column: Column) -> Block:
    """The part of a table that is of one dataset.

    Raises:
        UserError: If two records of a row are of the same seed.
    """
    cells = table.cells(column)
    tests, about_tests = _tests(table.number, cells)
    own_data = table.number is None
    return Block(
        title=column.label,
        header=_header(table.number, cells),
        rows=_rows(table.number, cells),
        sentences=winner.sentences(cells) if own_data else [],
        tests_header=_tests_header(own_data),
        tests=tests,
        about_tests=about_tests,
        notes=[*notes.of_column(table, column, cells), *_of_elsewhere(cells)],
        provenance=provenance.of_cells(cells),
    )


def overview(table: Table) -> tuple[list[Text], list[list[Text]]]:
    """Balanced accuracy on all datasets: a header, and texts by row."""
    by_column = [table.cells(column) for column in table.columns]
    best = [_best(cells) for cells in by_column]
    header = [Text("bACC"), *(Text(column.label) for column in table.columns)]
    rows = []
    for index, row in enumerate(table.rows):
        texts = [Text(row.label)]
        for cells, top in zip(by_column, best):
            cell = cells[index]
            texts.append(Text(_own(cell, paper.BACC), is_best=cell.row.key in top))
        rows.append(texts)
    return header, rows


def _header(number, cells):
    measures = paper.measures(number)
    names = [Text("method"), *(Text(measure.name) for measure in measures)]
    if _has_published(cells):
        names += [
            Text(f"{m.name} (paper)", is_published=True)
            for m in measures
            if m.paper_field
        ]
    if _sources(cells):
        names.append(Text("bACC (published)", is_published=True))
    names.append(Text("seeds"))
    return [*names, Text("accepted")] if _has_acceptance(cells) else names


def _rows(number, cells):
    measures, full = paper.measures(number), paper.whole(number, cells)
    best = _best(cells)
    rows = []
    for cell in cells:
        texts = [Text(cell.row.label)]
        for measure in measures:
            is_best = measure == paper.BACC and cell.row.key in best
            texts.append(Text(_own(cell, measure, full), is_best=is_best))
        if _has_published(cells):
            texts += [
                Text(_paper(cell, measure, full), is_published=True)
                for measure in measures
                if measure.paper_field
            ]
        if _sources(cells):
            texts.append(Text(_elsewhere(cell, _sources(cells)), is_published=True))
        texts.append(Text(_seeds(cell)))
        if _has_acceptance(cells):
            texts.append(Text(_percent(cell.spread("acceptance_rate"))))
        rows.append(texts)
    return rows


def _best(cells):
    """Keys of the rows with the best mean balanced accuracy."""
    means = {c.row.key: s.mean for c in cells if (s := c.spread(winner.SCORE))}
    top = max(means.values(), default=None)
    return {key for key, mean in means.items() if top - mean <= winner.EQUAL}


def _own(cell, measure, full=None):
    found = cell.spread(measure.score)
    if measure.is_gap:
        of_full = full and full.spread(measure.score)
        return _gap(found and found.mean, of_full and of_full.mean)
    if found is None and cell.failed and not cell.finished:
        return f"diverged {len(cell.failed)} of {cell.runs}"
    return _percent(found)


def _paper(cell, measure, full):
    value = cell.published and getattr(cell.published, measure.paper_field)
    if value is None:
        return NONE
    if measure.is_gap:
        whole = full and full.published
        return _gap(value, whole and getattr(whole, measure.paper_field), decimals=2)
    return f"{value:.1f} ± {getattr(cell.published, measure.paper_field + '_std'):.2f}"


def _sources(cells):
    """Keys of what is cited, in the order of their numbers."""
    cited = {value.source for cell in cells for value in cell.elsewhere}
    return [source for source in SOURCES if source in cited]


def _elsewhere(cell, sources):
    texts = (
        f"{v.accuracy:.1f} ({1 + sources.index(v.source)})" for v in cell.elsewhere
    )
    return ", ".join(texts) or NONE


def _of_elsewhere(cells):
    sources = _sources(cells)
    if sources:
        named = (f"({i}) {SOURCES[key]}" for i, key in enumerate(sources, 1))
        yield (
            "(published): balanced accuracy by protocols of others, which move it by "
            f"more than most methods do: {'; '.join(named)}."
        )


def _gap(value, whole, decimals=1):
    if value is None or not whole:
        return NONE
    return f"{100 * (value / whole - 1):+z.{decimals}f} %"


def _percent(found):
    return NONE if found is None else winner.score(found)


def _seeds(cell):
    if not cell.failed:
        return str(cell.runs) if cell.runs else NONE
    done = len(cell.finished)
    return f"{done}; diverged {len(cell.failed)} of {cell.runs}"


def _has_published(cells):
    return any(cell.published for cell in cells)


def _has_acceptance(cells):
    return any(cell.spread("acceptance_rate") for cell in cells)


def _tests_header(corrected):
    p = ("p", "p by Holm") if corrected else ("p",)
    return [Text(name) for name in (*_DIFFERENCE, *p, "seeds", "verdict")]


def _tests(number, cells):
    """Texts of the paired tests, and what to know of them."""
    if number is None:
        best, leads = winner.leads(cells)
        about = "By Holm's method it is corrected for the number of comparisons."
        tests = [
            _test(best, x.cell, x.comparison, x.verdict, _p_text(x.p)) for x in leads
        ]
    else:
        about = "p is not corrected for the number of comparisons."
        tests = []
        for first, second in paper.pairs(number, cells):
            found = _compare(first, second)
            tests.append(_test(first, second, found, found.verdict))
    about = (
        "Paired by seed: difference of balanced accuracy in points, its sample "
        "standard deviation, the 95 % confidence interval of its mean, and p of the "
        f"two-sided paired t-test. {about}"
    )
    return tests, about if tests else ""


def _compare(first: Cell, second: Cell) -> statistics.Comparison:
    return statistics.paired(first.by_seed(winner.SCORE), second.by_seed(winner.SCORE))


def _p_text(p):
    return NONE if p is None else winner.p_text(p).removeprefix("p ").removeprefix("= ")


def _test(
    first: Cell, second: Cell, found: statistics.Comparison, said, *corrected
) -> list[Text]:
    def points(value):
        return NONE if value is None else f"{100 * value:+.1f}"

    interval = f"{points(found.low)} to {points(found.high)}"
    shown = [
        f"{first.row.label} − {second.row.label}",
        points(found.difference),
        NONE if found.sd is None else f"{100 * found.sd:.1f}",
        NONE if found.low is None else interval,
        _p_text(found.p),
        *corrected,
        str(found.n),
        said,
    ]
    return [Text(text) for text in shown]
