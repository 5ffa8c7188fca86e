"""Which image file it is that a table names."""

import os
import unicodedata
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from tasks.data.own.image_walk import SUFFIXES

# What an image in a table may have been before it was saved as it is now.
_BEFORE = (*SUFFIXES, ".dcm", ".dicom", ".jp2", ".heic", ".ppm", ".svs")
_MOST = 9  # Of the files that a name may stand for; two are too many.


class ImageNames:
    """Image files, found by what tables call them.

    That is a name with its suffix, without it, or with that of another format; alone,
    or behind folders, which must then be those that the file is in, as far as both are
    known. Upper and lower case are told apart only where both are there. Nothing is
    opened: what is not among the files is not found.

    Args:
        paths: The files.
        root: The folder that all are below.
    """

    def __init__(self, paths: Sequence[Path], root: Path) -> None:
        self.paths = paths
        # Without suffixes, as all may be that stands before one.
        self._names = [_stem(path.relative_to(root)) for path in paths]
        self._whole, self._tails = defaultdict(list), defaultdict(list)
        for row, name in enumerate(self._names):
            parts = name.casefold().split("/")
            self._whole["/".join(parts)].append(row)
            for start in range(len(parts)):
                self._tails["/".join(parts[start:])].append(row)

    def rows(self, name: str) -> list[int]:
        """The numbers of the files that a name may stand for, of many the first ones.

        It is clear where that is one.
        """
        parts = _normal(name).replace("\\", "/").split("/")
        written = "/".join(part for part in parts if part not in ("", "."))
        stem, suffix = os.path.splitext(written)
        if suffix.lower() not in _BEFORE:
            return self._of_stem(written)
        found = self._of_stem(stem)
        same = [r for r in found if self.paths[r].suffix.lower() == suffix.lower()]
        return same or self._of_stem(written) or found

    def _of_stem(self, stem):
        """Those that end in a path, or that it ends in."""
        folded = stem.casefold()
        found = self._tails.get(folded, [])[:_MOST]
        while not found and "/" in folded:
            folded = folded.partition("/")[2]
            found = self._whole.get(folded, [])[:_MOST]
        exact = [row for row in found if self._is_exact(row, stem)]
        return exact or found

    def _is_exact(self, row, stem):
        """Whether upper and lower case are the same too."""
        own = self._names[row]
        return own.endswith(stem) or stem.endswith(f"/{own}")


def _stem(path):
    return _normal(os.path.splitext(path.as_posix())[0])


def _normal(text):
    return unicodedata.normalize("NFC", text.strip())
