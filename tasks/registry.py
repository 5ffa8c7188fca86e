"""All tasks, by the names and flags that a command line gives them."""

import importlib
import shlex

from tasks.experiment.errors import UserError
from tasks.experiment.task import Task

TASKS = [
    *("cifar_lt", "celeba5", "sun397", "twitter", "reuters", "imagenet_lt"),
    *("digits_lt", "folder"),
]


def find(command: str) -> tuple[Task, list[str]]:
    """A task and its flags.

    Args:
        command: The task's name, then flags, as in `"cifar_lt --rho=10"`.

    Returns:
        The `Task`, and the flags as a command line has them.

    Raises:
        UserError: If there is no such task, or quotes do not match.
    """
    try:
        name, *arguments = shlex.split(command) or [""]
    except ValueError as error:
        raise UserError(f"{command!r} is no command line: {error}") from error
    if name not in TASKS:
        raise UserError(f"{name!r} is no task. There are {', '.join(TASKS)}")
    return importlib.import_module(f"tasks.{name}").TASK, arguments
