"""Predictions on held-out samples, as a report takes them."""

import numbers
from collections.abc import Iterable
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from keras_m2m.checks import as_array
from keras_m2m.decisions.probabilities import check_labelled

KINDS = ("reference", "network")  # The simpler first.


class Held(NamedTuple):
    """Predictions of one training of a method on samples that it has not seen.

    Attributes:
        name: Of the method; several trainings of one name differ by their seed.
        y_val: Classes of the validation samples, integers `(n,)`, for all choices; None
            where there are none.
        p_val: Their probabilities `(n, num_classes)`, or None.
        y_test: Classes of the test samples `(m,)`, for which nothing is chosen.
        p_test: Their probabilities `(m, num_classes)`.
        seed: Of the training.
        kind: `"network"`, or `"reference"` for what is simpler than one.
        seconds: What the training took, or None. Of methods of one kind, the faster
            counts as the simpler.
    """

    name: str
    y_val: ArrayLike | None
    p_val: ArrayLike | None
    y_test: ArrayLike
    p_test: ArrayLike
    seed: int = 0
    kind: str = "network"
    seconds: float | None = None


class Method(NamedTuple):
    """All trainings of a method.

    Attributes:
        name: Its name.
        kind: `"network"` or `"reference"`.
        seconds: Mean of a training, or None.
        p_val: `(trainings, n, num_classes)`, or None.
        p_test: `(trainings, m, num_classes)`.
    """

    name: str
    kind: str
    seconds: float | None
    p_val: np.ndarray | None
    p_test: np.ndarray

    @property
    def trainings(self) -> int:
        """Their number."""
        return len(self.p_test)


class Gathered(NamedTuple):
    """Labels that all methods share, and the methods, from the simplest.

    Attributes:
        y_val: int64 `(n,)`, or None.
        y_test: int64 `(m,)`.
        methods: `Method`s.
    """

    y_val: np.ndarray | None
    y_test: np.ndarray
    methods: list[Method]


def gathered(held: Sequence[Held], num_classes: int) -> Gathered:
    """Trainings sorted by method, if all are of the same samples.

    Args:
        held: At least one.
        num_classes: Number of classes K.

    Raises:
        ValueError: If labels or probabilities do not fit, or trainings are of other
            samples than the first.

    Example:

    >>> one = Held("logistic", None, None, [0, 1], [[0.9, 0.1], [0.3, 0.7]])
    >>> gathered([one], 2).methods[0].trainings
    1
    """
    if not isinstance(held, Iterable) or isinstance(held, Held | str):
        raise ValueError(f"`held` must be a sequence of Held. Received: held={held!r}")
    checked = [_checked(own, num_classes) for own in held]
    if not checked:
        raise ValueError("`held` must have one training or more. Received: held=[]")
    _check_same("y_test", [own.y_test for own in checked], checked)
    judged = [own for own in checked if own.y_val is not None]
    _check_same("y_val", [own.y_val for own in judged], judged)
    by_name: dict[str, list[Held]] = {}
    for own in checked:
        by_name.setdefault(own.name, []).append(own)
    methods = [_method(name, trainings) for name, trainings in by_name.items()]
    methods.sort(key=_simplicity)
    y_val = judged[0].y_val if judged else None
    return Gathered(y_val, checked[0].y_test, methods)


def _simplicity(method):
    seconds = np.inf if method.seconds is None else method.seconds
    return KINDS.index(method.kind), seconds


def _checked(own, num_classes):
    if not isinstance(own, Held):
        raise ValueError(f"`held` must be a sequence of Held. Received: {own!r} in it")
    if not isinstance(own.name, str) or not own.name.strip():
        raise ValueError(f"A method must have a name. Received: name={own.name!r}")
    if not isinstance(own.kind, str) or own.kind not in KINDS:
        raise ValueError(
            f"`kind` must be one of {', '.join(KINDS)}. Received: kind={own.kind!r} of "
            f"{own.name}"
        )
    is_number = isinstance(own.seconds, numbers.Real)
    if own.seconds is not None and not (is_number and 0 <= own.seconds < np.inf):
        raise ValueError(
            "`seconds` must be a number of at least 0, or None. "
            f"Received: seconds={own.seconds!r} of {own.name}"
        )
    if (own.y_val is None) != (own.p_val is None):
        raise ValueError(
            f"Give both `y_val` and `p_val` of {own.name}, or neither. Received: "
            f"only {'p_val' if own.y_val is None else 'y_val'}"
        )
    y_test, p_test = _of(own, "test", own.y_test, own.p_test, num_classes)
    own = own._replace(y_test=y_test, p_test=p_test)
    if own.y_val is None or not as_array(y_val=own.y_val).size:
        return own._replace(y_val=None, p_val=None)
    y_val, p_val = _of(own, "validation", own.y_val, own.p_val, num_classes)
    return own._replace(y_val=y_val, p_val=p_val)


def _of(own, part, y, p, num_classes):
    try:
        y, p = check_labelled(y, p)
    except ValueError as error:
        raise ValueError(f"{own.name}, seed {own.seed}, {part}: {error}") from error
    if p.shape[1] != num_classes:
        raise ValueError(
            f"Probabilities must be of {num_classes} classes, as `class_names` are. "
            f"Received: {p.shape[1]} columns of {own.name}, {part}"
        )
    return y, p


def _check_same(name, labels, held):
    for own, y in zip(held, labels):
        if not np.array_equal(y, labels[0]):
            raise ValueError(
                f"`{name}` must be the same for all: methods are compared sample by "
                f"sample. Received: {own.name} of seed {own.seed}, which differs from "
                f"{held[0].name} of seed {held[0].seed}"
            )


def _method(name, trainings):
    seeds = [own.seed for own in trainings]
    kinds = {own.kind for own in trainings}
    has_val = {own.p_val is not None for own in trainings}
    if len(set(seeds)) < len(seeds) or len(kinds) > 1 or len(has_val) > 1:
        raise ValueError(
            "Trainings of one name must have different seeds, one kind, and validation "
            f"samples or none. Received: {name} of seeds {seeds}, of kinds "
            f"{sorted(kinds)}"
        )
    known = [own.seconds for own in trainings if own.seconds is not None]
    return Method(
        name,
        kinds.pop(),
        float(np.mean(known)) if known else None,
        np.stack([own.p_val for own in trainings]) if has_val == {True} else None,
        np.stack([own.p_test for own in trainings]),
    )
