"""Which photographs there are, before one of them is read."""

from pathlib import Path
from typing import NamedTuple

import numpy as np


class Listing(NamedTuple):
    """Photographs and their labels.

    Attributes:
        files: One per photograph, `n` in all.
        labels: int64 `(n,)`, which index `class_names`.
        splits: Strings `(n,)`: `"train"`, `"validation"` or `"test"`.
        class_names: One per class.
        groups: Strings `(n,)`, equal for those that must be in one split; None where
            each may be in any.
    """

    files: list[Path]
    labels: np.ndarray
    splits: np.ndarray
    class_names: list[str]
    groups: np.ndarray | None
