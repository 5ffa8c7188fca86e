"""The sections of our docstrings, written as griffe knows them."""

import re
import textwrap

_EXAMPLE = re.compile(r"^Example:\n\n(.+?)(?=\n+Source: |\Z)", re.MULTILINE | re.DOTALL)


def as_griffe_knows_them(docstring: str) -> str:
    """A docstring of this package, for griffe's reader of Google's style.

    Args:
        docstring: Without the indentation of its code.

    Returns:
        The same with `Example:`, which Keras does not indent, indented, and with
        `Call arguments:` as a section of parameters that are not the signature's.
    """
    text = docstring.replace(
        "\nCall arguments:\n", "\nOther Parameters: Call arguments\n"
    )
    return _EXAMPLE.sub(_indented, text)


def _indented(match):
    return "Examples:\n" + textwrap.indent(match[1].rstrip(), "    ")
