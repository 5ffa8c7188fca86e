"""One run in several processes: process 0 leads, and the others follow."""

from tasks.experiment.errors import UserError
from tasks.experiment.settings import Settings
from tasks.experiment.task import Data
from tasks.experiment.task import Task
from tasks.records.identity import checksum
from tasks.training import hosts
from tasks.training import train


def announce(data: Data) -> None:
    """Have the other processes, if there are any, load the same data."""
    team = hosts.team()
    if team is not None:
        team.send(checksum(data))


def follow(task: Task, settings: Settings) -> dict:
    """Load the data that process 0 has, and go through all of its trainings.

    Args:
        task: The data set's `Task`.
        settings: The value of every flag. Where data lies may differ from process 0.

    Returns:
        No results, which are those of process 0.

    Raises:
        UserError: If the data is not the same.
    """
    orders = hosts.team().orders()
    expected = next(orders, None)
    if expected is None:  # Nothing is to be trained.
        return {}
    data = task.load(settings)
    if checksum(data) != expected:
        raise UserError(
            f"{data.source}: this process has other data than process 0. Give all of "
            "them the same data and the same flags"
        )
    train.follow(task, data, settings, orders)
    return {}
