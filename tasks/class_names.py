"""Names of classes that come from files: checked, and listed in messages."""

import unicodedata
from collections.abc import Iterable
from collections.abc import Sequence

from tasks.task import UserError

_UNFIT = {"Cc", "Cs", "Zl", "Zp"}  # Control characters, surrogates, line ends.


def check_name(name: str, where: str) -> str:
    """Return a name in Unicode's composed form if it is safe to print and to write.

    Args:
        name: Of a class, a file or an array.
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


def check_distinct(names: Iterable[str], where: str) -> None:
    """Refuse classes whose names differ in case only.

    They are one folder on some systems and two on others.

    Args:
        names: Of all classes.
        where: Where they were found, for the message.

    Raises:
        UserError: If two are alike.
    """
    seen = {}
    for name in names:
        other = seen.setdefault(name.casefold(), name)
        if other is not name:
            raise UserError(
                f"{where} holds two classes that differ in case or Unicode form only: "
                f"{other!r} and {name!r}. Merge or rename them"
            )


def listed(names: Sequence[str], most: int = 5) -> str:
    """The first of many names, quoted, and how many more there are.

    Example:

    >>> listed(["cat", "dog", "owl"], most=2)
    "'cat', 'dog' and 1 more"
    """
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(map(repr, names[:most])) + more
