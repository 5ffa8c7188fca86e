"""Tables of numbers, categories and dates, as the vectors that networks take.

Needs pandas, scikit-learn, skrub and skops: `pip install "keras_m2m[tables]"`. So
`import keras_m2m` does not import this; write
`from keras_m2m.tabular import TablePreprocessor`.
"""

try:
    from keras_m2m.tabular.files import load_preprocessor
    from keras_m2m.tabular.files import save_preprocessor
    from keras_m2m.tabular.preprocessor import TablePreprocessor
except ImportError as error:
    raise ImportError(
        f"keras_m2m.tabular needs {error.name}, which cannot be imported: "
        "pip install 'keras_m2m[tables]'"
    ) from error

__all__ = ["TablePreprocessor", "load_preprocessor", "save_preprocessor"]
