"""Which of the paper's datasets a run is of, and where its protocol is another."""

from collections.abc import Mapping

from tasks.experiment.settings import parse
from tasks.experiment.task import Task

# The flags that tell a task's datasets apart, and the paper's name for each.
_DATASETS = {
    "cifar_lt": {
        ("dataset=cifar10", "rho=100"): "cifar_lt_10 rho=100",
        ("dataset=cifar10", "rho=10"): "cifar_lt_10 rho=10",
        ("dataset=cifar100", "rho=100"): "cifar_lt_100 rho=100",
        ("dataset=cifar100", "rho=10"): "cifar_lt_100 rho=10",
    },
    "celeba5": {(): "celeba5"},
    "sun397": {(): "sun397"},
    "twitter": {(): "twitter"},
    "reuters": {(): "reuters"},
    "imagenet_lt": {(): "imagenet_lt"},
}
# What the paper does not say: how much noise, and what the others were tuned to.
_UNKNOWN = {"beta", "lam", "gamma", "noise"}


def dataset_label(task: str, flags: Mapping) -> str | None:
    """The paper's dataset that a run is of, by whatever protocol.

    Args:
        task: A task's name.
        flags: Its flags, as a result has them.

    Returns:
        As `results.csv` has it, such as `"reuters"`, or None.
    """
    chosen = _chosen(task, flags)
    return None if chosen is None else chosen[1]


def departures(task: Task, flags: Mapping) -> list[str]:
    """Where a run's protocol is not the paper's.

    Flags that only this version does not know, or that a result of another does not
    have, count as no departure.

    Args:
        task: The task.
        flags: Its flags, as a result has them.

    Returns:
        A phrase for each, such as `"epochs 60, not 200"`; empty if there are none.
    """
    chosen = _chosen(task.name, flags)
    if chosen is None:
        return ["the paper has no such dataset"]
    arguments = [f"--{argument}" for argument in chosen[0]]
    expected = parse(task, arguments)
    numbers = [name for name, f in expected.flags.items() if f.role == "number"]
    return [
        f"{name} {_text(flags[name])}, not {_text(value)}"
        for name, value in expected.values.items()
        if name in numbers and name in flags.keys() - _UNKNOWN and flags[name] != value
    ]


def _chosen(task, flags):
    """`(arguments, label)` of the dataset, or None."""
    for arguments, label in _DATASETS.get(task, {}).items():
        pairs = (argument.split("=") for argument in arguments)
        if all(_text(flags.get(name)) == value for name, value in pairs):
            return arguments, label
    return None


def _text(value):
    if isinstance(value, list):
        return ", ".join(value)
    return f"{value:g}" if isinstance(value, float) else str(value)
