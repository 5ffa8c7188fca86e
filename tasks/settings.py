"""The command line: shared flags, their checks, and the `Settings` they become."""

import sys
from types import SimpleNamespace

from absl import flags

from tasks.recipes import LOSSES
from tasks.recipes import METHODS
from tasks.task import UserError

_FLAGS = flags.FLAGS


class Settings(SimpleNamespace):
    """The value of every flag, presets applied; flags are not read below this."""

    def replace(self, **changes) -> "Settings":
        return Settings(**{**vars(self), **changes})

    @property
    def rate_drops(self) -> dict[int, float]:
        """`--drops` as epoch to factor."""
        return dict(_parse_drop(drop) for drop in self.drops)


def define(kind: str, name: str, default, about: str, **limits) -> None:
    """Define one flag so that `--help` of the task's module lists it."""
    make = getattr(flags, f"DEFINE_{kind}")
    if kind == "enum":
        make(name, default, limits["values"], about, module_name=sys.argv[0])
    else:
        make(name, default, about, module_name=sys.argv[0], **limits)


def define_flags(task) -> None:
    """Define the flags that all tasks share, then the task's own.

    Args:
        task: A `Task`, whose defaults are those of its dataset.
    """
    _define_recipe(task)
    _define_schedule(task.defaults)
    _define_m2m(task.defaults)
    _define_run()
    if task.define_flags:
        task.define_flags()
    if task.presets:
        about = "a named size; flags that are given go first"
        define("enum", "preset", "paper", about, values=["paper", *task.presets])
    _register_checks()


def _define_recipe(task):
    methods = "; ".join(f"{name}: {m.about}" for name, m in METHODS.items())
    losses = "; ".join(f"{name}: {loss.about}" for name, loss in LOSSES.items())
    define("enum", "method", "m2m", methods, values=[*METHODS])
    define("enum", "loss", "ce", losses, values=[*LOSSES])
    compare = task.defaults.get("compare", [])
    define("list", "compare", compare, "methods to train beside --method")
    about = "m2m: test the best validation epoch; field: the last epoch"
    define("enum", "protocol", "m2m", about, values=["m2m", "field"])


def _define_schedule(default):
    epochs, batch_size = default["epochs"], default["batch_size"]
    define("integer", "epochs", epochs, "epochs in all", lower_bound=1)
    about = "first epoch of a deferred method"
    define("integer", "defer_epoch", default["defer_epoch"], about, lower_bound=0)
    about = "epoch:factor, by which the learning rate is multiplied from then on"
    define("list", "drops", default["drops"], about)
    define("integer", "batch_size", batch_size, "samples a step", lower_bound=1)
    about = "L2 weight decay of every parameter, coupled with the gradient"
    define("float", "weight_decay", default["weight_decay"], about, lower_bound=0)


def _define_m2m(default):
    define("float", "beta", default["beta"], "reliability of g, in [0, 1)")
    about = "weight of f's logit of the seed's class"
    define("float", "lam", default["lam"], about, lower_bound=0)
    define("float", "gamma", default["gamma"], "least confidence of g, in [0, 1]")
    about = "gradient steps of a translation, T"
    define("integer", "steps", 10, about, lower_bound=1)
    step_size = default.get("step_size", 0.1)
    define("float", "step_size", step_size, "L2 length of each step, eta")
    define("float", "noise", 0.1, "L2 norm of the random start", lower_bound=0)
    define("string", "g", None, "a saved g to load; without it g is trained first")


def _define_run():
    about = "seed of f; g is trained from the next one"
    define("integer", "seed", 0, about, lower_bound=0)
    define("string", "data_dir", None, "where the data is, or is downloaded to")
    about = "folder for the results; default runs/TASK-METHOD-LOSS-seedSEED"
    define("string", "out_dir", None, about)
    about = "whether XLA compiles the training step"
    define("enum", "jit_compile", "auto", about, values=["auto", "true", "false"])
    about = "train on all devices of this machine (TensorFlow, JAX)"
    define("boolean", "distribute", False, about)


def _register_checks():
    def check(name, condition, message):
        flags.register_validator(name, condition, message)

    check("beta", lambda v: 0 <= v < 1, "must be in [0, 1)")
    check("gamma", lambda v: 0 <= v <= 1, "must be in [0, 1]")
    check("step_size", lambda v: v > 0, "must be positive")
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


def read_settings(task) -> Settings:
    """The flags' values, with the preset's where a flag was not given.

    Args:
        task: The `Task` whose flags were defined.

    Returns:
        `Settings`.

    Raises:
        UserError: If flags do not fit each other.
    """
    names = [flag.name for flag in _FLAGS.get_key_flags_for_module(sys.argv[0])]
    values = {name: _FLAGS[name].value for name in names}
    preset = task.presets.get(values.get("preset"), {})
    given = {name for name in names if not _FLAGS[name].using_default_value}
    values |= {name: value for name, value in preset.items() if name not in given}
    deferred = any(METHODS[m].deferred for m in (values["method"], *values["compare"]))
    if deferred and values["defer_epoch"] >= values["epochs"]:
        raise UserError(
            "--defer_epoch must be below --epochs, or the method never starts. "
            f"Received: --defer_epoch={values['defer_epoch']} "
            f"--epochs={values['epochs']}"
        )
    return Settings(task=task.name, **values)
