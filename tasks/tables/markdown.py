"""A table in Markdown, as GitHub reads it."""

from collections.abc import Sequence

from tabulate import tabulate

from tasks.experiment.escaping import escape
from tasks.tables import layout
from tasks.tables.layout import Text
from tasks.tables.model import Table


def markdown(table: Table) -> str:
    """A table with its tests, notes and provenance.

    Args:
        table: The table.

    Returns:
        Markdown that ends with a line break. Names are escaped.

    Raises:
        UserError: If two records of a row are of the same seed.
    """
    parts = [f"## {escape(table.title)}"]
    if len(table.columns) > 1:
        parts.append(_grid(*layout.overview(table)))
    for column in table.columns:
        parts += _block(layout.block(table, column))
    return "\n\n".join(parts) + "\n"


def _block(block):
    yield f"### {escape(block.title)}"
    yield _grid(block.header, block.rows)
    if block.sentences:
        yield _list(block.sentences)
    if block.tests:
        yield _grid(block.tests_header, block.tests)
        yield escape(block.about_tests)
    yield _list(block.notes)
    if block.provenance:
        yield _list([f"{name}: {text}" for name, text in block.provenance])


def _list(texts):
    return "\n".join(f"- {escape(text)}" for text in texts)


def _grid(header: Sequence[Text], rows: Sequence[Sequence[Text]]) -> str:
    align = ["left", *["right"] * (len(header) - 1)]
    return tabulate(
        [[_shown(cell) for cell in row] for row in rows],
        [_shown(cell) for cell in header],
        tablefmt="pipe",
        colalign=align,
        disable_numparse=True,
    )


def _shown(cell):
    text = escape(cell.text)
    if cell.is_best:
        return f"**{text}**"
    return f"*{text}*" if cell.is_published and text != layout.NONE else text
