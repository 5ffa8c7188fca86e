"""Checks of plain values and of data, with errors for people.

Each raises a `ValueError` of what is wrong, what was expected and what was
received. What is inside a compiled step cannot be read, so data is checked here,
on the host, before the first step.
"""

from keras_m2m.checks.arrays import AS_FLOATS
from keras_m2m.checks.arrays import as_array
from keras_m2m.checks.arrays import check_same_length
from keras_m2m.checks.arrays import check_samples
from keras_m2m.checks.arrays import check_weights
from keras_m2m.checks.arrays import is_sparse
from keras_m2m.checks.labels import check_label_shape
from keras_m2m.checks.labels import check_labels
from keras_m2m.checks.labels import check_targets
from keras_m2m.checks.names import check_name
from keras_m2m.checks.networks import check_model
from keras_m2m.checks.networks import is_graph
from keras_m2m.checks.networks import only_input
from keras_m2m.checks.scalars import LARGEST
from keras_m2m.checks.scalars import MOST_CLASSES
from keras_m2m.checks.scalars import check_bounds
from keras_m2m.checks.scalars import check_flag
from keras_m2m.checks.scalars import check_names
from keras_m2m.checks.scalars import check_positive
from keras_m2m.checks.scalars import check_real
from keras_m2m.checks.scalars import check_whole

__all__ = [
    "AS_FLOATS",
    "LARGEST",
    "MOST_CLASSES",
    "as_array",
    "check_bounds",
    "check_flag",
    "check_label_shape",
    "check_labels",
    "check_model",
    "check_name",
    "check_names",
    "check_positive",
    "check_real",
    "check_same_length",
    "check_samples",
    "check_targets",
    "check_weights",
    "check_whole",
    "is_graph",
    "is_sparse",
    "only_input",
]
