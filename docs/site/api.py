"""Pages of the API, one for each section of `docs/api.md`."""

import re
from pathlib import Path
from typing import NamedTuple

PACKAGE = Path(__file__).parents[2] / "keras_m2m"
_ROW = re.compile(r"^\| `([\w.]+)` \|", re.MULTILINE)


class Topic(NamedTuple):
    """A section of the index.

    Attributes:
        title: Its heading.
        text: What stands below the heading and above the table.
        names: What is listed, as `keras_m2m.NAME` without the package.
    """

    title: str
    text: str
    names: list[str]

    @property
    def uri(self) -> str:
        """The address of its page."""
        words = re.findall(r"[a-z0-9]+", self.title.lower())
        return f"api/{'_'.join(words)}.md"


def topics(index: str) -> list[Topic]:
    """The sections of the index, in its order.

    Args:
        index: What `docs/api.md` holds.
    """
    parts = re.split(r"^## ", index, flags=re.MULTILINE)[1:]
    found = []
    for part in parts:
        title, _, rest = part.partition("\n")
        text = rest.partition("\n|")[0].strip()
        found.append(Topic(title.strip(), text, _ROW.findall(part)))
    return found


def page(topic: Topic) -> str:
    """Markdown in which mkdocstrings puts docstrings."""
    names = [f"::: {path_of(name)}" for name in topic.names]
    return "\n\n".join([f"# {topic.title}", topic.text, *names]) + "\n"


def linked(index: str) -> str:
    """The index with a link at each name."""
    return _ROW.sub(lambda row: f"| [`{row[1]}`][{path_of(row[1])}] |", index)


def path_of(name: str) -> str:
    """Where mkdocstrings finds a name, which it takes for the file of the same name."""
    file = PACKAGE.joinpath(*name.split(".")).with_suffix(".py")
    own = [name.rpartition(".")[-1]] if file.is_file() else []
    return ".".join(["keras_m2m", name, *own])
