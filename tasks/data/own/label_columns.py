"""Which columns of a table hold photographs' names, their labels and their groups."""

import re
from typing import Any
from typing import NamedTuple

import numpy as np

from tasks.data.own.class_names import listed
from tasks.data.own.image_names import ImageNames
from tasks.data.own.split_names import split_column
from tasks.experiment.errors import UserError

_USUAL = (
    *("label", "labels", "target", "class", "class_name", "classname", "class_id", "y"),
    *("category", "dx", "diagnosis", "species", "breed", "grade", "level", "severity"),
)
_TRIED = 500  # Rows whose names are looked for, to know the column of names.
# What several photographs may be of. Those of one are alike.
_GROUP = re.compile(
    "(lesion|patient|subject|case|person|participant|individual|animal|slide|study|"
    "series|visit|family|location|site|camera|video|clip|sequence|seq|scene|burst|group)"
    "([ _-]?(id|number|no|code|name))?"
)


class Columns(NamedTuple):
    """Names of columns.

    Attributes:
        id: Of the one that names the photographs.
        labels: Of the one that holds the classes; or several, each of one class, that
            hold 1 in its rows and else 0.
        split: Of the one that says which split a row is of, or None.
    """

    id: str
    labels: list[str]
    split: str | None


def find_columns(
    frame: Any, names: ImageNames, asked_id: str | None, asked: str | None, path
) -> Columns:
    """See which column is which.

    Args:
        frame: The table, a pandas frame of texts.
        names: The photographs.
        asked_id: What `--id` says, or None.
        asked: What `--label` says, or None.
        path: The file, for messages.

    Raises:
        UserError: If it is not clear.
    """
    name = _id(frame, names, asked_id, path)
    split = split_column(frame)
    rest = [own for own in frame.columns if own not in (name, split)]
    return Columns(name, _labels(frame, rest, asked, path), split)


def _id(frame, names, asked, path):
    if asked is not None:
        if asked not in frame.columns:
            raise UserError(f"--id={asked}: {path} holds no such column. {_all(frame)}")
        return asked
    found = {name: _named(frame[name], names) for name in frame.columns}
    found = {name: rows for name, rows in found.items() if rows is not None}
    if not found:
        example = f", such as {names.paths[0].name!r}" if names.paths else ""
        raise UserError(
            f"{path}: no column names the images{example}, in most of its rows. Give "
            f"it by --id=NAME. {_all(frame)}"
        )
    first, *others = found
    if any(found[other] != found[first] for other in others):
        raise UserError(
            f"{path}: the columns {listed([*found])} may each name the images, and not "
            "the same ones. Give --id=NAME"
        )
    return first


def _named(column, names):
    """What some values of a column stand for, if most name a file of their own."""
    values = column.dropna().astype(str)
    values = values.iloc[:: max(1, len(values) // _TRIED)]
    rows = [names.rows(value) for value in values]
    own = {tuple(row) for row in rows if row}
    many = len(own) > len(rows) / 2
    return dict(zip(values.index, rows, strict=True)) if many else None


def _labels(frame, rest, asked, path):
    if asked is not None:
        several = [asked] if asked in rest else [n.strip() for n in asked.split(",")]
        lacking = [name for name in several if name not in rest]
        if lacking:
            raise UserError(
                f"--label={asked}: {path} holds no column {listed(lacking)} beside "
                f"the images' names. {_all(frame)}"
            )
        return several
    usual = [name for name in rest if name.lower() in _USUAL]
    if len(usual) == 1:
        return usual
    others = [name for name in rest if not is_group(name)]
    if not usual and len(others) == 1:
        return others
    if not usual:
        binary = [name for name in rest if are_marks(frame[name])]
        if len(binary) > 1:
            return binary
    found = f"{listed(usual)} may each be it" if usual else "none is called so"
    raise UserError(
        f"{path}: which column is the label? Give --label=NAME. Without it, the one "
        f"that is called {', '.join(_USUAL)}, and {found}. {_all(frame)}"
    )


def is_group(name: str) -> bool:
    """Whether a column is called as what several photographs may be of."""
    return bool(_GROUP.fullmatch(name.lower()))


def are_marks(column: Any) -> bool:
    """Whether a column holds 0 and 1 alone."""
    return bool(np.isin(numbers(column), (0, 1)).all())


def numbers(column: Any) -> np.ndarray:
    """float64 of a column of texts, NaN where one is no number."""
    from tasks.data.own.table_files import load_pandas

    if column.dtype.kind in "iufb":
        return column.to_numpy("float64", na_value=np.nan)
    text = column.astype(object).where(column.notna(), "")
    text = text.map(lambda value: str(value).strip().replace(",", "."))
    return load_pandas().to_numeric(text, errors="coerce").to_numpy("float64")


def _all(frame):
    return f"Its columns: {listed([*frame.columns], 20)}"
