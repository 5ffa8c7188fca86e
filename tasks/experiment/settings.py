"""The command line: shared flags, their checks, and the `Settings` they become."""

import functools
import math
import sys
from collections.abc import Mapping
from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

from absl import flags

from keras_m2m.checks.scalars import LARGEST
from keras_m2m.checks.scalars import SMALLEST
from keras_m2m.recipes import METHODS
from keras_m2m.recipes import After
from keras_m2m.recipes.after import AUTO
from keras_m2m.recipes.after import after_refusal
from keras_m2m.recipes.after import tau_of
from keras_m2m.recipes.losses import loss_refusal
from tasks.experiment.errors import UserError
from tasks.experiment.names_flag import define_names
from tasks.experiment.paths import read_path
from tasks.experiment.recipes import mixed_name
from tasks.experiment.recipes import parts_of
from tasks.experiment.shared_flags import shared_flags
from tasks.experiment.task import Flag
from tasks.experiment.task import Preset
from tasks.experiment.task import Task


class Settings(SimpleNamespace):
    """The value of every flag, presets applied; flags are not read below this.

    Args:
        task: The name of the task.
        flags: Its flags.
        values: A value for each, by name.

    Attributes:
        task: The name of the task.
        flags: Its flags by name.
    """

    def __init__(self, task: str, flags: Sequence[Flag], values: Mapping) -> None:
        super().__init__(**values)
        self.task = task
        self.flags = {flag.name: flag for flag in flags}

    def __reduce__(self):
        # A namespace is made without arguments, where it is sent to a process.
        return Settings, (self.task, [*self.flags.values()], self.values)

    @property
    def values(self) -> dict[str, Any]:
        """The value of every flag, by name."""
        return {name: getattr(self, name) for name in self.flags}

    def replace(self, **changes) -> "Settings":
        flags = self.flags.values()
        return Settings(self.task, flags, {**self.values, **changes})

    @property
    def after(self) -> After:
        """What is done after the training."""
        return After(self.head, self.adjust)

    def followed_by(self, after: After) -> "Settings":
        """The same training, and something else done after it; by `After()` nothing."""
        return self.replace(head=after.head, adjust=after.adjust)

    @property
    def rate_drops(self) -> dict[int, float]:
        """`--drops` as epoch to factor."""
        return dict(_parse_drop(drop) for drop in self.drops)


def parse(task: Task, arguments: list[str]) -> Settings:
    """Settings from a command line, without absl's global flags.

    Args:
        task: The `Task` whose flags they are.
        arguments: Such as `["--method=erm"]`.

    Returns:
        `Settings`.

    Raises:
        UserError: If a flag is unknown, outside its range or does not fit others.
    """
    values = flags.FlagValues()
    define_flags(task, values)
    try:
        rest = values([sys.argv[0], *arguments])[1:]
    except flags.Error as error:
        raise UserError(str(error)) from error
    if rest:
        raise UserError(f"unexpected argument: {rest[0]}")
    return read_settings(task, values)


def define_flags(task: Task, values: flags.FlagValues) -> None:
    """Define the flags of a task, as `flags_of` gives them.

    Args:
        task: Its defaults are those of its dataset.
        values: Where absl keeps them.
    """
    for flag in flags_of(task):
        define = _DEFINE.get(flag.kind) or getattr(flags, f"DEFINE_{flag.kind}")
        define(
            name=flag.name,
            default=flag.default,
            help=flag.about,
            flag_values=values,
            module_name=sys.argv[0],  # So that `--help` lists it.
            **flag.limits,
        )
        if flag.kind == "float":  # absl's limits let NaN through, and infinity.
            message = f"must be a finite number, at most {LARGEST:g}"
            flags.register_validator(flag.name, _is_real, message, flag_values=values)
    _register_checks(values)


class _StepParser(flags.ArgumentParser):
    """Reads a positive number as a float, and "auto" as it is."""

    syntactic_help = "a positive number, or auto"

    def parse(self, argument):
        if argument == AUTO:
            return argument
        step_size = float(argument)
        if not SMALLEST <= step_size <= LARGEST:
            raise ValueError("must be a positive number, or auto")
        return step_size


_DEFINE = {
    "names": define_names,
    "path": flags.DEFINE_string,
    "step": functools.partial(flags.DEFINE, _StepParser()),
}


def flags_of(task: Task) -> list[Flag]:
    """The flags that all tasks share, then the task's own."""
    own = {flag.name: flag.default for flag in task.flags}
    chosen = task.presets[_default_preset(task, own)]
    names = "; ".join(_describe(*item) for item in task.presets.items())
    about = f"default values; a flag that is given wins. Without it: by flags. {names}"
    names = {"enum_values": [*task.presets]}
    preset = Flag("enum", "preset", None, about, names, role="place")
    return [*shared_flags({**task.defaults, **chosen.values}), *task.flags, preset]


def flags_of_the_run(settings: Settings) -> dict[str, Any]:
    """The flags that the numbers of a run follow from, and the task's name."""
    roles = ("number", "choice", "machine")
    names = [flag.name for flag in settings.flags.values() if flag.role in roles]
    return {"task": settings.task, **{name: settings.values[name] for name in names}}


def _is_real(value):
    return math.isfinite(value) and abs(value) <= LARGEST


def _describe(name, preset: Preset):
    values = " ".join(f"{key}={value}" for key, value in preset.values.items())
    return f"{name} ({preset.source}): {values}"


def _default_preset(task, values):
    """Name of the preset that holds at these values of flags, or None."""
    for name, preset in task.presets.items():
        when = preset.when
        if when is not None and all(values[key] == when[key] for key in when):
            return name
    return None


def _register_checks(values):
    def check(name, condition, message):
        flags.register_validator(name, condition, message, flag_values=values)

    check("beta", lambda v: 0 <= v < 1, "must be in [0, 1)")
    check("gamma", lambda v: 0 <= v <= 1, "must be in [0, 1]")
    check("learning_rate", lambda v: v >= SMALLEST, "must be positive")
    check("adjust", tau_of, f"must be a number in [0, 10], or {AUTO}")
    check(
        "compare",
        lambda v: set(v) <= set(METHODS),
        f"must be a comma-separated list of {', '.join(METHODS)}",
    )
    check(
        "drops",
        lambda v: all(_parse_drop(drop) for drop in v),
        "must be epoch:factor pairs with factors in (0, 1], such as 160:0.01,180:0.01",
    )


def _parse_drop(text):
    """`(epoch, factor)`, or None where the text is no such pair."""
    epoch, _, factor = text.partition(":")
    try:
        pair = int(epoch), float(factor)
    except ValueError:
        return None
    return pair if pair[0] >= 0 and 0 < pair[1] <= 1 else None


def read_settings(task: Task, values: flags.FlagValues) -> Settings:
    """The flags' values, with the preset's where a flag was not given.

    Args:
        task: The `Task` whose flags were defined.
        values: Where absl keeps them, parsed.

    Returns:
        `Settings`.

    Raises:
        UserError: If flags do not fit each other.
    """
    known = flags_of(task)
    found = {flag.name: values[flag.name].value for flag in known}
    for flag in known:
        if flag.kind == "path" and found[flag.name] is not None:
            found[flag.name] = read_path(flag.name, found[flag.name])
    found["preset"] = found["preset"] or _default_preset(task, found)
    if found["preset"]:
        preset = task.presets[found["preset"]].values.items()
        found |= {key: v for key, v in preset if values[key].using_default_value}
    found |= _of_fewer_epochs(task, values, found)
    if found["resume"] and found["overwrite"]:
        raise UserError("give --resume to go on or --overwrite to begin anew, not both")
    deferred = any(METHODS[m].deferred for m in (found["method"], *found["compare"]))
    if deferred and found["defer_epoch"] >= found["epochs"]:
        raise UserError(
            "--defer_epoch must be below --epochs, or the method never starts. "
            f"Received: --defer_epoch={found['defer_epoch']} "
            f"--epochs={found['epochs']}"
        )
    for method in (found["method"], *found["compare"]):
        name = mixed_name(method, found["mix"])
        why = loss_refusal(*parts_of(found["loss"], name))
        if why:
            raise UserError(f"--method={method} --loss={found['loss']}: {why}")
    found["adjust"] = tau_of(found["adjust"])
    _check_after(found)
    return Settings(task.name, known, found)


def _check_after(found):
    """Raise if what is to be done after the trainings does not go with one of them."""
    after = After(found["head"], found["adjust"])
    for method in (found["method"], *found["compare"]):
        name = mixed_name(method, found["mix"])
        why = after_refusal(*parts_of(found["loss"], name), after)
        if why:
            flags = f"--head={after.head} --adjust={after.adjust}"
            raise UserError(f"{flags} after --method={method}: {why}")


def _of_fewer_epochs(task, values, found):
    """The schedule of fewer epochs than the default one needs, given by none else."""
    preset = task.presets[found["preset"]].values if found["preset"] else {}
    epochs = preset.get("epochs", values["epochs"].default)
    start, fewer = found["defer_epoch"], found["epochs"]
    others = (values["defer_epoch"], values["drops"])
    if fewer > start or not all(flag.using_default_value for flag in others):
        return {}
    parts = [drop.split(":") for drop in found["drops"]]
    drops = {int(at) * fewer // epochs: factor for at, factor in parts}
    return {
        "defer_epoch": start * fewer // epochs,
        "drops": [f"{epoch}:{factor}" for epoch, factor in drops.items()],
    }
