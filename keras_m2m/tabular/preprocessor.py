"""Tables as vectors, by what their training rows hold."""

import warnings
from typing import Any

import numpy as np
import pandas
import skrub
from sklearn.base import BaseEstimator
from sklearn.base import TransformerMixin
from sklearn.utils.validation import check_is_fitted
from sklearn.utils.validation import validate_data

from keras_m2m.checks import check_whole
from keras_m2m.tabular import columns
from keras_m2m.tabular.encoders import encoder
from keras_m2m.tabular.frames import as_frame

_ROWS_AT_ONCE = 50_000  # Encoded at a time: of a long table copies would not fit.


class TablePreprocessor(TransformerMixin, BaseEstimator):
    """Turns tables of numbers, categories, dates and text into float32 vectors.

    A scikit-learn transformer. What a column holds is found by `fit`, and its values
    become entries:

    - **numbers**, also written as text: of mean 0 and variance 1; the median stands for
      what is missing, infinite or no number, and where that happens in `fit`, an entry
      more says so (0 or 1);
    - **dates**: numbers, as above, for year, month, day, weekday, hour and seconds
      since 1970, by skrub's `DatetimeEncoder`;
    - **categories**: one-hot; a missing value is a category, and those of fewer than
      `least_rows` rows share an entry with new ones;
    - **text**, of more than `most_categories` distinct values: `text_size` numbers by
      skrub's `StringEncoder`;
    - a column without any value is left out.

    The same table gives the same numbers.

    Args:
        most_categories: The most distinct values of a column of categories.
        least_rows: The fewest rows of a category with an entry of its own.
        text_size: The entries of a column of text.

    Attributes:
        units_: float32, one for each entry, for `M2mModel(units=...)`: 1 for numbers,
            0 for what a translation must leave as it is: categories, text, what says
            that a value was missing, and numbers of at most two values. Where all
            would be 0, all are 1: something must move.
        kinds_: `"number"`, `"date"`, `"category"`, `"text"` or `"empty"`, by column.
        categorical_: Names of the columns that hold no quantities: categories, text,
            numbers and parts of dates of at most two values.
        feature_names_in_: The columns; `n_features_in_` is their number.

    Raises:
        ValueError: By `fit`, if an argument is no whole number of at least 1, columns
            share a name or hold complex numbers, or none of them has a value.

    Example:

    >>> import pandas
    >>> cities = ["Rome", "Oslo", "Rome", "Oslo"]
    >>> table = pandas.DataFrame({"age": [30, 40, 50, 40], "city": cities})
    >>> preprocessor = TablePreprocessor().fit(table)
    >>> preprocessor.transform(table[:1]).round(2)
    array([[-1.41,  0.  ,  1.  ]], dtype=float32)
    >>> preprocessor.get_feature_names_out()
    array(['number__age', 'category__city_Oslo', 'category__city_Rome'], dtype=object)
    >>> preprocessor.units_
    array([1., 0., 0.], dtype=float32)

    Source: scikit-learn's `ColumnTransformer` and skrub.
    """

    def __init__(
        self, most_categories: int = 40, least_rows: int = 2, text_size: int = 30
    ) -> None:
        self.most_categories = most_categories
        self.least_rows = least_rows
        self.text_size = text_size

    def fit(self, X: Any, y: object = None) -> "TablePreprocessor":
        """Find what the columns hold, and the numbers to encode them by.

        Args:
            X: The training rows: a frame of pandas or polars, or a two-dimensional
                array.
            y: Ignored.

        Returns:
            This.

        Warns:
            UserWarning: Where nine of ten texts of a column are numbers, or dates, and
                the others make it a column of text.
        """
        for name, value in self.get_params().items():
            check_whole(1, **{name: value})
        frame = as_frame(X)
        validate_data(self, frame, skip_check_array=True)
        found = {
            name: columns.kind_of(column, self.most_categories)
            for name, column in frame.items()
        }
        self.kinds_ = {name: kind for name, (kind, _) in found.items()}
        self._note_misread(frame)
        self._formats = {n: form for n, (kind, form) in found.items() if form}
        self._date_encoders = {
            name: self._date_encoder(frame[name]) for name in self._named(columns.DATE)
        }
        self._fit_encoder(self.plain(frame))
        return self

    def _note_misread(self, frame):
        for name in self._named(columns.TEXT):
            kind, odd = columns.misread(frame[name]) or (None, [])
            if kind:
                warnings.warn(
                    f"Column {name!r} is read as text, since {len(odd)} of its "
                    f"distinct values are no {kind}, such as {odd[0]!r}. If it is "
                    f"meant to hold a {kind}, mend those values or leave them empty",
                    stacklevel=3,
                )

    def _named(self, *kinds):
        return [name for name, kind in self.kinds_.items() if kind in kinds]

    def _date_encoder(self, column):
        made = skrub.DatetimeEncoder(add_weekday=True)
        return made.fit(columns.dates(column, self._formats.get(column.name)))

    def _fit_encoder(self, plain):
        if not len(plain.columns):
            raise ValueError(
                "At least one column must hold values. Received: "
                f"{len(self.kinds_)} columns without any"
            )
        categories, texts = self._named(columns.CATEGORY), self._named(columns.TEXT)
        numbers = [name for name in plain if plain[name].dtype.kind == "f"]
        values = plain[numbers].to_numpy()
        two = _of_two_values(values)
        absent = dict(zip(numbers, np.isnan(values).any(axis=0)))
        # The parts of a date are missing together: the first one stands for them.
        parts = [p for own in self._parts().values() for p in own[1:]]
        missing = [name for name in numbers if absent[name] and name not in {*parts}]
        self._encoder = encoder(
            numbers, missing, categories, texts, self.least_rows, self.text_size
        )
        self._encoder.fit(plain)
        self.categorical_ = [
            *(name for name, flag in zip(numbers, two) if flag),
            *categories,
            *texts,
        ]
        self.units_ = np.zeros(len(self.get_feature_names_out()), "float32")
        self.units_[: len(numbers)] = ~two
        if two.all():
            self.units_[:] = 1

    def _parts(self):
        """The numbers that a date becomes, by the date's column."""
        return {
            name: [self._unused(part) for part in made.get_feature_names_out()]
            for name, made in self._date_encoders.items()
        }

    def _unused(self, name):
        """A name that no column has."""
        return self._unused(f"{name}_") if name in self.kinds_ else name

    def transform(self, X: Any) -> np.ndarray:
        """Encode rows.

        Args:
            X: Rows of the columns that `fit` saw, in the same order.

        Returns:
            float32 `(rows, entries)`, finite. Values of a column of numbers or dates
            that are neither are missing, with a warning.

        Raises:
            ValueError: If columns are others than those of `fit`.
        """
        check_is_fitted(self)
        frame = as_frame(X)
        validate_data(self, frame, skip_check_array=True, reset=False)
        encoded = np.empty((len(frame), len(self.units_)), "float32")
        unread: dict[str, list] = {}
        for start in range(0, len(frame), _ROWS_AT_ONCE):
            rows = slice(start, start + _ROWS_AT_ONCE)
            plain = self.plain(frame.iloc[rows])
            encoded[rows] = self.encode(plain)
            self._note_unread(frame.iloc[rows], plain, unread)
        for name, texts in unread.items():
            warnings.warn(
                f"Column {name!r}: {len(texts)} of {len(frame)} values are no "
                f"{self.kinds_[name]} as fit saw them, such as {texts[0]!r}, and count "
                "as missing",
                stacklevel=2,
            )
        return encoded

    def _note_unread(self, frame, plain, unread):
        parts = {name: own[0] for name, own in self._parts().items()}
        for name in self._named(columns.NUMBER, columns.DATE):
            values = plain[parts.get(name, name)].to_numpy()
            found = columns.unread(frame[name], self.kinds_[name], values)
            if len(found):
                unread.setdefault(name, []).extend(found)

    def plain(self, frame: pandas.DataFrame) -> pandas.DataFrame:
        """Columns by their kinds, before they are encoded.

        Args:
            frame: Rows of the columns that `fit` saw.

        Returns:
            float64 columns of numbers, among them the parts of dates, NaN where one is
            missing; then text, of which categories have none missing.
        """
        numbers = {n: columns.numbers(frame[n]) for n in self._named(columns.NUMBER)}
        for name, made in self._date_encoders.items():
            dates = columns.dates(frame[name], self._formats.get(name))
            parts = np.asarray(made.transform(dates), "float64")
            numbers |= dict(zip(self._parts()[name], parts.T))
        categories = {
            n: columns.categories(frame[n]) for n in self._named(columns.CATEGORY)
        }
        texts = {n: columns.as_text(frame[n]) for n in self._named(columns.TEXT)}
        return pandas.DataFrame(numbers | categories | texts, index=frame.index)

    def encode(self, plain: pandas.DataFrame) -> np.ndarray:
        """Encode what `plain` gives.

        Args:
            plain: Such columns.

        Returns:
            float32 `(rows, entries)`.
        """
        # Far outside of what was seen, yet with a square that fits float32.
        return np.clip(self._encoder.transform(plain), -1e9, 1e9).astype("float32")

    def get_feature_names_out(self, input_features: object = None) -> np.ndarray:
        """A name for each entry.

        Args:
            input_features: Ignored.

        Returns:
            Such as `"number__age"`, `"missing__missingindicator_age"` or
            `"category__city_Rome"`.
        """
        check_is_fitted(self)
        return self._encoder.get_feature_names_out()

    def __sklearn_is_fitted__(self) -> bool:
        """Whether `fit` was called."""
        return hasattr(self, "_encoder")

    def __sklearn_tags__(self) -> Any:
        """What scikit-learn may hand to this."""
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.input_tags.string = True
        tags.input_tags.categorical = True
        return tags


def _of_two_values(values):
    """Which columns of float64 numbers hold at most two, NaN aside."""
    low, high = np.nanmin(values, axis=0), np.nanmax(values, axis=0)
    return ((values == low) | (values == high) | np.isnan(values)).all(axis=0)
