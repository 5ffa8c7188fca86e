"""The tables' command, in this process, and a data set small enough for it."""

import re

from absl import flags

from tasks import table

DIGITS = "digits_lt --largest=30 --rho=10 --epochs=3 --defer_epoch=1 --drops=2:0.1"
SMALL = "--steps=2", "--gamma=0"


def command(results, runs, *arguments) -> str:
    """What `python -m tasks.table` prints."""
    values = flags.FlagValues()
    table.define_flags(values)
    folders = [f"--results={results}", f"--runs={runs}"]
    rest = values(["tasks.table", *folders, *arguments], known_only=True)
    return table.make(values, rest[1:])


def row(text, name) -> list[str]:
    """The cells of a method's line, the name first."""
    (line,) = re.findall(rf"^\| {name} +\|.*$", text, re.MULTILINE)
    return [cell.strip() for cell in line.strip("|").split("|")]
