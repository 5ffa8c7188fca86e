"""The preprocessing of a table in the folder of a run, beside its network."""

from pathlib import Path
from typing import Any

from tasks.data import whole_files
from tasks.experiment.errors import UserError

FILE = "preprocessing.skops"


def save(preprocessor: Any, folder: Path) -> None:
    """Write a fitted `keras_m2m.tabular.TablePreprocessor`; None writes nothing."""
    if preprocessor is None:
        return
    from keras_m2m.tabular import save_preprocessor  # Tables need an extra.

    with whole_files.aside(folder / FILE) as part:
        save_preprocessor(preprocessor, part)


def load(folder: Path) -> Any:
    """What `save` wrote.

    Raises:
        UserError: If it is not there, is damaged, or a package is not installed.
    """
    path = folder / FILE
    if not path.is_file():
        raise UserError(
            f"{folder} holds no {FILE}, so its network was not trained on a table"
        )
    try:
        from keras_m2m.tabular import load_preprocessor

        return load_preprocessor(path)
    except (ImportError, ValueError) as error:
        raise UserError(str(error)) from error
