"""Figures of a trained classifier, from arrays.

The functions return a `matplotlib.figure.Figure` and touch neither `pyplot` nor
the disk: `figure.savefig(path)` writes it. Needs `pip install matplotlib`.
"""

from keras_m2m.plots.acceptance import acceptance_by_pair
from keras_m2m.plots.class_sizes import class_sizes
from keras_m2m.plots.critical_difference import critical_difference
from keras_m2m.plots.embedding import feature_embedding
from keras_m2m.plots.mistakes import confusion_matrix
from keras_m2m.plots.mistakes import cumulative_false_positives
from keras_m2m.plots.precision_recall import precision_recall
from keras_m2m.plots.recall import recall_by_count
from keras_m2m.plots.recall_gain import recall_gain
from keras_m2m.plots.reliability import reliability
from keras_m2m.plots.series import series_translation_panel
from keras_m2m.plots.translations import translation_panel

__all__ = [
    "acceptance_by_pair",
    "class_sizes",
    "confusion_matrix",
    "critical_difference",
    "cumulative_false_positives",
    "feature_embedding",
    "precision_recall",
    "recall_by_count",
    "recall_gain",
    "reliability",
    "series_translation_panel",
    "translation_panel",
]
