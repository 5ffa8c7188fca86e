"""Of what a page is made: parts with sentences, tables, pictures and mistakes."""

import base64
import io
from collections.abc import Sequence
from typing import NamedTuple

import matplotlib
import matplotlib.figure


class Grid(NamedTuple):
    """A table of a page.

    Attributes:
        caption: What it shows.
        header: The names of its columns.
        rows: Rows of text, each of which begins with what it is of.
        marked: The beginning of a row that is shown in colour, or None.
    """

    caption: str
    header: Sequence[str]
    rows: Sequence[Sequence[str]]
    marked: str | None = None


class Figure(NamedTuple):
    """A picture: what stands above it, what it shows in words, where it is."""

    title: str
    alt: str
    source: str
    width: int
    height: int


class Mistake(NamedTuple):
    """A sample that was classified wrong: an image, or values, or neither."""

    title: str
    about: str
    source: str | None
    alt: str
    values: Sequence[tuple[str, str]]


class Part(NamedTuple):
    """A section of a page, from top to bottom.

    Attributes:
        anchor: Its name in links, other than those of other sections.
        title: Its heading.
        sentences: Paragraphs.
        grids: Tables.
        figures: Pictures, as `parts.drawn` makes them.
        mistakes: Samples that were classified wrong.
        notes: Paragraphs in small print.
        commands: Lines for a terminal, below the paragraphs.
    """

    anchor: str
    title: str
    sentences: Sequence[str] = ()
    grids: Sequence[Grid] = ()
    figures: Sequence[Figure] = ()
    mistakes: Sequence[Mistake] = ()
    notes: Sequence[str] = ()
    commands: Sequence[str] = ()


def drawn(title: str, alt: str, figure: matplotlib.figure.Figure) -> Figure:
    """A picture of a figure, as an SVG inside the page: the same bytes each time.

    Args:
        title: What stands above it.
        alt: What it shows, for who does not see it.
        figure: The figure.
    """
    file = io.StringIO()
    with matplotlib.rc_context({"svg.hashsalt": "m2m"}):
        figure.savefig(file, format="svg", metadata={"Date": None})
    width, height = (round(96 * inches) for inches in figure.get_size_inches())
    return Figure(title, alt, uri(file.getvalue().encode(), "svg+xml"), width, height)


def uri(image: bytes, kind: str) -> str:
    """An image as an address: in an `img` it runs no scripts.

    Example:

    >>> uri(b"", "png")
    'data:image/png;base64,'
    """
    return f"data:image/{kind};base64,{base64.b64encode(image).decode()}"
