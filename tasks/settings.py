"""The command line: shared flags, their checks, and the `Settings` they become."""

import math
import sys
from types import SimpleNamespace

from absl import flags

from keras_m2m.checks.scalars import LARGEST
from keras_m2m.checks.scalars import LARGEST_WHOLE
from keras_m2m.checks.scalars import SMALLEST
from tasks.paths import PATHS
from tasks.paths import read_path
from tasks.recipes import LOSSES
from tasks.recipes import METHODS
from tasks.task import Flag
from tasks.task import Preset
from tasks.task import Task
from tasks.task import UserError


class Settings(SimpleNamespace):
    """The value of every flag, presets applied; flags are not read below this."""

    def replace(self, **changes) -> "Settings":
        return Settings(**{**vars(self), **changes})

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
    """Define the flags that all tasks share, then the task's own.

    Args:
        task: Its defaults are those of its dataset.
        values: Where absl keeps them.
    """
    own = {flag.name: flag.default for flag in task.flags}
    chosen = task.presets[_default_preset(task, own)]
    default = {**task.defaults, **chosen.values}
    shared = [*_recipe(default), *_schedule(default), *_m2m(default), *_run()]
    names = "; ".join(_describe(*item) for item in task.presets.items())
    about = f"flags that are given go first; without it, the one for them. {names}"
    preset = Flag("enum", "preset", None, about, {"enum_values": [*task.presets]})
    for flag in [*shared, *task.flags, preset]:
        define = getattr(flags, f"DEFINE_{flag.kind}")
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


def _recipe(default):
    methods = "; ".join(f"{name}: {m.about}" for name, m in METHODS.items())
    losses = "; ".join(f"{name}: {loss.about}" for name, loss in LOSSES.items())
    about = "m2m: test the best validation epoch; field: the last epoch"
    compare = default.get("compare", [])
    return [
        Flag("enum", "method", "m2m", methods, {"enum_values": [*METHODS]}),
        Flag("enum", "loss", "ce", losses, {"enum_values": [*LOSSES]}),
        Flag("list", "compare", compare, "methods to train beside --method"),
        Flag("enum", "protocol", "m2m", about, {"enum_values": ["m2m", "field"]}),
    ]


def _schedule(default):
    drops = "epoch:factor, by which the learning rate is multiplied from then on"
    decay = "L2 weight decay of every parameter, coupled with the gradient"
    deferral = "first epoch of a deferred method"
    return [
        _bounded("integer", "epochs", default["epochs"], "epochs in all", 1),
        _bounded("integer", "defer_epoch", default["defer_epoch"], deferral),
        Flag("float", "learning_rate", 0.1, "after the warm-up over 5 epochs"),
        Flag("list", "drops", default["drops"], drops),
        _bounded("integer", "batch_size", default["batch_size"], "samples a step", 1),
        _bounded("float", "weight_decay", default["weight_decay"], decay),
    ]


def _m2m(default):
    step_size = default.get("step_size", 0.1)
    g = "a saved g to load, a .keras file; without it g is trained first"
    return [
        Flag("float", "beta", default["beta"], "reliability of g, in [0, 1)"),
        _bounded(
            "float", "lam", default["lam"], "weight of f's logit of the seed's class"
        ),
        Flag("float", "gamma", default["gamma"], "least confidence of g, in [0, 1]"),
        _bounded("integer", "steps", 10, "gradient steps of a translation, T", 1),
        Flag("float", "step_size", step_size, "L2 length of each step, eta"),
        _bounded("float", "noise", 0.1, "L2 norm of the random start"),
        Flag("string", "g", None, g),
    ]


def _run():
    seed = "seed of f; g is trained from the next one"
    jit = "whether XLA compiles the training step"
    out_dir = "folder for the results; default runs/TASK-METHOD-LOSS-seedSEED"
    deterministic = (
        "the same numbers from the same command on a GPU too, where steps get slower; "
        "on a CPU they are anyway"
    )
    # Of what int32 holds, in which PyTorch keeps seeds; g has the next one.
    most = LARGEST_WHOLE - 1
    return [
        Flag("integer", "seed", 0, seed, {"lower_bound": 0, "upper_bound": most}),
        Flag("string", "data_dir", None, "where the data is, or is downloaded to"),
        Flag("string", "out_dir", None, out_dir),
        Flag("boolean", "resume", False, "go on with a run that was cut off"),
        Flag("boolean", "overwrite", False, "replace what the folder holds"),
        Flag("boolean", "dry_run", False, "print the plan and its cost; train nothing"),
        Flag("boolean", "deterministic", False, deterministic),
        Flag(
            "enum",
            "jit_compile",
            "auto",
            jit,
            {"enum_values": ["auto", "true", "false"]},
        ),
        Flag(
            "boolean",
            "distribute",
            False,
            "train on all devices of this machine (TensorFlow, JAX)",
        ),
    ]


def _bounded(kind, name, default, about, low=0):
    high = LARGEST_WHOLE if kind == "integer" else LARGEST
    return Flag(kind, name, default, about, {"lower_bound": low, "upper_bound": high})


def _register_checks(values):
    def check(name, condition, message):
        flags.register_validator(name, condition, message, flag_values=values)

    check("beta", lambda v: 0 <= v < 1, "must be in [0, 1)")
    check("gamma", lambda v: 0 <= v <= 1, "must be in [0, 1]")
    for name in ("step_size", "learning_rate"):
        check(name, lambda v: v >= SMALLEST, "must be positive")
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
    defined = {flag.name: flag for flag in values.get_key_flags_for_module(sys.argv[0])}
    found = {name: flag.value for name, flag in defined.items()}
    for name in PATHS:
        if found.get(name) is not None:
            found[name] = read_path(name, found[name])
    found["preset"] = found["preset"] or _default_preset(task, found)
    if found["preset"]:
        preset = task.presets[found["preset"]].values.items()
        found |= {key: v for key, v in preset if defined[key].using_default_value}
    if found["resume"] and found["overwrite"]:
        raise UserError("give --resume to go on or --overwrite to begin anew, not both")
    deferred = any(METHODS[m].deferred for m in (found["method"], *found["compare"]))
    if deferred and found["defer_epoch"] >= found["epochs"]:
        raise UserError(
            "--defer_epoch must be below --epochs, or the method never starts. "
            f"Received: --defer_epoch={found['defer_epoch']} "
            f"--epochs={found['epochs']}"
        )
    return Settings(task=task.name, **found)
