"""What a column holds, and its values in a form that encoders take."""

import warnings

import numpy as np
import pandas
import skrub
from pandas.api import types
from pandas.tseries.api import guess_datetime_format

NUMBER, DATE, CATEGORY, TEXT, EMPTY = "number", "date", "category", "text", "empty"
# What stands for a missing value, beside NaN, None and NaT; KEEL writes the last one.
NULLS = {"", "?", "nan", "NaN", "None", "NA", "N/A", "null", "<NA>", "<null>"}
MISSING = "(missing)"
_NEARLY, _GUESSES = 0.9, 5
_LARGEST = 1e30  # No measurement is larger; and squares of these fit float64.


def kind_of(column: pandas.Series, most_categories: int) -> tuple[str, str | None]:
    """What a column holds.

    Args:
        column: Of any dtype. Text is a number, or a date, where all of it reads as one.
        most_categories: More distinct texts than that are text, not categories.

    Returns:
        `(kind, format)`: one of the constants of this module, and for dates that are
        text how they are written, as `strptime` has it; else None.

    Raises:
        ValueError: If it holds complex numbers.
    """
    if types.is_complex_dtype(column.dtype):
        raise ValueError(f"Column {column.name!r} holds complex numbers")
    if types.is_datetime64_any_dtype(column.dtype):
        return (DATE if column.notna().any() else EMPTY), None
    if _holds_numbers(column):
        return _number_or_empty(column), None
    texts = as_text(column)
    present = texts.dropna()
    if present.empty:
        return EMPTY, None
    distinct = pandas.Series(present.unique(), dtype=object, name=column.name)
    if pandas.to_numeric(distinct, errors="coerce").notna().all():
        return _number_or_empty(distinct), None
    form = _format_of(distinct)
    if form is not None:
        return DATE, form
    return (CATEGORY if len(distinct) <= most_categories else TEXT), None


def _holds_numbers(column):
    is_number = types.is_numeric_dtype(column.dtype)  # Booleans too.
    return is_number or types.is_timedelta64_dtype(column.dtype)


def _number_or_empty(column):
    return NUMBER if np.isfinite(numbers(column)).any() else EMPTY


def _format_of(texts):
    """How dates are written, or None if these are none."""
    try:
        form = skrub.ToDatetime().fit(texts).format_
    except ValueError:  # Which is how skrub says it.
        return None
    return form if _as_dates(texts, form).notna().all() else None


def numbers(column: pandas.Series) -> np.ndarray:
    """float64 values, NaN where there is no number that networks could compute with."""
    if types.is_timedelta64_dtype(column.dtype):
        column = column.dt.total_seconds()
    elif not _holds_numbers(column):
        # Booleans, which are numbers, are objects where one is missing.
        texts = as_text(column).replace({"True": "1", "False": "0"})
        column = pandas.to_numeric(texts, errors="coerce")
    values = column.to_numpy("float64", na_value=np.nan)
    return np.where(np.abs(values) <= _LARGEST, values, np.nan)


def dates(column: pandas.Series, form: str | None) -> pandas.Series:
    """Dates and times without a zone (UTC where there was one), NaT where missing."""
    if types.is_datetime64_any_dtype(column.dtype):
        zone = getattr(column.dt, "tz", None)
        return column if zone is None else column.dt.tz_convert(None)
    return _as_dates(as_text(column), form)


def unread(column: pandas.Series, kind: str, values: np.ndarray) -> pandas.Series:
    """The text of a column that was there, and is no number or date.

    Args:
        column: Of new rows.
        kind: What it held in those of `fit`: `NUMBER` or `DATE`.
        values: What was read of it, NaN where nothing was.
    """
    read = _holds_numbers if kind == NUMBER else types.is_datetime64_any_dtype
    if read(column) or not np.isnan(values).any():
        return column.iloc[:0]
    return as_text(column[np.isnan(values)]).dropna()


def misread(column: pandas.Series) -> tuple[str, list[str]] | None:
    """What a column of texts may have been meant to hold.

    Args:
        column: Texts.

    Returns:
        `NUMBER` or `DATE`, if nine of ten distinct texts read as such, and those that
        do not; or None.
    """
    distinct = pandas.Series(as_text(column).dropna().unique(), dtype=object)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # That it is the other order.
        forms = {
            guess_datetime_format(text, dayfirst=dayfirst)
            for text in distinct[:_GUESSES]
            for dayfirst in (False, True)
        }
    read = [(NUMBER, pandas.to_numeric(distinct, errors="coerce"))]
    read += [(DATE, _as_dates(distinct, form)) for form in sorted(forms - {None})]
    for kind, values in read:
        # A form that reads all of it, and that skrub does not know, is no mistake.
        if values.isna().any() and values.notna().mean() >= _NEARLY:
            return kind, distinct[values.isna()].tolist()
    return None


def _as_dates(texts, form):
    form = form or "ISO8601"
    found = pandas.to_datetime(texts, format=form, errors="coerce", utc=True)
    return found.dt.tz_localize(None)


def as_text(column: pandas.Series) -> pandas.Series:
    """Stripped text, NaN where there is none."""
    if types.infer_dtype(column, skipna=True) in ("string", "categorical"):
        # Each value once: there are far fewer than rows, in a long table.
        codes, values = pandas.factorize(column.astype(object), use_na_sentinel=False)
        texts = np.array([*map(_text, values), None], object)[codes]
    else:  # Where 1 and True are two values, and lists are values.
        texts = np.array([*map(_text, column), None], object)[:-1]
    return pandas.Series(texts, column.index, object, column.name)


def _text(value):
    text = str(value).strip()
    return None if text in NULLS or text == "NaT" else text


def categories(column: pandas.Series) -> np.ndarray:
    """Text, where a missing value is a category of its own."""
    return as_text(column).fillna(MISSING).to_numpy(object)
