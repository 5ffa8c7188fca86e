"""Offsets of classes for a metric, chosen on held-out samples."""

from typing import Any
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from keras_m2m.decisions.folds import stratified_folds
from keras_m2m.decisions.lead import lead
from keras_m2m.decisions.objective import Objective
from keras_m2m.decisions.objective import check_objective
from keras_m2m.decisions.probabilities import check_labelled
from keras_m2m.decisions.probabilities import log_probabilities
from keras_m2m.imbalance import ClassCounts
from keras_m2m.imbalance import check_prior

# Strengths of the prior. Below 0 it is put back into probabilities of balanced batches.
TAUS = np.arange(-6, 7) / 4
# Of an offset by itself: where there are enough samples to choose so many.
FEWEST_SAMPLES, MOST_CLASSES = 20, 30
_MOVES = np.arange(-6, 7) / 4
_ROUNDS = 2


class OffsetChoice(NamedTuple):
    """What `class_offsets` found.

    Attributes:
        offsets: A number for each class, `(num_classes,)`, the first 0: for
            `decide(p, offsets)`. All 0 where no change is better by more than noise.
        kind: `"none"`, `"tau"` for minus tau times the logarithm of the prior, or
            `"per class"`.
        tau: The strength, None of `"none"` and `"per class"`.
        before: Score of the likeliest class on the samples; minus the mean cost where
            costs are given.
        after: Score to expect with these offsets: samples were left out when those
            were chosen that it is measured with.
        gain: What the best of the candidates gains, by the same measure, also where it
            was not taken.
        noise: Half the width of the 95 % interval of `gain`.
    """

    offsets: np.ndarray
    kind: str
    tau: float | None
    before: float
    after: float
    gain: float
    noise: float


def class_offsets(
    y_val: ArrayLike,
    p_val: ArrayLike,
    maximise: str = "balanced_accuracy",
    costs: Any = None,
    prior: ClassCounts | None = None,
) -> OffsetChoice:
    """Offsets of log-probabilities that suit a metric, if that is more than noise.

    With probabilities that are right for the data, Bayes gives `-log(prior)` for
    balanced accuracy and nothing for accuracy. Those of networks are seldom right, so
    the strength is chosen: offsets are `-tau log(prior)`, tau one of 13 from -1.5 to
    1.5. Below 0 it gives a classifier of balanced batches the prior back. Where each
    class has 20 samples, up to 30 classes, each may have an offset of its own, by
    coordinate search from there.

    What to expect is measured by cross-fitting: offsets are chosen on four fifths of
    the samples and used on the last one, in turn, twice. A choice of more numbers is
    taken only if its gain is more than noise there, and so is any change at all.

    Args:
        y_val: Classes of held-out samples, integers `(n,)`; never those of the test.
        p_val: Their probabilities `(n, num_classes)`.
        maximise: `"balanced_accuracy"`, `"macro_f1"`, `"min_recall"` or `"accuracy"`.
            Classes without samples are left out of it.
        costs: What each mistake costs, `(num_classes, num_classes)` indexed
            `[true, predicted]`, to keep low in its place. Where probabilities are
            calibrated, `decide(p, costs=costs)` does that better.
        prior: Of the data, samples per class or shares; None to count `y_val`, and one
            more of each class.

    Returns:
        `OffsetChoice`.

    Raises:
        ValueError: If labels or probabilities do not fit, there is no such metric, or
            costs or prior are of another shape.

    Example:

    >>> y = np.repeat([0, 1], [90, 10])
    >>> p = np.where(y[:, None] == [0, 1], [0.95, 0.4], [0.6, 0.05])
    >>> class_offsets(y, p).offsets.round(1)
    array([0. , 1.1])

    Source: Menon et al., Long-tail learning via logit adjustment (ICLR 2021), eq. (9),
    for tau; Bourke et al., On reoptimizing multi-class classifiers (Machine Learning
    2008), for the coordinate search.
    """
    y, p = check_labelled(y_val, p_val)
    size = p.shape[1]
    if prior is None:
        prior = np.bincount(y, minlength=size) + 1
    return offsets_of_trainings(
        y,
        log_probabilities(p)[None],
        check_objective(maximise, costs, size),
        np.log(check_prior(size, prior=prior)),
    )[0]


def offsets_of_trainings(
    y: np.ndarray, logits: np.ndarray, objective: Objective, log_prior: np.ndarray
) -> tuple[OffsetChoice, np.ndarray]:
    """Offsets that several trainings of a method share.

    Args:
        y: Classes `(n,)`.
        logits: Log-probabilities `(m, n, num_classes)`, of each training.
        objective: What decisions are judged by.
        log_prior: Logarithm of the prior, `(num_classes,)`.

    Returns:
        The choice, and the cross-fitted decisions by tau, `(repeats, m, n)`, whether
        that was taken or not: methods are compared by these, since a change that was
        taken for its score would look better than it is.

    Example:

    >>> objective = check_objective("accuracy", None, 2)
    >>> logits = np.log([[[0.9, 0.1], [0.2, 0.8]]])
    >>> offsets_of_trainings(np.array([0, 1]), logits, objective, np.zeros(2))[0].kind
    'none'
    """
    plain, folds = logits.argmax(axis=2), stratified_folds(y)
    every = np.arange(len(y))
    by_tau = np.stack([(logits - tau * log_prior).argmax(axis=2) for tau in TAUS])

    def tau_of(rows):
        return _best_tau(y, by_tau, objective, rows)

    def searched_on(rows):
        start = -TAUS[tau_of(rows)] * log_prior
        return _searched(y[rows], logits[:, rows], objective, start)

    fitted = _cross_fitted(folds, lambda rows: by_tau[tau_of(rows)])
    gained = lead(y, fitted, plain, objective, of_seeds=False)
    kind, tau, offsets, decisions = "none", None, np.zeros(len(log_prior)), plain
    if gained.is_real:
        kind, tau, decisions = "tau", float(TAUS[tau_of(every)]), fitted
        offsets = -tau * log_prior
    if _is_enough(y, len(log_prior)):
        own = _cross_fitted(folds, lambda rows: (logits + searched_on(rows)).argmax(2))
        if lead(y, own, decisions, objective, of_seeds=False).is_real:
            kind, tau, decisions = "per class", None, own
            offsets = searched_on(every)
            gained = lead(y, own, plain, objective, of_seeds=False)
    choice = OffsetChoice(
        offsets - offsets[0],
        kind,
        tau,
        objective.of(y, plain),
        objective.of(y, decisions),
        gained.difference,
        gained.noise,
    )
    return choice, fitted


def _is_enough(y, num_classes):
    """Whether there are samples enough for an offset of each class."""
    counts = np.bincount(y, minlength=num_classes)
    return counts.min() >= FEWEST_SAMPLES and num_classes <= MOST_CLASSES


def _cross_fitted(folds, decisions_by):
    """Decisions by rules that were chosen without the sample, `(repeats, m, n)`.

    `decisions_by(rows)` gives those on all samples, `(m, n)`, chosen on `rows`.
    """
    found = []
    for fold in folds:
        parts = []
        for held_out in np.unique(fold):
            away = fold == held_out
            parts.append((away, decisions_by(np.flatnonzero(~away))))
        whole = parts[0][1].copy()
        for away, decisions in parts:
            whole[:, away] = decisions[:, away]
        found.append(whole)
    return np.stack(found)


def _best_tau(y, by_tau, objective, rows):
    if not len(rows):
        return int(np.flatnonzero(TAUS == 0)[0])
    scores = [objective.of(y[rows], decisions[:, rows]) for decisions in by_tau]
    # With its neighbours': a peak of one strength alone is noise.
    padded = np.pad(scores, 1, mode="edge")
    smooth = (padded[:-2] + padded[1:-1] + padded[2:]) / 3
    good = np.flatnonzero(smooth > smooth.max() - 1e-12)
    return int(min(good, key=lambda k: abs(TAUS[k])))


def _searched(y, logits, objective, offsets):
    """Offsets by coordinate search: one class after the other, the best of 13 moves."""
    offsets, best = offsets.copy(), -np.inf
    for _ in range(_ROUNDS):
        for k in range(len(offsets)):
            shifted = logits + offsets
            own = shifted[..., k].copy()
            shifted[..., k] = -np.inf
            other, height = shifted.argmax(axis=2), shifted.max(axis=2)
            scores = [
                objective.of(y, np.where(own + move > height, k, other))
                for move in _MOVES
            ]
            # The smallest move that is as good as the best.
            good = np.flatnonzero(np.asarray(scores) > max(scores) - 1e-12)
            move = min(_MOVES[good], key=abs)
            if max(scores) > best + 1e-12:
                offsets[k] += move
                best = max(scores)
    return offsets
