"""Text of anybody's as Markdown that shows it."""

import re


def escape(text: str) -> str:
    """Text that Markdown shows as it is, on one line, in a table too."""
    return re.sub(r"([\\`*_{}\[\]<>|$~#&!])", r"\\\1", " ".join(text.split()))
