"""The rows of tables."""

from dataclasses import dataclass

from keras_m2m.recipes import LOSSES
from keras_m2m.recipes import METHODS
from keras_m2m.recipes import MIXES
from keras_m2m.recipes import NOTHING
from keras_m2m.recipes import After
from keras_m2m.recipes.after import read_after
from tasks.experiment.recipes import REFERENCES
from tasks.experiment.recipes import method_of
from tasks.experiment.recipes import mixed_name
from tasks.experiment.recipes import split_mix


@dataclass(frozen=True)
class Row:
    """A row of a table: a method by a loss, and what is done after its training.

    Attributes:
        loss: A key of `LOSSES`.
        method: A key of `METHODS` or `ABLATIONS`, or a `mixed_name`; or of
            `REFERENCES`, which have no loss to choose and stand under `"ce"`.
        label: What the row is called; by default such as `"LDAM-M2m"`, `"mixup-DRS"`
            or `"M2m + cRT"`.
        after: What is done after the training.
    """

    loss: str
    method: str
    label: str = ""
    after: After = NOTHING

    def __post_init__(self):
        if not self.label:
            object.__setattr__(self, "label", _label(self))

    @property
    def key(self) -> tuple[str, ...]:
        """What records are kept by."""
        return self.loss, self.method, *([self.after.name] if self.after else [])

    @property
    def name(self) -> str:
        """What `--rows` calls it: `"ce-m2m"`, `"ce-erm+adjust=auto"`, `"logistic"`."""
        if self.method in REFERENCES:
            return self.method
        return "+".join([f"{self.loss}-{self.method}", *self.key[2:]])


def read_row(name: str) -> Row | None:
    """The row of a name, as `Row.name` writes it; None for none that can be chosen."""
    if name in REFERENCES:
        return Row("ce", name)
    pair, plus, after = name.partition("+")
    loss, _, method = pair.partition("-")
    done = read_after(after) if plus else NOTHING
    known = [mixed_name(own, mix) for own in METHODS for mix in MIXES]
    if loss not in LOSSES or method not in known or done is None:
        return None
    return Row(loss, method, after=done)


def _label(row):
    mix, method = split_mix(row.method)
    parts = [LOSSES[row.loss].label, MIXES[mix].label, method_of(method).label]
    parts = [part for part in parts if part]
    if method == "erm" and len(parts) > 1:
        parts.pop()
    name = "-".join(parts)
    return f"{name} + {row.after.label}" if row.after else name
