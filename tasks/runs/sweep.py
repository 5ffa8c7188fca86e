"""The cells of a table: datasets times rows times seeds, run or found."""

import contextlib
import functools
import sys
from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from tqdm import tqdm

from tasks.data.streams import own_errors
from tasks.experiment.errors import UserError
from tasks.experiment.recipes import method_of
from tasks.experiment.recipes import split_mix
from tasks.experiment.rows import Row
from tasks.experiment.settings import Settings
from tasks.experiment.settings import flags_of
from tasks.experiment.settings import parse
from tasks.experiment.task import Task
from tasks.records import predictions
from tasks.records import records
from tasks.records.folder_lock import Busy
from tasks.records.trainings import Trainings
from tasks.runs import on_cluster
from tasks.runs import tuning
from tasks.runs.cluster import Cluster
from tasks.runs.data_checks import check_data
from tasks.runs.data_checks import left_out
from tasks.training import devices
from tasks.training import hosts
from tasks.training.determinism import make_deterministic


@dataclass(frozen=True)
class Entry:
    """A task with the flags that its cells share.

    Attributes:
        task: The task.
        arguments: Its flags, such as `["--rho=10"]`.
    """

    task: Task
    arguments: Sequence[str]

    @property
    def label(self) -> str:
        """The task and its flags, except those that say where files are."""
        known = flags_of(self.task)
        paths = tuple(f"--{flag.name}=" for flag in known if flag.kind == "path")
        shown = [flag for flag in self.arguments if not flag.startswith(paths)]
        return " ".join([self.task.name, *shown])

    def settings(self, row: Row, seed: int) -> Settings:
        """Those of a cell, the flags included that its method fixes."""
        mix, name = split_mix(row.method)
        method = method_of(name)
        # Ablations are no value of --method; they are deferred, or not, as one that is.
        known = "m2m" if method.deferred else "erm"
        settings = self._parsed(known, f"--loss={row.loss}", f"--seed={seed}")
        settings = settings.replace(method=name, mix=mix, **method.flags)
        return settings.followed_by(row.after)

    def shared(self) -> Settings:
        """Those that its cells have in common, and what its data is loaded by."""
        return self._parsed("erm")

    def _parsed(self, method, *more):
        own = [f"--method={method}", "--compare=", *more]
        return parse(self.task, [*self.arguments, *own])


class Cell(NamedTuple):
    """A training of a table: of a dataset, `Trainings` on it, a row and `Settings`."""

    dataset: Entry
    own: Trainings
    row: Row
    settings: Settings


@dataclass(frozen=True)
class Sweep:
    """What a table is made of.

    Attributes:
        datasets: Its columns.
        rows: Its rows.
        seeds: Number of seeds, from 0.
        results: Folder for the results.
        runs: Folder for networks and checkpoints.
        tuning_seed: The seed to choose M2m's parameters with, or None to take those
            of the presets.
        asked: Whether somebody asked for these rows; of others those are left out that
            a dataset does not allow.
        keeps_predictions: Whether those of each cell are kept beside its network.
    """

    datasets: Sequence[Entry]
    rows: Sequence[Row]
    seeds: int
    results: Path
    runs: Path
    tuning_seed: int | None = None
    asked: bool = True
    keeps_predictions: bool = False

    @contextlib.contextmanager
    def devices(self):
        """What all is loaded, trained, tuned and drawn inside.

        Raises:
            UserError: If the backend or the flags do not allow the devices.
        """
        shared = [own.shared() for own in self.datasets]
        for flag in ("distribute", "deterministic"):
            if len({getattr(settings, flag) for settings in shared}) > 1:
                raise UserError(f"give --{flag} to all datasets or to none")
        if shared[0].distribute and hosts.are_several():
            raise UserError(
                "a table is made by one process. Several can train one network: give "
                "--distribute to the module of a data set"
            )
        if shared[0].deterministic:
            make_deterministic()
        with contextlib.ExitStack() as stack:
            for settings in shared:
                stack.enter_context(devices.chosen_devices(settings))
            stack.enter_context(own_errors())
            yield

    def run(self, cluster: Cluster | None = None) -> list[dict]:
        """Run what is not there; inside `devices`.

        Args:
            cluster: Where to run it; None for this process.

        Returns:
            Of each dataset, lists of results by `Row.key`.

        Raises:
            UserError: If data, flags or folders do not allow it.
        """
        for dataset, own in zip(self.datasets, self.opened, strict=True):
            rows = [row for row in self.rows if row.key not in self.left_out(dataset)]
            check_data(dataset.label, own.data, rows, self.tuning_seed is not None)
        if cluster is not None:
            on_cluster.tune(self, cluster)
        plan = [
            Cell(dataset, own, row, settings)
            for dataset, own in zip(self.datasets, self.opened, strict=True)
            for row, settings in self.settings(dataset)
            if row.key not in self.left_out(dataset)
        ]
        found = [cell.own.find(cell.settings) for cell in plan]
        there = sum(result is not None for result in found)
        print(f"{there} of {len(plan)} cells are there already", flush=True)
        if cluster is None:
            done = self._made(plan, found)
        else:
            done = on_cluster.made(self, cluster, plan, found)
        results = {id(own): {} for own in self.opened}
        for (_, own, row, _), result in zip(plan, done, strict=True):
            results[id(own)].setdefault(row.key, []).append(result)
        return [results[id(own)] for own in self.opened]

    def _made(self, plan, found):
        """The results of a plan's cells, one after the other."""
        # Only what is left shows how long the rest will take.
        bar = tqdm(total=found.count(None), unit="cell", file=sys.stderr)
        done, wait = {}, False
        with bar:
            while len(done) < len(plan):
                before = len(done)
                for i, (_, own, _, settings) in enumerate(plan):
                    if i in done:
                        continue
                    bar.set_description(own.name(settings).rpartition("-")[0])
                    own.wait = wait
                    with contextlib.suppress(Busy):
                        done[i] = self.make(own, settings)
                        bar.update(found[i] is None)
                        wait = False
                # For one alone, and only where other processes are at all that is left.
                wait = len(done) == before
        return [done[i] for i in range(len(plan))]

    @property
    def make(self) -> Callable[[Trainings, Settings], dict]:
        """What makes a cell and returns its result."""
        return predictions.result if self.keeps_predictions else Trainings.result

    def left_out(self, dataset: Entry) -> dict[tuple[str, ...], str]:
        """Why rows are not made of a dataset, by `Row.key`; it is loaded."""
        if self.asked:
            return {}
        return left_out(self.rows, self.opened[self.datasets.index(dataset)].data)

    def predicted(self, dataset: Entry, found: bool) -> Iterator:
        """What finished cells predict, as far as that is kept.

        Args:
            dataset: One of `datasets`.
            found: Whether to look for it as `found` does, else as `run` made it.

        Yields:
            Triples of a row, the cell's result and its `Predictions`.
        """
        for row, settings in self.settings(dataset, load=not found):
            if found:
                path, result = records.find_with_path(self.results, settings)
                folder = path and self.runs / dataset.task.name / path.stem
            else:
                own = self.opened[self.datasets.index(dataset)]
                result, folder = own.find(settings), own.folder_of_result(settings)
            if result and "failed" not in result:
                kept = predictions.read(folder)
                if kept is not None:
                    yield row, result, kept

    def found(self) -> list[dict]:
        """What is there, of whatever backend and data; as `run`, which runs nothing.

        Raises:
            UserError: If a cell is there twice, from different backends or data.
        """
        found = []
        for dataset in self.datasets:
            of_dataset = {}
            for row, settings in self.settings(dataset, load=False):
                result = records.find(self.results, settings)
                if result is not None:
                    of_dataset.setdefault(row.key, []).append(result)
            found.append(of_dataset)
        return found

    @functools.cached_property
    def opened(self) -> list[Trainings]:
        """The cells of each dataset, its data loaded."""
        return [self._open(dataset) for dataset in self.datasets]

    def _open(self, dataset):
        data = dataset.task.load(dataset.shared())
        return Trainings(dataset.task, data, self.results, self.runs)

    def settings(self, dataset: Entry, load: bool = True):
        """The cells of a dataset, seed by seed, with what is tuned.

        Args:
            dataset: One of `datasets`.
            load: Whether to tune what is not; otherwise to take what was found before.

        Yields:
            Pairs of a row and the `Settings` of a cell; not of rows to be tuned that
            neither are nor shall be.
        """
        tuned = {}
        if self.tuning_seed is not None:
            self._check_searches()
        for seed in range(self.seeds):
            for row in self.rows:
                settings = dataset.settings(row, seed)
                method = method_of(row.method)
                if method.translate and self.tuning_seed is not None:
                    if row.loss not in tuned:
                        tuned[row.loss] = self._tuned(dataset, row.loss, load)
                    if not tuned[row.loss]:
                        continue
                    settings = settings.replace(**{**tuned[row.loss], **method.flags})
                yield row, settings

    def searches(self, dataset: Entry) -> dict[str, Settings]:
        """Of each loss that parameters are tuned for, what they are tuned with."""
        if self.tuning_seed is None:
            return {}
        losses = [row.loss for row in self.rows if method_of(row.method).translate]
        return {
            loss: dataset.settings(Row(loss, "m2m"), self.tuning_seed)
            for loss in dict.fromkeys(losses)
        }

    def _check_searches(self):
        searches = sum(len(self.searches(dataset)) for dataset in self.datasets)
        if tuning.is_distributed() and searches > 1:
            raise UserError(
                f"this makes {searches} searches, and KerasTuner's chief and workers "
                "do one: name one dataset and rows of one loss, such as --rows=ce-m2m"
            )

    def _tuned(self, dataset, loss, load):
        settings = self.searches(dataset)[loss]
        if not load:
            return tuning.found(self.results, settings)
        return tuning.tune(self.opened[self.datasets.index(dataset)], settings)
