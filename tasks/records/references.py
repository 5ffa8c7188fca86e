"""The result of a reference, which is no network."""

import functools
import time
from collections.abc import Callable
from typing import Any
from typing import NamedTuple

import keras
import numpy as np
from sklearn.metrics import confusion_matrix

from keras_m2m import heads
from tasks.experiment.recipes import needs_network
from tasks.experiment.settings import Settings
from tasks.experiment.task import Data
from tasks.records.identity import flags_of
from tasks.records.versions import versions
from tasks.training import devices
from tasks.training import references
from tasks.training.evaluation import Predictions
from tasks.training.evaluation import predictions_of
from tasks.training.evaluation import scores_of

_SEEDLESS = "logistic"


class Fitted(NamedTuple):
    """What a reference predicts, and the seconds that it took to fit."""

    predictions: Predictions
    seconds: float


class References:
    """The references on one data set.

    Args:
        data: What they are fitted to.
        network: Function from settings to a trained network, for a probe.
    """

    def __init__(self, data: Data, network: Callable[[Settings], keras.Model]) -> None:
        self.data, self._network, self._fitted = data, network, {}

    def fitted(self, settings: Settings) -> Fitted:
        """Fit the reference of a cell; the last one is not fitted again.

        Nor is logistic regression, which draws nothing: all seeds have the same.

        Args:
            settings: Of the cell, whose method is a key of `REFERENCES`.

        Raises:
            Diverged: If the network of a probe did.
        """
        key = _SEEDLESS if settings.method == _SEEDLESS else repr(settings)
        if key not in self._fitted:
            fitted = self._fit(settings)
            kept = {k: v for k, v in self._fitted.items() if k == _SEEDLESS}
            self._fitted = {**kept, key: fitted}
        return self._fitted[key]

    def _fit(self, settings):
        read, (x, y) = self._reader(settings), self.data.train
        began = time.perf_counter()
        predict = references.fit(settings.method, read(x), y, settings.seed)
        seconds = time.perf_counter() - began
        return Fitted(predictions_of(lambda x: predict(read(x)), self.data), seconds)

    def _reader(self, settings):
        """Function from samples to what the reference is given of them."""
        if not needs_network(settings.method):
            return lambda x: x
        f = heads.feature_network(self._network(settings.replace(method="erm")))
        return functools.partial(devices.predict, f)

    def result(self, settings: Settings) -> dict[str, Any]:
        """Scores on the test set, and what they follow from, as `result_of` has them.

        Args:
            settings: As for `fitted`.
        """
        (*_, y, chances), seconds = self.fitted(settings)
        classes = np.arange(len(self.data.class_names))
        confusion = confusion_matrix(y, chances.argmax(axis=1), labels=classes)
        return {
            **scores_of(confusion, self.data.class_counts),
            "acceptance_rate": None,
            "protocol": settings.protocol,
            "tested_epoch": 0,
            "class_names": self.data.class_names,
            "class_counts": self.data.class_counts.tolist(),
            "flags": flags_of(settings),
            "seed": settings.seed,
            "versions": versions(),
            "timing": {"fit": seconds},
        }
