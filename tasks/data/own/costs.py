"""What a user says of classes in a small CSV: costs of confusions, and frequencies."""

import csv
import math
import unicodedata
from collections.abc import Iterable
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from tasks.data.own.class_names import listed
from tasks.data.own.table_files import is_table
from tasks.data.own.table_text import find_form
from tasks.experiment.errors import UserError
from tasks.experiment.paths import check_is_file
from tasks.experiment.paths import read_path

_LONG = {"true", "predicted", "cost"}
_MOST_BYTES = 2**24


def read_costs(text: str, class_names: Sequence[str]) -> np.ndarray:
    """The costs of confusions from a file.

    Args:
        text: Its path. It holds a square, a line for each true class and a column for
            each predicted one, named in any order; or columns `true`, `predicted` and
            `cost`, a line for each pair. What is right costs 0 where no line says else.
        class_names: Those of the data.

    Returns:
        float64 `(num_classes, num_classes)`, indexed `[true, predicted]`.

    Raises:
        UserError: If the file cannot be read, or is not of these classes.
    """
    header, rows, number = _read("cost", text)
    what, names = f"--cost={text}", header[1:]
    if {name.lower() for name in header} == _LONG:
        return _of_pairs(header, rows, number, class_names, what)
    _check_names(names, class_names, f"{what}: its first line")
    _check_names([row[0] for row in rows], class_names, f"{what}: its first column")
    costs = np.empty((len(class_names),) * 2)
    for row in rows:
        if len(row) != len(header):
            raise UserError(
                f"{what}: the line of {row[0]!r} has {len(row)} values, and the first "
                f"{len(header)}"
            )
        for name, cell in zip(names, row[1:], strict=True):
            pair = class_names.index(row[0]), class_names.index(name)
            costs[pair] = number(cell, f"{what}: true {row[0]!r}, predicted {name!r}")
    return costs


def _of_pairs(header, rows, number, class_names, what):
    order = [name.lower() for name in header]
    costs = np.full((len(class_names),) * 2, np.nan)
    for row in rows:
        if len(row) != len(order):
            raise UserError(
                f"{what}: expected three values in the line {','.join(row)}"
            )
        named = dict(zip(order, row, strict=True))
        pair = []
        for key in ("true", "predicted"):
            if named[key] not in class_names:
                raise UserError(
                    f"{what}: {named[key]!r} is no class. The classes: "
                    f"{listed(class_names, 20)}"
                )
            pair.append(class_names.index(named[key]))
        where = f"true {named['true']!r}, predicted {named['predicted']!r}"
        if not math.isnan(costs[*pair]):
            raise UserError(f"{what}: {where} is there twice")
        costs[*pair] = number(named["cost"], f"{what}: {where}")
    right = np.diagonal(costs)
    np.fill_diagonal(costs, np.where(np.isnan(right), 0.0, right))
    missing = [f"{class_names[i]} as {class_names[j]}" for i, j in _unknown(costs)]
    if missing:
        raise UserError(f"{what} lacks the cost of {listed(missing)}")
    return costs


def _unknown(costs):
    return np.argwhere(np.isnan(costs))


def read_shares(text: str, class_names: Sequence[str]) -> np.ndarray:
    """Class frequencies where a model will be used.

    Args:
        text: The path of a CSV with columns `class` and `share`, or pairs such as
            `"cat:0.9,dog:0.1"`.
        class_names: Those of the data.

    Returns:
        float64 `(num_classes,)`, positive, of sum 1.

    Raises:
        UserError: If the file cannot be read, or shares are not such, of all classes.
    """
    what = f"--test_prior={text}"
    if is_table(Path(text)):
        header, rows, number = _read("test_prior", text)
        if [name.lower() for name in header] != ["class", "share"]:
            raise UserError(f"{what}: expected the columns class and share")
        pairs = [(row[0], row[1] if len(row) == 2 else "") for row in rows]
    else:
        parts = [part.rpartition(":") for part in text.split(",")]
        if any(not colon for _, colon, _ in parts):
            raise UserError(f"{what}: expected a CSV, or pairs such as cat:0.9,dog:0.1")
        pairs, number = [(name.strip(), share) for name, _, share in parts], _number()
    _check_names([name for name, _ in pairs], class_names, what)
    found = {name: number(share, f"{what}: {name!r}") for name, share in pairs}
    shares = np.array([found[name] for name in class_names])
    if shares.min() <= 0 or abs(shares.sum() - 1) > 0.01:
        raise UserError(
            f"{what}: shares must be positive, and their sum 1. Received: "
            f"{', '.join(f'{share:g}' for share in shares)}"
        )
    return shares / shares.sum()


def _read(flag, text):
    """The first line, the others, and what reads a number of them."""
    path = Path(read_path(flag, text))
    try:
        check_is_file(path)
        if path.stat().st_size > _MOST_BYTES:
            raise UserError(f"--{flag}={text} is larger than any such table")
        form = find_form(path)
        content = path.read_text(encoding=form.encoding)
    except UnicodeDecodeError:
        content = path.read_text(encoding="cp1252")
    except OSError as error:
        raise UserError(f"--{flag}={text} cannot be read: {error.strerror}") from error
    lines = content.splitlines()[form.skipped :]
    cells = csv.reader(lines, delimiter=form.delimiter, skipinitialspace=True)
    rows = [[*map(_name, row)] for row in cells if any(row)]
    return [*map(_name, form.names)], rows, _number(form.decimal, form.thousands or "")


def _name(cell):
    """As names of classes are: composed, so that one look is one text."""
    return unicodedata.normalize("NFC", cell.strip())


def _number(decimal: str = ".", thousands: str = ""):
    def read(cell, what):
        plain = cell.replace(thousands, "") if thousands else cell
        try:
            value = float(plain.replace(decimal, "."))
        except ValueError:
            value = math.nan
        if not math.isfinite(value):
            raise UserError(f"{what}: expected a finite number. Received: {cell!r}")
        return value

    return read


def _check_names(names: Iterable[str], class_names: Sequence[str], what: str):
    """Raise unless each class is named once, and nothing else."""
    names = [*names]
    twice = sorted({name for name in names if names.count(name) > 1})
    unknown = [name for name in names if name not in class_names]
    lacking = [name for name in class_names if name not in names]
    for found, said in ((unknown, "no classes"), (twice, "named twice")):
        if found:
            raise UserError(
                f"{what}: {listed(found)}: {said}. The classes: "
                f"{listed(class_names, 20)}"
            )
    if lacking:
        raise UserError(f"{what} lacks {listed(lacking)}")
