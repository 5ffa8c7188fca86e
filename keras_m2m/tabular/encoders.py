"""How columns of each kind become numbers."""

from collections.abc import Sequence

import numpy as np
import pandas
import skrub
from sklearn.base import BaseEstimator
from sklearn.base import TransformerMixin
from sklearn.compose import ColumnTransformer
from sklearn.impute import MissingIndicator
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder
from sklearn.preprocessing import StandardScaler

_MOST_TEXTS = 20_000  # Distinct texts that an encoder is fitted on.


def encoder(
    numbers: Sequence[str],
    missing: Sequence[str],
    categories: Sequence[str],
    texts: Sequence[str],
    least_rows: int,
    text_size: int,
) -> ColumnTransformer:
    """The encoder of a frame of float64 numbers and of text, by columns.

    Args:
        numbers: Columns to standardise, the median standing for what is missing.
        missing: Those of them whose missing values are marked in an entry of their own.
        categories: Columns to write one-hot.
        texts: Columns of more values than that.
        least_rows: Rarer categories share an entry, with those that are new.
        text_size: Entries for a column of text.
    """
    standardised = make_pipeline(SimpleImputer(strategy="median"), StandardScaler())
    one_hot = OneHotEncoder(
        min_frequency=least_rows,
        handle_unknown="infrequent_if_exist",
        sparse_output=False,
        dtype=np.float32,
    )
    blocks = [
        ("number", standardised, [*numbers]),
        ("missing", MissingIndicator(features="all"), [*missing]),
        ("category", one_hot, [*categories]),
        ("text", TextEncoder(text_size), [*texts]),
    ]
    blocks = [block for block in blocks if block[2]]
    return ColumnTransformer(blocks, sparse_threshold=0)


class TextEncoder(TransformerMixin, BaseEstimator):
    """skrub's `StringEncoder` on columns of text, each distinct text encoded once.

    Args:
        size: Entries for each column.
    """

    def __init__(self, size: int = 30) -> None:
        self.size = size

    def fit(self, X: pandas.DataFrame, y: object = None) -> "TextEncoder":
        """Learn the parts of words that tell the texts of a column apart.

        Args:
            X: Columns of text.
            y: Ignored.
        """
        self.feature_names_in_ = np.asarray(X.columns, object)
        self.n_features_in_ = len(X.columns)
        self.encoders_ = [self._fitted(column) for _, column in X.items()]
        return self

    def _fitted(self, column):
        texts = column.dropna().unique()
        # Evenly spread over the rows, so that the same data gives the same entries.
        texts = texts[:: -(-len(texts) // _MOST_TEXTS)]
        made = skrub.StringEncoder(n_components=self.size, random_state=0)
        made.fit(pandas.Series(texts, dtype="str", name=column.name))
        return made

    def transform(self, X: pandas.DataFrame) -> np.ndarray:
        """float32 `(rows, size * columns)`; a missing text is the empty one.

        Args:
            X: Columns of text.
        """
        parts = [
            self._encoded(made, column)
            for made, (_, column) in zip(self.encoders_, X.items(), strict=True)
        ]
        return np.concatenate(parts, axis=1)

    def _encoded(self, made, column):
        codes, texts = pandas.factorize(column.fillna(""))
        known = made.transform(pandas.Series(texts, dtype="str", name=column.name))
        return np.asarray(known, "float32")[codes]

    def get_feature_names_out(self, input_features: object = None) -> np.ndarray:
        """A name for each entry.

        Args:
            input_features: Ignored.
        """
        names = (made.get_feature_names_out() for made in self.encoders_)
        return np.concatenate([np.asarray(own, object) for own in names])
