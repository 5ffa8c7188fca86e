"""The classifier that a report advises, kept with its rule for `tasks.predict`."""

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING
from typing import Any

from tasks.data.whole_files import make_folder
from tasks.records import records
from tasks.records import served
from tasks.runs import card
from tasks.runs.sweep import Sweep

if TYPE_CHECKING:
    from keras_m2m.report import Advice

_CARD = "README.md"


class Advised:
    """The first training of the method that is advised.

    Args:
        sweep: Of one dataset, run or found.
        predicted: What `Sweep.predicted` gives.
        folder: Where the classifier is kept.
        found: Whether nothing may be trained or loaded: the folder then has to hold the
            training already, from when it was run, and its rule alone is written.
    """

    def __init__(
        self, sweep: Sweep, predicted: Sequence[Any], folder: Path, found: bool
    ) -> None:
        self.sweep, self.folder, self.found = sweep, folder, found
        self._results = [(row, result) for row, result, _ in predicted]

    def _first(self, advice):
        named = (own for own in self._results if own[0].label == advice.method)
        return next(named)

    def command(self, advice: "Advice") -> str | None:
        """What carries the advice out; None where the classifier is not kept."""
        if advice.method is None or not self._is_kept(advice):
            return None
        folder = shlex.quote(str(self.folder))
        return f"python -m tasks.predict --model={folder} --data=NEW"

    def _is_kept(self, advice):
        if not self.found:
            return True
        _, result = self._first(advice)
        path = self.folder / "result.json"
        try:
            there = records.read(path) if path.exists() else {}
        except records.Damaged:
            return False
        return all(there.get(key) == value for key, value in result.items())

    def sentence(self, advice: "Advice") -> str:
        """Where the classifier is, in words that the command follows."""
        if self.command(advice) is None:
            return (
                f"The same command without --found keeps {advice.method} and this rule "
                "in a folder, for python -m tasks.predict."
            )
        seed = self._first(advice)[1]["seed"]
        return (
            f"{advice.method} of seed {seed} is kept in {self.folder}, and how to "
            f"decide in {served.RULE} beside it. Of new samples, in the form of those "
            "that it was fitted to, this writes decisions and probabilities:"
        )

    def keep(self, advice: "Advice") -> None:
        """Write the classifier and its rule, as far as they are made here.

        Raises:
            UserError: If the folder cannot be written to.
        """
        if self.command(advice) is None:
            return
        row, result = self._first(advice)
        if not self.found:
            self._write(row, result)
        served.write_rule(self.folder, advice.rule, result["class_names"])

    def _write(self, row, result):
        ((dataset,), (own,)) = self.sweep.datasets, self.sweep.opened
        settings = next(
            settings
            for other, settings in self.sweep.settings(dataset)
            if other.key == row.key and settings.seed == result["seed"]
        )
        make_folder("out", self.folder)
        for name in (*served.FILES, _CARD):  # Of another method, perhaps.
            (self.folder / name).unlink(missing_ok=True)
        served.write(self.folder, own, settings)
        if own.data.reading:  # Which the results of references do not say.
            result = {**result, "reading": dict(own.data.reading)}
        records.write(self.folder / "result.json", result)
        if "parameters" in result:
            card.write(self.folder, result)
