"""Versions of what can move a number."""

import importlib.metadata
import platform
import subprocess
from pathlib import Path

PACKAGES = ("keras", "tensorflow", "jax", "torch", "numpy", "scikit-learn")


def versions() -> dict[str, str]:
    """Versions of Python and of the packages that can move a number."""
    found = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            continue  # A backend that is not installed.
    return found


def commit() -> str | None:
    """The commit that this code is of, with `-dirty` if it was changed since.

    None where the code is no git checkout, or there is no git. A copy without git may
    have a file `COMMIT` that says it.
    """
    said = Path(__file__).parents[2] / "COMMIT"
    if said.is_file():
        return said.read_text().strip()
    command = ["git", "describe", "--always", "--dirty", "--exclude=*", "--abbrev=10"]
    try:
        found = subprocess.run(
            command, cwd=Path(__file__).parent, capture_output=True, text=True
        )
    except OSError:
        return None
    return found.stdout.strip() or None
