"""What `M2mClassifier.fit` does once samples and labels are arrays."""

import contextlib
import functools
import random
from collections.abc import Iterator
from typing import Any

import numpy as np
from sklearn.model_selection import train_test_split

from keras_m2m.checks import is_sparse
from keras_m2m.recipes import LOSSES
from keras_m2m.recipes import TRAINED
from keras_m2m.recipes import Trained
from keras_m2m.recipes import train
from keras_m2m.sklearn.networks import by_head
from keras_m2m.sklearn.networks import default_build
from keras_m2m.sklearn.samples import image_bounds

# Arguments of `train` that have the same name in the estimator.
_PASSED_ON = (
    *("method", "loss", "mix", "head", "adjust", "epochs", "defer_epoch"),
    *("batch_size", "learning_rate", "drops", "optimizer", "beta", "lam", "gamma"),
    *("steps", "step_size", "noise", "augment", "jit_compile"),
    *("steps_per_execution", "verbose"),
)


def trained_network(
    classifier: Any,
    given: Any,
    X: Any,
    y: np.ndarray,
    sample_weight: np.ndarray | None,
    held_out: np.ndarray | None,
    seed: int,
) -> Trained:
    """Train by the parameters of a classifier.

    Args:
        classifier: An `M2mClassifier` that knows its classes.
        given: Samples as they came.
        X: The same as networks take them, a float32 array `(n, ...)` or a CSR matrix.
        y: Numbers of classes `(n,)`.
        sample_weight: Weights `(n,)`, of which only the ratios matter, or None.
        held_out: Which rows are for validation, bool `(n,)`; None for none.
        seed: What all drawn numbers follow from.
    """
    num_classes, prepared = len(classifier.classes_), classifier.preprocessor_
    build = classifier.build or default_build(
        X, classifier.hidden, classifier.weight_decay, normalise=prepared is None
    )
    all_rows = None if prepared is not None else X
    bounds = image_bounds(X) if classifier.bounds is None else classifier.bounds
    validation_data = None
    if held_out is not None:
        validation_data = _dense(X[held_out]), y[held_out]
        X, y = X[~held_out], y[~held_out]
        sample_weight = None if sample_weight is None else sample_weight[~held_out]
    smote = None
    if prepared is not None:
        smote = functools.partial(_smote_nc, prepared, given, held_out, y)
    if sample_weight is not None:
        # So that the rate means the same with weights as without.
        sample_weight = sample_weight / sample_weight.mean()
    return train(
        by_head(build, num_classes, X.shape[1:], all_rows),
        *(X, y),
        num_classes=num_classes,
        class_names=classifier.classes_.tolist(),
        sample_weight=sample_weight,
        validation_data=validation_data,
        units=_units(classifier),
        smote=smote,
        bounds=bounds,
        seed=seed,
        **{name: getattr(classifier, name) for name in _PASSED_ON},
    )


def _units(classifier):
    units, prepared = classifier.units, classifier.preprocessor_
    if isinstance(units, str) and units == "auto" and prepared is not None:
        return prepared.units_  # 0 for the entries of categories.
    return units


def _smote_nc(preprocessor, frame, held_out, y, seed):
    """A table filled up before it is encoded; never of rows with weights."""
    from keras_m2m.tabular import smote_nc
    from keras_m2m.tabular.frames import as_frame

    frame = as_frame(frame)
    return smote_nc(
        preprocessor, frame if held_out is None else frame[~held_out], y, seed
    )


def _dense(X):
    return X.toarray() if is_sparse(X) else X


def held_out_rows(y: np.ndarray, fraction: float, seed: int) -> np.ndarray | None:
    """Which rows are for validation, bool `(n,)`, or None for none.

    Args:
        y: Labels `(n,)`.
        fraction: Share of each class.
        seed: What they are drawn by.

    Raises:
        ValueError: If there are too few samples, or a class has one only.

    Example:

    >>> int(held_out_rows(np.repeat(["a", "b"], [12, 4]), 0.25, seed=0).sum())
    4
    """
    if not fraction:
        return None
    rows = np.arange(len(y))
    try:
        _, held_out = train_test_split(
            rows, test_size=fraction, stratify=y, random_state=seed
        )
    except ValueError as error:
        raise ValueError(
            "`validation_fraction` must hold out some samples of each class and leave "
            f"others: {error} Received: validation_fraction={fraction}"
        ) from error
    return np.isin(rows, held_out)


def scale_of_outputs(loss: str, head: str) -> float:
    """What outputs are multiplied by to be logits, whose softmax are probabilities.

    Args:
        loss: A key of `LOSSES`.
        head: A key of `HEADS`.

    Example:

    >>> scale_of_outputs("ldam", "trained"), scale_of_outputs("ce", "trained")
    (30.0, 1.0)
    """
    cosines = LOSSES[loss].head == "cosine" and head == TRAINED
    return LOSSES[loss].make([2, 1]).scale if cosines else 1.0


@contextlib.contextmanager
def random_states_kept() -> Iterator[None]:
    """Put Python's and NumPy's random numbers back to where they were.

    `keras.utils.set_random_seed` seeds them, and a pipeline without `random_state`
    would else get the same numbers again and again.

    Example:

    >>> random.seed(1)
    >>> with random_states_kept():
    ...     random.seed(2)
    >>> random.random() == random.Random(1).random()
    True
    """
    python, numpy = random.getstate(), np.random.get_state()  # noqa: NPY002
    try:
        yield
    finally:
        random.setstate(python)
        np.random.set_state(numpy)  # noqa: NPY002
