"""Names of classes that come from files: checked, and listed in messages."""

import unicodedata
from collections.abc import Iterable
from collections.abc import Sequence

from tasks.experiment.errors import UserError

_UNFIT = {"Cc", "Cs", "Zl", "Zp"}  # Control characters, surrogates, line ends.
# Among what cannot be seen (category Cf) these two are part of words and emoji.
_JOINERS = "\u200c\u200d"
# Take no room, and are of other categories: fillers, and variants of a character.
_UNSEEN = "\u034f\u115f\u1160\u3164\uffa0\u180b\u180c\u180d" + "".join(
    map(chr, range(0xFE00, 0xFE10))
)

# What tables and `numpy.array(y, str)` write where there is no label.
MISSING = {"", "nan", "NaN", "None", "NA", "null", "<NA>"}


def check_name(name: str, where: str) -> str:
    """Return a name in Unicode's composed form if it is safe to print and to write.

    Args:
        name: What a class, a file or an array is called.
        where: Where it was found, for the message.

    Raises:
        UserError: If it is blank or holds `..`, a path separator, a control character
            or what is no Unicode text.
    """
    odd = any(unicodedata.category(character) in _UNFIT for character in name)
    if odd or not name.strip() or ".." in name or "/" in name or "\\" in name:
        raise UserError(
            f"{where} holds the name {name!r}. Names must not be blank, nor hold '..', "
            "a path separator or a control character. Rename it"
        )
    return unicodedata.normalize("NFC", name)


def check_class_names(names: Iterable[str], where: str) -> None:
    """Refuse classes whose names look alike, or hold what cannot be seen.

    What differs in case only is one folder on some systems and two on others. What
    cannot be seen makes two classes of one look, or turns the text around it. What
    stands for a missing label is no class.

    Args:
        names: Of all classes.
        where: Where they were found, for the message.

    Raises:
        UserError: If two are alike, or one holds such a character or is no name.
    """
    seen = {}
    for name in names:
        hidden = (unicodedata.category(c) == "Cf" and c not in _JOINERS for c in name)
        if any(hidden) or not _look(name):
            raise UserError(
                f"{where} holds the class {name!a}, with a character that cannot "
                "be seen or turns the text around it. Rename it"
            )
        if name in MISSING:
            raise UserError(
                f"{where} holds the class {name!r}, which is how a missing label is "
                "written. Remove what has no label; if it is a class, rename it"
            )
        other = seen.setdefault(_look(name), name)
        if other is not name:
            raise UserError(
                f"{where} holds two classes that differ only in case, Unicode form or "
                f"what cannot be seen: {_quoted(other)} and {_quoted(name)}. Merge or "
                "rename them"
            )


def check_several(names: Sequence[str]) -> None:
    """Refuse fewer than two classes."""
    if len(names) < 2:
        raise UserError(
            f"At least two classes are needed. Found {len(names)}: "
            f"{listed(names) or 'none'}"
        )


def _look(name):
    """A name without what does not show."""
    shown = (c for c in name if c not in _JOINERS and c not in _UNSEEN)
    return " ".join("".join(shown).casefold().split())


def _quoted(name):
    """In ASCII where something in it does not show."""
    return repr(name) if _look(name) == name.casefold() else ascii(name)


def listed(names: Sequence[str], most: int = 5) -> str:
    """The first of many names, quoted, and how many more there are.

    Example:

    >>> listed(["cat", "dog", "owl"], most=2)
    "'cat', 'dog' and 1 more"
    """
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(map(repr, names[:most])) + more
