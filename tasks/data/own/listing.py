"""Which photographs there are, before one of them is read."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any
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
        defaults: What `--label` and `--id` mean where they are not given, by name, as
            far as that is known.
    """

    files: list[Path]
    labels: np.ndarray
    splits: np.ndarray
    class_names: list[str]
    groups: np.ndarray | None
    defaults: Mapping[str, Any] = {}
