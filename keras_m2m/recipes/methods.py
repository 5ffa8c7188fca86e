"""The methods that trainings are named by."""

from collections.abc import Callable
from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field
from typing import Any

import keras

from keras_m2m.imbalance import effective_number_weights
from keras_m2m.imbalance import inverse_frequency_weights
from keras_m2m.m2m_model import M2mModel


@dataclass(frozen=True)
class Method:
    """What a method does once it is active: from the start, or deferred.

    Attributes:
        label: What it is called in tables and figures.
        about: One line for `--help`.
        sampling: `"instance"` or `"class"`, of `ResampledDataset`.
        weights: Function from class counts to class weights, or None.
        deferred: Whether plain training comes first, up to `defer_epoch`.
        smote: Whether the training set is filled up by SMOTE.
        model: Function `(f, g, data, **arguments)` to the `M2mModel` that batches go
            through, whose arguments they are; `data` is a `TrainingSet`. None to fit
            the network itself.
        teachers: How many plainly trained networks g is made of.
        flags: Values that go before those of the recipe, such as `{"lam": 0.0}`.
    """

    label: str
    about: str
    sampling: str = "instance"
    weights: Callable | None = None
    deferred: bool = False
    smote: bool = False
    model: Callable | None = None
    teachers: int = 0
    flags: Mapping[str, float] = field(default_factory=dict)

    @property
    def translate(self) -> bool:
        """Whether batches go through an `M2mModel`."""
        return self.model is not None

    @property
    def balances(self) -> bool:
        """Whether its batches or weights have other class frequencies than the data."""
        return self.sampling == "class" or self.weights is not None or self.smote


def as_class(cls: type[M2mModel]) -> Callable:
    """`Method.model` of M2m, or of an ablation that takes the same arguments.

    Args:
        cls: `M2mModel` or a subclass.

    Returns:
        Function `(f, g, data, **arguments)` to an instance.
    """

    def make(f: keras.Model, g: keras.Model, data: Any, **arguments: Any) -> M2mModel:
        return cls(f, g, data.class_counts, **arguments)

    return make


_EFFECTIVE = effective_number_weights

METHODS = {
    "erm": Method("ERM", "plain training"),
    "rs": Method("RS", "class-balanced sampling", sampling="class"),
    "smote": Method(
        "SMOTE", "SMOTE in input space up to the largest class", smote=True
    ),
    "rw": Method("RW", "class weights of 1/N_k", weights=inverse_frequency_weights),
    "cb_rw": Method("CB-RW", "class weights by effective number", weights=_EFFECTIVE),
    "drs": Method("DRS", "rs after defer_epoch", sampling="class", deferred=True),
    "drw": Method("DRW", "cb_rw after defer_epoch", weights=_EFFECTIVE, deferred=True),
    "m2m": Method(
        "M2m",
        "Major-to-minor Translation after defer_epoch",
        sampling="class",
        deferred=True,
        model=as_class(M2mModel),
        teachers=1,
    ),
}
