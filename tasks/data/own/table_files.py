"""Files of tables, as frames: CSV and its kin, Parquet, and KEEL's."""

import warnings
from pathlib import Path
from typing import Any

from tasks.data.own import table_text
from tasks.data.own.image_walk import is_image
from tasks.data.own.memory import check_memory
from tasks.data.own.split_names import SPLITS
from tasks.experiment.errors import UserError
from tasks.experiment.paths import check_is_file

_TEXT = (".csv", ".tsv", ".dat")
_TABLES = (*_TEXT, *(f"{suffix}.gz" for suffix in _TEXT), ".parquet")
SUFFIXES = f"{', '.join(_TABLES[:-1])} or {_TABLES[-1]}"
# Bytes of memory for one of a file, measured on numbers and words.
_BYTES = {".gz": 20, ".parquet": 12, "": 5}
_NULLS = ["?", "<null>"]  # Beside those that pandas knows.


def is_table(path: Path) -> bool:
    """Whether a path is by its name a file of a table."""
    return path.name.lower().endswith(_TABLES)


def tables_of(folder: Path) -> dict[str, Path]:
    """The files of the splits in a folder, such as `train.csv` and `test.csv`.

    Returns:
        By split; nothing if the folder holds folders or images too, or no table for
        training.

    Raises:
        UserError: If two files are of one split.
    """
    entries = [path for path in sorted(folder.iterdir()) if path.name[0] != "."]
    others = [path for path in entries if not is_table(path)]
    if any(path.is_dir() or is_image(path.name) for path in others):
        return {}
    found: dict[str, Path] = {}
    for path in entries:
        split = SPLITS.get(path.name.lower().partition(".")[0])
        if split and is_table(path):
            if split in found:
                raise UserError(f"{folder} holds {found[split].name} and {path.name}")
            found[split] = path
    return found if "train" in found else {}


def read_table(path: Path, as_text: bool = False, rows: int | None = None) -> Any:
    """The rows of a file as a pandas frame.

    Args:
        path: Of a file that `is_table`.
        as_text: Whether values of a text stay as they are written, such as 007.
        rows: How many rows of a text to read at most; None for all.

    Raises:
        UserError: If it is too large for memory, damaged, or holds no rows.
    """
    pandas = load_pandas()
    try:
        check_is_file(path)
        size = path.stat().st_size
        factor = _BYTES.get(path.suffix.lower(), _BYTES[""])
        if rows is None:
            check_memory(factor * size, f"{path}", "Give fewer rows or columns")
        if path.suffix.lower() == ".parquet":
            frame = pandas.read_parquet(path)
            frame = frame.set_axis([str(name) for name in frame.columns], axis=1)
        else:
            frame = _read_text(path, pandas, as_text, rows)
    except UserError:
        raise
    except Exception as error:  # pandas and pyarrow raise many kinds.
        raise UserError(
            f"{path} is no table that can be read, or is damaged: {error}"
        ) from error
    if not len(frame):
        raise UserError(f"{path} is empty: it holds no row")
    return frame


def load_pandas() -> Any:
    """The module pandas, which only tables need.

    Raises:
        UserError: If it is not installed.
    """
    try:
        import pandas
    except ImportError as error:
        raise UserError(
            "Tables need more packages: pip install pandas pyarrow scikit-learn "
            "skops skrub"
        ) from error
    return pandas


def _read_text(path, pandas, as_text, rows):
    form = table_text.find_form(path)
    arguments = {
        "nrows": rows,
        "dtype": "str" if as_text else None,
        "sep": form.delimiter,
        "decimal": form.decimal,
        "thousands": form.thousands,
        "header": None,
        "names": form.names,
        "skiprows": form.skipped,
        "index_col": False,
        "skipinitialspace": True,
        "na_values": _NULLS,
        # A column of numbers in one part and words in another stays what is written.
        "low_memory": False,
    }
    with warnings.catch_warnings():
        # Rows that are longer than the first, whose values pandas would leave out.
        warnings.simplefilter("error", pandas.errors.ParserWarning)
        try:
            return pandas.read_csv(path, encoding=form.encoding, **arguments)
        except UnicodeDecodeError:
            print(f"note: {path} is no UTF-8: read as Windows-1252")
            return pandas.read_csv(path, encoding="cp1252", **arguments)
