"""The tables' command, in this process."""

from absl import flags

from tasks import table


def command(results, runs, *arguments) -> str:
    """What `python -m tasks.table` prints."""
    values = flags.FlagValues()
    table.define_flags(values)
    folders = [f"--results={results}", f"--runs={runs}"]
    rest = values(["tasks.table", *folders, *arguments], known_only=True)
    return table.make(values, rest[1:])
