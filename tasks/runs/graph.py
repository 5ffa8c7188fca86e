"""What is to be made, and what before it: trainings as a graph.

A training of M2m needs that of its g, each deferred one the plain epochs that it shares
with others, and a row of what is done after a training that training. Where one process
makes all, each begins with what it lacks; where many do, none of them should have to.
"""

import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from dataclasses import replace
from typing import Any

from keras_m2m.recipes import NOTHING
from keras_m2m.recipes import Diverged
from tasks.experiment.recipes import REFERENCES
from tasks.experiment.recipes import needs_network
from tasks.experiment.settings import Settings
from tasks.records.progress import known
from tasks.records.progress import logged
from tasks.records.progress import shared_start
from tasks.records.teachers import teachers
from tasks.records.trainings import Trainings
from tasks.training import devices


@dataclass(frozen=True)
class Step:
    """What one process makes in one go.

    Attributes:
        name: The folder of what it makes, by which it is known.
        sweep: A `Sweep` of the data set that it is of alone.
        settings: Of the training.
        training: The name of the training, which says what data it is of.
        make: Function of the data set's `Trainings` and the settings.
        needs: Names of the steps that come before it.
    """

    name: str
    sweep: Any
    settings: Settings
    training: str
    make: Callable[[Trainings, Settings], Any]
    needs: tuple[str, ...]


class Graph:
    """Steps, each behind those that it needs.

    Attributes:
        steps: By name.
    """

    def __init__(self) -> None:
        self.steps: dict[str, Step] = {}

    def add(
        self,
        sweep: Any,
        cells: Trainings,
        settings: Settings,
        make: Callable[[Trainings, Settings], Any] = Trainings.result,
    ) -> str:
        """Add a step, and what has to be made before it.

        Args:
            sweep: As for `Step`.
            cells: The trainings on it.
            settings: Of the training.
            make: As for `Step`; it trains what is missing.

        Returns:
            The name of the step.
        """
        name = str(cells.folder_of_result(settings))
        if name in self.steps:  # So far it was to be trained, as others need it.
            self.steps[name] = replace(self.steps[name], make=make)
        else:
            self._put(name, sweep, cells, settings, make)
        return name

    def _put(self, name, sweep, cells, settings, make):
        of = sweep, cells
        needs = tuple(name for name in self._needs(*of, settings) if name)
        training = cells.name(settings)
        self.steps[name] = Step(name, sweep, settings, training, make, needs)

    def _needs(self, sweep, cells, settings):
        if settings.method in REFERENCES:
            if needs_network(settings.method):
                yield self._training(sweep, cells, settings.replace(method="erm"))
        elif settings.after:
            yield self._training(sweep, cells, settings.followed_by(NOTHING))
        elif known(cells.folder(settings)) is None:
            for own in teachers(settings):
                yield self._training(sweep, cells, own)
            start = shared_start(settings)
            if start is not None:
                yield self._start(sweep, cells, start)

    def _training(self, sweep, cells, settings):
        """The name of the step of a training, unless that is done."""
        name = str(cells.folder(settings))
        if name not in self.steps:
            if known(cells.folder(settings)) is not None:
                return None
            self._put(name, sweep, cells, settings, _train)
        return name

    def _start(self, sweep, cells, start):
        name = str(cells.folder_of_start(start))
        if name not in self.steps:
            step = Step(name, sweep, start, cells.name(start), _begin, ())
            self.steps[name] = step
        return name


def _train(cells, settings):
    # What needs it says so, if it diverged.
    with contextlib.suppress(Diverged):
        cells.network(settings)


def _begin(cells, start):
    folder = cells.folder_of_start(start)
    folder.mkdir(parents=True, exist_ok=True)
    with contextlib.suppress(Diverged), logged(folder):
        cells.begin(start)
    devices.clear_session()
