"""Fitted preprocessing in a file that runs no code when it is read."""

from os import PathLike
from pathlib import Path

from sklearn.utils.validation import check_is_fitted

from keras_m2m.tabular.preprocessor import TablePreprocessor

# What such a file holds beside what skops trusts anyway.
_TRUSTED = [
    "keras_m2m.tabular.encoders.TextEncoder",
    "keras_m2m.tabular.preprocessor.TablePreprocessor",
    "numpy.dtype",
    "skrub._datetime_encoder.DatetimeEncoder",
    "skrub._string_encoder.StringEncoder",
    "skrub._to_str.ToStr",
]


def save_preprocessor(
    preprocessor: TablePreprocessor, path: str | PathLike[str]
) -> None:
    """Write a fitted `TablePreprocessor` to a file.

    Args:
        preprocessor: Fitted.
        path: Of the file, by custom one that ends in `.skops`.

    Raises:
        ValueError: If it is not fitted.

    Example:

    >>> import pandas, tempfile
    >>> table = pandas.DataFrame({"age": [30, 40, 50]})
    >>> path = f"{tempfile.mkdtemp()}/preprocessing.skops"
    >>> save_preprocessor(TablePreprocessor().fit(table), path)
    >>> load_preprocessor(path).transform(table).round(2).ravel()
    array([-1.22,  0.  ,  1.22], dtype=float32)
    """
    import skops.io  # Takes as long to import as all the rest.

    check_is_fitted(preprocessor)
    skops.io.dump(preprocessor, Path(path))


def load_preprocessor(path: str | PathLike[str]) -> TablePreprocessor:
    """Read what `save_preprocessor` wrote.

    The file is no pickle: one that holds other objects than those of a
    `TablePreprocessor` is refused, so that a stranger's runs no code.

    Args:
        path: Of the file.

    Returns:
        The fitted preprocessing.

    Raises:
        ValueError: If the file holds something else.

    Example:

    >>> import pandas, tempfile
    >>> table = pandas.DataFrame({"city": ["Rome", "Oslo"] * 2})
    >>> path = f"{tempfile.mkdtemp()}/preprocessing.skops"
    >>> save_preprocessor(TablePreprocessor().fit(table), path)
    >>> load_preprocessor(path).kinds_
    {'city': 'category'}
    """
    import skops.io

    try:
        found = skops.io.load(Path(path), trusted=_TRUSTED)
    except Exception as error:  # Of many kinds, for a file that is damaged or strange.
        raise ValueError(
            f"{path} must be a file of save_preprocessor, and cannot be read as one: "
            f"{type(error).__name__}: {error}"
        ) from error
    if not isinstance(found, TablePreprocessor):
        raise ValueError(f"{path} holds no TablePreprocessor. Received: {type(found)}")
    return found
