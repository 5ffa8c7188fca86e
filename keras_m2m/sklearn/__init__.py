"""Trainings for imbalanced classes as a scikit-learn estimator.

Needs scikit-learn: `pip install scikit-learn`. So `import keras_m2m` does not
import this; write `from keras_m2m.sklearn import M2mClassifier`.
"""

import importlib.util

if importlib.util.find_spec("sklearn") is None:
    raise ImportError(
        "keras_m2m.sklearn needs scikit-learn, which is not installed: "
        "pip install scikit-learn"
    )

from keras_m2m.sklearn.classifier import M2mClassifier

__all__ = ["M2mClassifier"]
