"""From probabilities to a class: the likeliest, one by offsets, or the cheapest."""

from collections.abc import Mapping
from typing import Any
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from keras_m2m.checks import as_array
from keras_m2m.checks import check_positive
from keras_m2m.decisions.calibrated import Calibration
from keras_m2m.decisions.prior import prior_replaced
from keras_m2m.decisions.probabilities import check_costs
from keras_m2m.decisions.probabilities import check_probabilities
from keras_m2m.decisions.probabilities import log_probabilities
from keras_m2m.decisions.temperature import softmax
from keras_m2m.imbalance import check_prior
from keras_m2m.imbalance.counts import in_order


def decide(
    p: ArrayLike, offsets: ArrayLike | None = None, costs: Any = None
) -> np.ndarray:
    """The class to decide for.

    - By default the likeliest, which is best for accuracy.
    - With offsets the class whose log-probability plus offset is largest. Under
      calibrated probabilities, minus the logarithm of the prior is best for balanced
      accuracy; of two classes an offset is a threshold. `class_offsets` chooses them.
    - With costs the class whose expected cost is least, Bayes' decision. It needs
      calibrated probabilities, and is no offset: it may be a class that is never the
      likeliest.

    Args:
        p: Probabilities `(n, num_classes)`.
        offsets: A number for each class, added to log-probabilities, or None.
        costs: What each mistake costs, `(num_classes, num_classes)` indexed
            `[true, predicted]`, or None. At most one of the two may be given.

    Returns:
        int64 array `(n,)` of classes `0..num_classes - 1`.

    Raises:
        ValueError: If an array is of another shape or not finite, or both are given.

    Example:

    >>> p = [[0.9, 0.1], [0.99, 0.01]]
    >>> decide(p), decide(p, costs=[[0, 1], [50, 0]])  # Better to be safe.
    (array([0, 0]), array([1, 0]))

    Source: Elkan, The foundations of cost-sensitive learning (IJCAI 2001), eq. (1);
    Menon et al., Long-tail learning via logit adjustment (ICLR 2021), for the offsets.
    """
    p = check_probabilities(p=p)
    if offsets is not None and costs is not None:
        raise ValueError("Give `offsets` or `costs`, not both")
    if costs is not None:
        return (p @ check_costs(costs, p.shape[1])).argmin(axis=1)
    if offsets is None:
        return p.argmax(axis=1)
    return (log_probabilities(p) + _check_offsets(offsets, p.shape[1])).argmax(axis=1)


def _check_offsets(offsets, num_classes):
    found = as_array(offsets=offsets)
    if found.shape != (num_classes,) or found.dtype.kind not in "iuf":
        raise ValueError(
            f"`offsets` must be a number for each of {num_classes} classes. "
            f"Received: offsets={offsets}"
        )
    if not np.isfinite(found).all():
        raise ValueError(f"`offsets` must be finite. Received: offsets={offsets}")
    return found.astype("float64")


class Rule(NamedTuple):
    """All that is done with probabilities: corrected, shifted to a prior, decided by.

    `keras_m2m.report` chooses one. It is the same for new samples, elsewhere too:
    `get_config` and `from_config` take it through a file.

    Attributes:
        calibration: What makes probabilities right.
        offsets: For `decide`, `(num_classes,)`, or None for the likeliest class.
        costs: For `decide` in its place, or None.
        prior: Of the validation samples, and what it becomes, or None.

    Example:

    >>> rule = Rule(Calibration(2.0, None), np.array([0.0, 1.5]), None, None)
    >>> rule.probabilities([[0.9, 0.1]]), rule.decide([[0.8, 0.2]])
    (array([[0.75, 0.25]]), array([1]))
    """

    calibration: Calibration
    offsets: np.ndarray | None
    costs: np.ndarray | None
    prior: tuple[np.ndarray, np.ndarray] | None

    def probabilities(self, p: ArrayLike) -> np.ndarray:
        """Calibrated ones, for the prior that is asked for, `(n, num_classes)`."""
        p = self.calibration(p)
        return p if self.prior is None else prior_replaced(p, *self.prior)

    def decide(self, p: ArrayLike) -> np.ndarray:
        """Classes `(n,)`."""
        return decide(self._decided_by(p), self.offsets, self.costs)

    def margins(self, p: ArrayLike) -> np.ndarray:
        """How far each decision is from the next best one, `(n,)`.

        In probability, offsets included; of costs, in expected cost.
        """
        p = check_probabilities(p=self._decided_by(p))
        if self.costs is not None:
            p = -(p @ self.costs)
        elif self.offsets is not None:
            p = softmax(log_probabilities(p) + self.offsets)
        two = np.sort(p, axis=1)[:, -2:]
        return two[:, 1] - two[:, 0]

    def _decided_by(self, p):
        # Offsets were chosen with probabilities as they are, or for another prior.
        is_plain = self.costs is None and (self.offsets is None or self.prior is None)
        return p if is_plain else self.probabilities(p)

    def get_config(self) -> dict[str, Any]:
        """What `from_config` takes, ready for JSON."""
        before, after = self.prior or (None, None)
        return {
            "temperature": float(self.calibration.temperature),
            "times_prior": _listed(self.calibration.prior),
            "prior": _listed(before),
            "test_prior": _listed(after),
            "offsets": _listed(self.offsets),
            "costs": _listed(self.costs),
        }

    @classmethod
    def from_config(cls, config: Mapping[str, Any], num_classes: int) -> "Rule":
        """The rule that `get_config` was called of, to the bit.

        Args:
            config: What it gave. All but `"temperature"` may be missing.
            num_classes: Number of classes K.

        Raises:
            ValueError: If it holds something else, or is not of so many classes.
        """
        if not isinstance(config, Mapping) or "temperature" not in config:
            raise ValueError(
                "A rule must be a dictionary with a temperature, as get_config gives "
                f"it. Received: config={config!r}"
            )
        get, given = config.get, lambda name: config.get(name) is not None
        if given("offsets") and given("costs"):
            raise ValueError("A rule must hold offsets or costs, not both")
        if given("prior") != given("test_prior"):
            raise ValueError("A rule must hold both `prior` and `test_prior`, or none")
        shares = {
            name: _shares(num_classes, **{name: get(name)})
            for name in ("times_prior", "prior", "test_prior")
            if given(name)
        }
        temperature = check_positive(temperature=config["temperature"])
        return cls(
            Calibration(temperature, shares.get("times_prior")),
            _check_offsets(get("offsets"), num_classes) if given("offsets") else None,
            check_costs(get("costs"), num_classes) if given("costs") else None,
            (shares["prior"], shares["test_prior"]) if given("prior") else None,
        )


def _listed(array):
    return None if array is None else np.asarray(array, "float64").tolist()


def _shares(num_classes, **argument):
    """Shares as they are: `check_prior` would round them anew."""
    check_prior(num_classes, **argument)
    ((name, value),) = argument.items()
    return as_array(**{name: in_order(value, name)}).astype("float64")
