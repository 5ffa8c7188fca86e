"""The result of a reference, which is no network."""

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
    """A reference, what it predicts, and the seconds that it took to fit."""

    reference: Callable
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
        network, (x, y) = self.features(settings), self.data.train

        def read(samples):
            return samples if network is None else devices.predict(network, samples)

        began = time.perf_counter()
        reference = references.fit(settings.method, read(x), y, settings.seed)
        seconds = time.perf_counter() - began
        found = predictions_of(lambda x: reference(read(x)), self.data)
        return Fitted(reference, found, seconds)

    def features(self, settings: Settings) -> keras.Model | None:
        """The network from samples to what a reference is given; None if these are it.

        Args:
            settings: As for `fitted`.

        Raises:
            Diverged: If the network of a probe did.
        """
        if not needs_network(settings.method):
            return None
        return heads.feature_network(self._network(settings.replace(method="erm")))

    def result(self, settings: Settings) -> dict[str, Any]:
        """Scores on the test set, and what they follow from, as `result_of` has them.

        Args:
            settings: As for `fitted`.
        """
        _, (*_, y, chances), seconds = self.fitted(settings)
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
