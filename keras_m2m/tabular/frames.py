"""Whatever holds a table, as a pandas frame."""

from typing import Any

import numpy as np
import pandas


def as_frame(table: Any) -> pandas.DataFrame:
    """A table as a pandas frame with text for names.

    Args:
        table: A frame of pandas; or what has `to_pandas()`, as polars and pyarrow have;
            or an array or list of rows, whose columns are then called `x0`, `x1`, ...

    Returns:
        The frame; the same one where nothing is to be done.

    Raises:
        ValueError: If it has no two axes, or two columns have one name.
    """
    if hasattr(table, "to_pandas"):
        table = table.to_pandas()
    if not isinstance(table, pandas.DataFrame):
        return _of_rows(table)
    names = [str(name) for name in table.columns]
    if len(set(names)) < len(names):
        twice = sorted({name for name in names if names.count(name) > 1})
        raise ValueError(f"Columns must have names of their own. Received: {twice}")
    return table if names == list(table.columns) else table.set_axis(names, axis=1)


def _of_rows(rows):
    try:
        array = np.asarray(rows)
    except ValueError as error:
        raise ValueError(f"A table must have rows of one length: {error}") from error
    if array.ndim != 2:
        raise ValueError(
            f"A table must have rows and columns. Received: shape {array.shape}"
        )
    names = [f"x{i}" for i in range(array.shape[1])]
    # Object arrays hold numbers in some columns and text in others.
    return pandas.DataFrame(array, columns=names).infer_objects()
