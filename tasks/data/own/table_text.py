"""How a table is written as text: its encoding, delimiter, decimal mark and names."""

import csv
import gzip
import itertools
import re
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from tasks.data.own.class_names import listed
from tasks.experiment.errors import UserError

_READ = 2**18  # Bytes that are looked at.
_LINES = 100
_DELIMITERS = ",;\t|"
_MARKS = {b"\xef\xbb\xbf": "utf-8-sig", b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}
LABEL = "class"  # What the last column of a file without names is called.


class Form(NamedTuple):
    """How the text of a table is written.

    Attributes:
        encoding: Of the bytes.
        delimiter: Between values.
        decimal: `"."` or `","`.
        thousands: The other one where it stands between thousands, else None.
        names: Of the columns.
        skipped: Lines before the first row of values.
    """

    encoding: str
    delimiter: str
    decimal: str
    thousands: str | None
    names: list[str]
    skipped: int


def find_form(path: Path) -> Form:
    """See from its first lines how a table is written.

    Args:
        path: Of a text file, which may be packed by gzip. One that ends in `.dat` is of
            KEEL: no names, or lines that begin with `@` before the rows.

    Raises:
        UserError: If it is empty, is no text, or names no columns.
    """
    encoding, lines = _first_lines(path)
    is_keel = ".dat" in path.suffixes
    heads = list(itertools.takewhile(_is_head, lines)) if is_keel else []
    skipped, lines = len(heads), lines[len(heads) :]
    delimiter = _delimiter(lines)
    if lines and re.fullmatch("sep=.", lines[0].strip()):  # As Excel writes it.
        delimiter, lines, skipped = lines[0].strip()[-1], lines[1:], skipped + 1
    reader = csv.reader(lines, delimiter=delimiter)
    first = next(filter(None, reader), None)
    if first is None:
        raise UserError(f"{path} is empty: it holds no row")
    if is_keel:
        names = _keel_names(heads, len(first))
    else:
        names, skipped = _names(first, path), skipped + reader.line_num
    cells = [cell.strip() for row in [first, *reader] for cell in row]
    return Form(encoding, delimiter, *_marks(cells, delimiter), names, skipped)


def _is_head(line):
    return line.startswith("@") or not line.strip()


def _first_lines(path):
    opened = gzip.open if path.suffix.lower() == ".gz" else open
    with opened(path, "rb") as file:
        start = file.read(_READ)
    encoding = next((e for mark, e in _MARKS.items() if start.startswith(mark)), None)
    if encoding is None:
        if b"\0" in start:
            raise UserError(f"{path} is no text: it holds zero bytes")
        encoding = "utf-8"
    # What the last bytes are part of may go on.
    text = start.decode(encoding, errors="replace")
    lines = text.splitlines(keepends=True)
    if len(start) == _READ and len(lines) > 1:
        lines = lines[:-1]
    return encoding, lines[:_LINES]


def _delimiter(lines):
    """That which gives all lines as many cells, and the most."""
    best, most = ",", 1
    for delimiter in _DELIMITERS:
        try:
            rows = [row for row in csv.reader(lines, delimiter=delimiter) if row]
        except csv.Error:
            continue
        sizes = {len(row) for row in rows}
        if len(sizes) == 1 and max(sizes) > most:
            best, most = delimiter, max(sizes)
    if most == 1 and lines:
        # Uneven rows, which reading them will name.
        return max(_DELIMITERS, key=lines[0].count)
    return best


def _marks(cells, delimiter):
    """The marks of decimals and of thousands, None where there is none."""
    cells = [cell for cell in cells if re.fullmatch(r"[+-]?[\d.,]*[.,][\d.,]*", cell)]
    counts = {mark: _count_decimals(cells, mark) for mark in ",."}
    # What may be either, such as 1,234, is a number of thousands between commas.
    grouped = [cell for cell in cells if _grouped(",").fullmatch(cell)]
    either = not any(counts.values()) and len(grouped) == len(cells) > 0
    is_comma = counts[","] > counts["."] or (either and delimiter != ",")
    decimal, other = (",", ".") if is_comma else (".", ",")
    with_other = [cell for cell in cells if other in cell]
    pattern = _grouped(other, rf"({re.escape(decimal)}\d*)?")
    are_thousands = with_other and all(map(pattern.fullmatch, with_other))
    return decimal, (other if are_thousands else None)


def _count_decimals(cells, mark):
    """How many numbers have decimals after a mark, and cannot be read otherwise."""
    fraction = rf"{re.escape(mark)}\d+"
    plain = re.compile(rf"[+-]?\d*{fraction}")
    thousands = _grouped("." if mark == "," else ",", fraction)
    return sum(
        bool(plain.fullmatch(cell) or thousands.fullmatch(cell))
        and not _grouped(mark).fullmatch(cell)
        for cell in cells
    )


def _grouped(mark, rest=""):
    return re.compile(rf"[+-]?\d{{1,3}}({re.escape(mark)}\d{{3}})+{rest}")


def _names(cells, path):
    names = [cell.strip() for cell in cells]
    if all(_is_number(name) for name in names):
        raise UserError(
            f"{path} holds no names of columns: its first line is {listed(names)}. Put "
            "a line of names before it"
        )
    names = [name or f"column {i + 1}" for i, name in enumerate(names)]
    return _told_apart(names, path)


def _told_apart(names: Sequence[str], path) -> list[str]:
    """Names of which no two are the same."""
    found: dict[str, str] = {}
    for name in names:
        own, count = name, 1
        while own in found:
            own, count = f"{name}.{count}", count + 1
        found[own] = name
    twice = [own for own, name in found.items() if own != name]
    if twice:
        print(f"note: {path}: columns of one name are told apart: {listed(twice)}")
    return [*found]


def _is_number(text):
    try:
        float(text.replace(",", "."))
    except ValueError:
        return False
    return True


def _keel_names(heads, count):
    """Names by `@attribute` lines, or by number; the last is the label's."""
    pattern = re.compile(r"@attribute\s+('[^']*'|[^\s{]+)", re.IGNORECASE)
    found = [pattern.match(head) for head in heads]
    names = [match.group(1).strip("'") for match in found if match]
    if len(names) == count and len(set(names)) == count:
        return names
    return [*(f"x{i + 1}" for i in range(count - 1)), LABEL]
