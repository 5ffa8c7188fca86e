"""Griffe's extension that reads our docstrings."""

import griffe

from docs.site.sections import as_griffe_knows_them


class HouseStyle(griffe.Extension):
    """Rewrites each docstring before griffe parses it."""

    def on_object(self, *, obj: griffe.Object, **_) -> None:
        if obj.docstring:
            obj.docstring.value = as_griffe_knows_them(obj.docstring.value)
