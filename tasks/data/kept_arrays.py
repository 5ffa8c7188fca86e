"""Arrays that took long to make, kept in a file for the next run."""

import os
from pathlib import Path

import numpy as np

from tasks.data import whole_files
from tasks.experiment.paths import check_is_file


def read(path: Path, about: str) -> dict[str, np.ndarray] | None:
    """The arrays of an earlier run, if they are whole and of what is asked for.

    Args:
        path: The `.npz` file that they may be in.
        about: What they were made of and how.

    Returns:
        Arrays by name, or None if they have to be made.
    """
    if not os.path.lexists(path):
        return None
    try:
        check_is_file(path)
        # The archive checks what it holds by checksums.
        with open(path, "rb") as file, np.load(file, allow_pickle=False) as archive:
            arrays = dict(archive)
        found = arrays.pop("about").item()
    except Exception as error:  # A damaged archive raises many kinds.
        print(f"{path} is damaged and is made again: {error}", flush=True)
        return None
    if found != about:
        print(f"{path} is of other data and is made again", flush=True)
        return None
    return arrays


def write(path: Path, about: str, **arrays: np.ndarray) -> None:
    """Keep arrays: aside first, so that under its name the file is whole.

    Where they cannot be kept it says so, and the next run makes them again.

    Args:
        path: The `.npz` file.
        about: What they were made of and how.
        **arrays: By name.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with whole_files.aside(path) as part:
            np.savez(part, about=about, **arrays)
    except OSError as error:
        print(f"note: {path} cannot be kept, the next run makes it again: {error}")
