"""From predictions to the numbers of the paper's tables."""

import numpy as np
from sklearn.metrics import confusion_matrix

import keras_m2m
from tasks.training import devices


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
