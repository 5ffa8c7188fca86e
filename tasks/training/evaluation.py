"""From predictions to the numbers of the paper's tables."""

from collections.abc import Callable
from typing import NamedTuple

import keras
import numpy as np
from sklearn.metrics import confusion_matrix

import keras_m2m
from tasks.experiment.task import Data
from tasks.training import devices


class Predictions(NamedTuple):
    """Labels and probabilities of the samples that nothing was trained on.

    Attributes:
        y_validation: int64 `(n,)`, None where the protocol keeps no validation.
        p_validation: float32 `(n, num_classes)`, or None.
        y_test: int64 `(m,)`.
        p_test: float32 `(m, num_classes)`.
    """

    y_validation: np.ndarray | None
    p_validation: np.ndarray | None
    y_test: np.ndarray
    p_test: np.ndarray


def predictions_of(probabilities: Callable, data: Data) -> Predictions:
    """Predictions on validation and test.

    Args:
        probabilities: Function from samples to their probabilities.
        data: The dataset.
    """
    x, y = data.validation or (None, None)
    found = None if x is None else probabilities(x)
    x_test, y_test = data.test
    return Predictions(y, found, y_test, probabilities(x_test))


def evaluate(f, samples: np.ndarray, labels: np.ndarray, class_counts) -> dict:
    """Scores of a network on a test set.

    Args:
        f: A network that returns one score per class, or of two classes one logit.
        samples: Test samples `(n, ...)`.
        labels: Their classes, integers `(n,)`.
        class_counts: Training samples per class, which make classes major or minor.

    Returns:
        The scores, as `scores_of` gives them.
    """
    outputs = devices.predict(f, samples)
    one = outputs.shape[1] == 1
    predicted = outputs[:, 0] > 0 if one else outputs.argmax(axis=1)
    classes = np.arange(len(class_counts))
    return scores_of(confusion_matrix(labels, predicted, labels=classes), class_counts)


def logits_of(f: keras.Model, samples: np.ndarray) -> np.ndarray:
    """What a network says of samples, whatever its head.

    Args:
        f: A network of logits, of one logit, or of cosines.
        samples: Samples `(n, ...)`, as it takes them.

    Returns:
        float32 `(n, num_classes)`, of which the softmax is probabilities.
    """
    logits = devices.predict(f, samples)
    if logits.shape[1] == 1:
        logits = np.concatenate([np.zeros_like(logits), logits], axis=1)
    if isinstance(f.layers[-1], keras_m2m.CosineDense):
        logits = keras_m2m.LDAMLoss([1, 1]).scale * logits
    return logits


def probabilities(f: keras.Model, samples: np.ndarray) -> np.ndarray:
    """Probabilities of samples, float32 `(n, num_classes)`, as `logits_of`."""
    return probabilities_of(logits_of(f, samples))


def probabilities_of(logits: np.ndarray) -> np.ndarray:
    """float32 `(n, num_classes)` of logits."""
    return keras.ops.convert_to_numpy(keras.ops.softmax(logits))


def scores_of(confusion: np.ndarray, class_counts) -> dict:
    """Scores from a confusion matrix; fractions, ready for JSON.

    A class without test samples has no recall, and counts nowhere. A group of
    classes without any that count scores None.

    Args:
        confusion: int `(num_classes, num_classes)`, indexed `[true, predicted]`.
        class_counts: Training samples per class.

    Returns:
        A dict of `balanced_accuracy`, `geometric_mean` (a recall of zero makes
        it 0), `geometric_mean_corrected` (0.001 stands for that recall),
        `accuracy`, `major`, `minor`, `many`, `medium`, `few` (mean recall of
        those classes), `per_class_recall` and `confusion_matrix`.
    """
    samples = confusion.sum(axis=1)
    present = samples > 0
    recall = confusion.diagonal() / np.maximum(samples, 1)
    major = keras_m2m.major_classes(class_counts)
    groups = {"major": major, "minor": ~major}
    groups |= keras_m2m.many_medium_few(class_counts)
    return {
        "balanced_accuracy": recall[present].mean().item(),
        "geometric_mean": _geometric_mean(recall[present], 0.0),
        "geometric_mean_corrected": _geometric_mean(recall[present], 0.001),
        "accuracy": (confusion.trace() / confusion.sum()).item(),
        **{name: _mean(recall[group & present]) for name, group in groups.items()},
        "per_class_recall": [
            value.item() if here else None
            for value, here in zip(recall, present, strict=True)
        ],
        "confusion_matrix": confusion.tolist(),
    }


def balanced(confusion) -> np.ndarray:
    """A confusion matrix as if the test set had equally many samples of each class.

    False positives of classes can then be compared, as Figure 5 does.

    Args:
        confusion: `(num_classes, num_classes)`, indexed `[true, predicted]`.

    Returns:
        float64 array of the same shape; the row of a class without samples is 0.
    """
    confusion = np.asarray(confusion, float)
    totals = confusion.sum(axis=1, keepdims=True)
    present = totals > 0
    return confusion * totals[present].mean() / np.where(present, totals, 1)


def _mean(recall):
    return recall.mean().item() if len(recall) else None


def _geometric_mean(recall, correction):
    recall = np.where(recall == 0, correction, recall)
    return np.exp(np.log(recall).mean()).item() if recall.all() else 0.0
