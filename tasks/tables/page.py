"""A table as one HTML file that needs no other."""

import base64
from pathlib import Path

import jinja2

from keras_m2m.report.page import TEMPLATES
from tasks.tables import figures
from tasks.tables import layout
from tasks.tables.model import Table

# The base, with its style, is the one of the library's reports.
_PAGES = jinja2.Environment(
    loader=jinja2.FileSystemLoader([Path(__file__).parent, TEMPLATES]),
    autoescape=True,
    trim_blocks=True,
    lstrip_blocks=True,
    undefined=jinja2.StrictUndefined,
)


def page(table: Table) -> str:
    """The page of a table: scores, tests, notes, pictures, provenance.

    Everything is inside, and nothing of it runs or is fetched.

    Args:
        table: The table. Its pictures are those of `figures.of_column`.

    Returns:
        HTML.

    Raises:
        UserError: If two records of a row are of the same seed.
    """
    pictures = [
        figure
        for column in table.columns
        for figure in figures.of_column(column.label, table.cells(column))
    ]
    return _PAGES.get_template("page.html").render(
        title=table.title,
        overview=layout.overview(table) if len(table.columns) > 1 else None,
        blocks=[layout.block(table, column) for column in table.columns],
        figures=[(title, alt, _data_uri(image)) for title, alt, image in pictures],
    )


def _data_uri(image):
    """An SVG as an address: in an `img` it runs no scripts and keeps its ids apart."""
    return f"data:image/svg+xml;base64,{base64.b64encode(image.encode()).decode()}"
