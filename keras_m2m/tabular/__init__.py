"""Tables of numbers, categories and dates, as the vectors that networks take.

Needs `pip install pandas scikit-learn skops skrub`. So `import keras_m2m` does not
import this; write `from keras_m2m.tabular import TablePreprocessor`.
"""

import importlib.util

_NEEDED = ("pandas", "sklearn", "skops", "skrub")
_LACKING = [name for name in _NEEDED if importlib.util.find_spec(name) is None]
if _LACKING:
    raise ImportError(
        f"keras_m2m.tabular needs {', '.join(_LACKING)}, which is not installed: "
        "pip install pandas scikit-learn skops skrub"
    )

from keras_m2m.tabular.files import load_preprocessor  # noqa: E402
from keras_m2m.tabular.files import save_preprocessor  # noqa: E402
from keras_m2m.tabular.preprocessor import TablePreprocessor  # noqa: E402
from keras_m2m.tabular.smote import smote_nc  # noqa: E402

__all__ = [
    "TablePreprocessor",
    "load_preprocessor",
    "save_preprocessor",
    "smote_nc",
]
