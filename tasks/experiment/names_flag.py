"""A flag of several names, given together or one by one."""

from typing import Any

from absl import flags


class _NamesFlag(flags.Flag):
    """Names of all its uses, where absl's lists keep those of the last; "" for none."""

    def parse(self, argument: Any) -> None:
        before = self.value if argument and not self.using_default_value else []
        super().parse(argument)
        self.value = [*before, *self.value]


def define_names(
    name: str, default: list[str], help: str, flag_values: flags.FlagValues, **more: Any
) -> None:
    """Define a flag of names, as `flags.DEFINE_list` defines one of a list.

    Args:
        name: Its name.
        default: Names where it is not given.
        help: One line.
        flag_values: Where absl keeps it.
        more: As for `flags.DEFINE_list`.
    """
    parser, serializer = flags.ListParser(), flags.CsvListSerializer(",")
    made = _NamesFlag(parser, serializer, name, default, help)
    flags.DEFINE_flag(made, flag_values, **more)
