"""KEEL's tables: files, folds, and features that are made of training folds alone."""

import re
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas
from sklearn.model_selection import StratifiedKFold

from keras_m2m.tabular import TablePreprocessor
from tasks.data.own.table_files import read_table

FOLDS = 5
LABELS = ("negative", "positive")
# Several tables are made of classes of one data set, whose name comes first.
_FAMILY = re.compile("winequality-[a-z]+|kr-vs-k|new-thyroid|page-blocks|[a-z]+")


class Table(NamedTuple):
    """A table in memory.

    Attributes:
        name: Its file's, without the ending.
        columns: All but the label.
        y: 1 for `positive`, 0 for `negative`, int64 `(n,)`.
    """

    name: str
    columns: pandas.DataFrame
    y: np.ndarray


class Features(NamedTuple):
    """What networks see of a fold.

    Attributes:
        x: Training samples, float32 `(n, num_features)`.
        x_test: Test samples.
        units: Of translations, float32 `(num_features,)`: 0 for what stays.
        words: How many columns of the table are categories.
    """

    x: np.ndarray
    x_test: np.ndarray
    units: np.ndarray
    words: int


def family(name: str) -> str:
    """The data set that a table of this name was made of, such as `"ecoli"`."""
    return _FAMILY.match(name)[0]


def read(path: Path) -> Table:
    """A table whose last column is the label.

    Raises:
        UserError: If the file is damaged.
        ValueError: If a label is neither `positive` nor `negative`.
    """
    frame = read_table(path)
    labels = frame.iloc[:, -1].astype(str).str.strip().to_numpy(str)
    strange = set(labels.tolist()) - set(LABELS)
    if strange:
        raise ValueError(
            f"{path}: the last value must be one of {LABELS}. Received: {strange}"
        )
    return Table(path.stem, frame.iloc[:, :-1], (labels == LABELS[1]).astype("int64"))


def folds(table: Table, seed: int = 0) -> list[tuple[np.ndarray, np.ndarray]]:
    """Rows of training and of test, for each of five stratified folds."""
    splitter = StratifiedKFold(FOLDS, shuffle=True, random_state=seed)
    return list(splitter.split(table.y, table.y))


def features(table: Table, train: np.ndarray, test: np.ndarray) -> Features:
    """Features of both parts of a fold, made by what the training part says.

    Units are those of `tasks.folder`: categories and numbers of two values stay, unless
    there is nothing else.
    """
    preprocessor = TablePreprocessor().fit(table.columns.iloc[train])
    x, x_test = (
        preprocessor.transform(table.columns.iloc[rows]) for rows in (train, test)
    )
    units = preprocessor.units_
    if not units.any():
        units = np.ones_like(units)
    words = list(preprocessor.kinds_.values()).count("category")
    return Features(x, x_test, units, words)
