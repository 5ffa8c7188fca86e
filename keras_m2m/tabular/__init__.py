"""Tables of numbers, categories and dates, as the vectors that networks take.

Needs pandas, scikit-learn, skrub and skops: `pip install "keras_m2m[tables]"`. So
`import keras_m2m` does not import this; write
`from keras_m2m.tabular import TablePreprocessor`.
"""

import importlib.util

_LACKING = [
    name
    for name in ("pandas", "sklearn", "skops", "skrub")
    if importlib.util.find_spec(name) is None
]
if _LACKING:
    raise ImportError(
        f"keras_m2m.tabular needs {', '.join(_LACKING)}, which is not installed: "
        "pip install 'keras_m2m[tables]'"
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
