"""Versions of what can move a number."""

import importlib.metadata
import platform

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
