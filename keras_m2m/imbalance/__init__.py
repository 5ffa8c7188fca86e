"""Statistics of imbalanced training sets, in NumPy, computed once per run.

Everything here works on `class_counts`, the number of training samples of each
class. The classes may come in any order: no function assumes that class 0 is
the largest.
"""

from keras_m2m.imbalance.counts import ClassCounts
from keras_m2m.imbalance.counts import check_class_counts
from keras_m2m.imbalance.counts import count_classes
from keras_m2m.imbalance.counts import imbalance_ratio
from keras_m2m.imbalance.counts import long_tailed_counts
from keras_m2m.imbalance.counts import major_classes
from keras_m2m.imbalance.counts import many_medium_few
from keras_m2m.imbalance.counts import step_counts
from keras_m2m.imbalance.prior import check_prior
from keras_m2m.imbalance.probabilities import acceptance_by_size
from keras_m2m.imbalance.probabilities import acceptance_probability
from keras_m2m.imbalance.probabilities import generation_probability
from keras_m2m.imbalance.probabilities import translation_share
from keras_m2m.imbalance.weights import effective_number
from keras_m2m.imbalance.weights import effective_number_weights
from keras_m2m.imbalance.weights import inverse_frequency_weights

__all__ = [
    "ClassCounts",
    "acceptance_by_size",
    "acceptance_probability",
    "check_class_counts",
    "check_prior",
    "count_classes",
    "effective_number",
    "effective_number_weights",
    "generation_probability",
    "imbalance_ratio",
    "inverse_frequency_weights",
    "long_tailed_counts",
    "major_classes",
    "many_medium_few",
    "step_counts",
    "translation_share",
]
