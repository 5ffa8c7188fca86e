"""A temperature, and a prior that is missing, where held-out samples ask for it."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from keras_m2m.decisions.folds import stratified_folds
from keras_m2m.decisions.probabilities import check_labelled
from keras_m2m.decisions.probabilities import check_probabilities
from keras_m2m.decisions.probabilities import log_probabilities
from keras_m2m.decisions.temperature import softmax
from keras_m2m.decisions.temperature import temperature_of_logits
from keras_m2m.imbalance import ClassCounts
from keras_m2m.imbalance import check_prior

_SURE = 1.96  # Standard errors that a gain must exceed.
FEWEST_SAMPLES = 20  # To choose a temperature by.


class Calibration(NamedTuple):
    """How probabilities are corrected: `calibration(p)`.

    Attributes:
        temperature: What log-probabilities are divided by; 1 changes nothing.
        prior: Shares of the classes that are then multiplied in, `(num_classes,)`, or
            None: for a classifier of balanced batches, which knows nothing of them.
    """

    temperature: float
    prior: np.ndarray | None

    @property
    def changes(self) -> bool:
        """Whether it changes probabilities at all."""
        return self.temperature != 1 or self.prior is not None

    def __call__(self, p: ArrayLike) -> np.ndarray:
        """Corrected probabilities, float64 `(n, num_classes)`."""
        if not self.changes:
            return check_probabilities(p=p)
        logits = log_probabilities(check_probabilities(p=p)) / self.temperature
        return softmax(logits if self.prior is None else logits + np.log(self.prior))


def choose_calibration(
    y_val: ArrayLike, p_val: ArrayLike, prior: ClassCounts | None = None
) -> Calibration:
    """What makes probabilities right: nothing, a temperature, or also the prior.

    Training on balanced batches or by class weights leaves probabilities that hold as
    if all classes were equally frequent, which no temperature mends: the prior has to
    be multiplied in. Each candidate is fitted on four fifths of the samples and judged
    by the likelihood of the last one, in turn; one that changes more is taken only if
    it is better by more than noise.

    Args:
        y_val: Classes of held-out samples, integers `(n,)`; never those of the test.
        p_val: Their probabilities `(n, num_classes)`.
        prior: Of the data, samples per class or shares; None to count `y_val`, and one
            more of each class.

    Returns:
        `Calibration`.

    Raises:
        ValueError: If labels, probabilities or the prior do not fit.

    Example:

    >>> y = np.repeat([0, 0, 1], 50)
    >>> p = np.where(y[:, None] == [0, 1], 0.6, 0.4)
    >>> p[::5] = p[::5, ::-1]  # One in five is wrong: 0.8 is right.
    >>> round(choose_calibration(y, p).temperature, 1)
    0.3

    Source: Guo et al., On calibration of modern neural networks (ICML 2017), section
    4.2; Saerens et al. (Neural Computation 2002), eq. (2.4), for the prior.
    """
    y, p = check_labelled(y_val, p_val)
    size = p.shape[1]
    if prior is None:
        prior = np.bincount(y, minlength=size) + 1
    return calibration_of_trainings(
        y, log_probabilities(p)[None], check_prior(size, prior=prior)
    )


def calibration_of_trainings(
    y: np.ndarray, logits: np.ndarray, prior: np.ndarray
) -> Calibration:
    """A calibration that several trainings of a method share.

    Args:
        y: Classes `(n,)`.
        logits: Log-probabilities `(m, n, num_classes)`, of each training.
        prior: Shares of the classes, `(num_classes,)`.

    Example:

    >>> logits = np.log([[[0.9, 0.1], [0.2, 0.8]]])
    >>> calibration_of_trainings(np.array([0, 1]), logits, np.array([0.5, 0.5]))
    Calibration(temperature=1.0, prior=None)
    """
    best, losses = None, _losses(y, logits, Calibration(1.0, None))
    if len(y) < FEWEST_SAMPLES:
        return Calibration(1.0, None)
    for own in (None, prior):
        fitted = _cross_fitted(y, logits, own)
        gains = losses - fitted
        error = gains.std() / np.sqrt(len(y))
        if gains.mean() > _SURE * error and gains.mean() > 0:
            best, losses = (own,), fitted
    if best is None:
        return Calibration(1.0, None)
    return _fitted(y, logits, best[0])


def _cross_fitted(y, logits, prior):
    """NLL of each sample under what was fitted on others, mean over trainings."""
    (fold,) = stratified_folds(y, repeats=1)
    losses = np.empty(len(y))
    for held_out in np.unique(fold):
        away = fold == held_out
        found = _fitted(y[~away], logits[:, ~away], prior)
        losses[away] = _losses(y[away], logits[:, away], found)
    return losses


def _fitted(y, logits, prior):
    m, n, size = logits.shape
    offsets = 0.0 if prior is None else np.log(prior)
    try:
        temperature = temperature_of_logits(
            logits.reshape(m * n, size), np.tile(y, m), offsets
        )
    except ValueError:  # No temperature is best: all are right, or none is known.
        temperature = 1.0
    return Calibration(temperature, prior)


def _losses(y, logits, calibration):
    found = np.zeros(len(y))
    for own in logits:
        p = calibration(np.exp(own))
        found -= log_probabilities(p[np.arange(len(y)), y])
    return found / len(logits)
