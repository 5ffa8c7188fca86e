"""The flags that all tasks share."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from keras_m2m.checks.scalars import LARGEST
from keras_m2m.checks.scalars import LARGEST_WHOLE
from keras_m2m.recipes import HEADS
from keras_m2m.recipes import LOSSES
from keras_m2m.recipes import METHODS
from keras_m2m.recipes import MIXES
from keras_m2m.recipes import TRAINED
from keras_m2m.recipes.after import AUTO
from keras_m2m.recipes.after import NO_TAU
from keras_m2m.recipes.mixes import UNMIXED
from tasks.experiment.task import Flag


def names_in_role(*roles: str) -> set[str]:
    """Names of the flags that all tasks share and that have one of these roles."""
    return {flag.name for flag in shared_flags({}) if flag.role in roles}


def shared_flags(default: Mapping[str, Any]) -> list[Flag]:
    """The flags that all tasks share.

    Args:
        default: Defaults of a task's, by name; None stands for those it lacks.
    """
    recipe = [*_recipe(default), *_after()]
    return [*recipe, *_schedule(default), *_m2m(default), *_run()]


def _recipe(default):
    methods = "; ".join(f"{name}: {m.about}" for name, m in METHODS.items())
    losses = "; ".join(f"{name}: {loss.about}" for name, loss in LOSSES.items())
    about = "m2m: test the best validation epoch; field: the last epoch"
    mixes = "; ".join(f"{name}: {mix.about}" for name, mix in MIXES.items())
    ends = [
        _bounded("integer", "mix_from", 0, "first epoch of mixed batches"),
        _bounded("integer", "mix_until", 0, "first epoch of none again; 0: to the end"),
    ]
    compare = default.get("compare", [])
    beside = "methods to train beside --method"
    return [
        _choice("method", "m2m", methods, METHODS),
        _choice("loss", "ce", losses, LOSSES),
        replace(
            _choice("mix", UNMIXED, f"mixing of batches. {mixes}", MIXES),
            before=UNMIXED,
        ),
        *(replace(flag, read_by="mixing") for flag in ends),
        Flag("names", "compare", compare, beside, role="command"),
        Flag("enum", "protocol", "m2m", about, {"enum_values": ["m2m", "field"]}),
    ]


def _after():
    tau = (
        "post-hoc logit adjustment of the trained network by the prior of its batches: "
        f"its strength τ, or {AUTO} for the best one on validation; {NO_TAU}: none"
    )
    heads = "; ".join(f"{name}: {head.about}" for name, head in HEADS.items())
    heads = f"the head that is tested. {heads}"
    return [
        replace(_choice("head", TRAINED, heads, HEADS), role="after"),
        Flag("string", "adjust", NO_TAU, tau, role="after"),
    ]


def _schedule(default):
    get = default.get
    drops = "epoch:factor, by which the learning rate is multiplied from then on"
    decay = "L2 weight decay of every parameter, coupled with the gradient"
    deferral = (
        "first epoch of a deferred method; where --epochs alone is given, and no more "
        "than that, this and --drops come at the same share of them"
    )
    found = [
        _bounded("integer", "epochs", get("epochs"), "epochs in all", 1),
        _bounded("integer", "defer_epoch", get("defer_epoch"), deferral),
        Flag("float", "learning_rate", 0.1, "after the warm-up over 5 epochs"),
        Flag("list", "drops", get("drops"), drops),
        _bounded("integer", "batch_size", get("batch_size"), "samples a step", 1),
        _bounded("float", "weight_decay", get("weight_decay"), decay),
    ]
    read_by = {"defer_epoch": "deferred"}
    return [replace(f, read_by=read_by.get(f.name, "network")) for f in found]


def _m2m(default):
    get = default.get
    step_size = get("step_size", 0.1)
    g = "a saved g to load, a .keras file; without it g is trained first"
    beta, lam, gamma = map(get, ("beta", "lam", "gamma"))
    of_seed = "weight of f's logit of the seed's class"
    of_step = (
        "L2 length of each step, eta, in --units: a number, or auto for the shortest "
        "by which g accepts half of some translations of training samples"
    )
    of_units = (
        "what steps and noise are lengths in. none: the units of the data; std: the "
        "standard deviation of each entry, and none along entries that hardly vary; "
        "auto: std for vectors, none for images"
    )
    units = {"enum_values": ["auto", "std", "none"]}
    of_m2m = [
        Flag("float", "beta", beta, "reliability of g, in [0, 1)"),
        _bounded("float", "lam", lam, of_seed),
        Flag("float", "gamma", gamma, "least confidence of g, in [0, 1]"),
        _bounded("integer", "steps", 10, "gradient steps of a translation, T", 1),
        Flag("step", "step_size", step_size, of_step),
        _bounded("float", "noise", 0.1, "L2 norm of the random start, in --units"),
        Flag("enum", "units", get("units", "none"), of_units, units, before="none"),
    ]
    return [
        *(replace(flag, read_by="translation") for flag in of_m2m),
        Flag("path", "g", None, g, role="command"),
    ]


def _run():
    seed = "seed of f; g is trained from the next one"
    jit = "whether XLA compiles the training step"
    out_dir = (
        "folder for the results; default runs/TASK-METHOD-LOSS-seedSEED, by "
        "tasks.folder with the name of the data after TASK"
    )
    deterministic = (
        "the same numbers from the same command on a GPU too, where steps get slower; "
        "on a CPU they are anyway"
    )
    # Below what int32 holds, in which PyTorch keeps seeds; g has the next one.
    most = LARGEST_WHOLE - 1
    seeds = {"lower_bound": 0, "upper_bound": most}
    where = "where the data is, or is downloaded to"
    of_jit = {"enum_values": ["auto", "true", "false"]}
    all_devices = (
        "train on all devices of this machine (TensorFlow, JAX), or of all processes "
        "that were started together (JAX)"
    )
    of_machine = [
        _switch("deterministic", deterministic, "machine"),
        Flag("enum", "jit_compile", "auto", jit, of_jit, role="machine"),
        _switch("distribute", all_devices, "machine"),
    ]
    return [
        Flag("integer", "seed", 0, seed, seeds, role="choice"),
        Flag("path", "data_dir", None, where, role="place"),
        Flag("path", "out_dir", None, out_dir, role="command"),
        _switch(
            "resume",
            "no longer needed: the same command goes on with what was cut off",
            "command",
        ),
        _switch("overwrite", "replace what the folder holds", "command"),
        _switch("dry_run", "print the plan and its cost; train nothing", "command"),
        *(replace(flag, read_by="network") for flag in of_machine),
        *_pace(),
    ]


def _pace():
    at_once = (
        "training steps that are handed to the device at once (TensorFlow, JAX), at "
        "most: as many as divide an epoch's; changes last digits alone"
    )
    at_once = _bounded("integer", "steps_per_execution", 1, at_once, 1)
    apart = (
        "seconds from one checkpoint to the next, at least: what a kill may cost; "
        "0 saves each epoch"
    )
    apart = _bounded("float", "checkpoint_seconds", 5.0, apart)
    return [replace(flag, role="pace") for flag in (apart, at_once)]


def _bounded(kind, name, default, about, low=0):
    high = LARGEST_WHOLE if kind == "integer" else LARGEST
    return Flag(kind, name, default, about, {"lower_bound": low, "upper_bound": high})


def _choice(name, default, about, values):
    return Flag("enum", name, default, about, {"enum_values": [*values]}, "choice")


def _switch(name, about, role):
    return Flag("boolean", name, False, about, role=role)
