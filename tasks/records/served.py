"""A classifier in a folder, as `tasks.predict` takes it, from what a user has.

f.keras                the network from samples to logits; of a reference the one from
                       samples to what that reads, if it does not read them
reference.skops        of a reference: logistic regression or trees
preprocessing.skops    what makes vectors of the rows of a table
training_features.npz  what photographs are compared with
result.json            its classes, and how it was tested
rule.json              how to decide by its probabilities, if a report has advised that
"""

import functools
import json
from collections.abc import Callable
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import keras
import numpy as np

from keras_m2m import heads
from keras_m2m.decisions import Rule
from keras_m2m.heads.head import head_alone
from keras_m2m.pretrained import joined
from tasks.data import whole_files
from tasks.data.own import preprocessing
from tasks.data.own.class_names import listed
from tasks.experiment.errors import UserError
from tasks.experiment.recipes import REFERENCES
from tasks.experiment.settings import Settings
from tasks.records import records
from tasks.records.teachers import load
from tasks.records.trainings import Trainings
from tasks.training import devices
from tasks.training import familiarity
from tasks.training import references
from tasks.training.evaluation import probabilities

RULE = "rule.json"
FILES = (
    *("f.keras", references.FILE, preprocessing.FILE, familiarity.FILE),
    *("result.json", RULE),
)


class Model(NamedTuple):
    """A classifier.

    Attributes:
        network: From samples to logits, or to what `reference` takes; None of one that
            takes samples.
        reference: Function to probabilities, or None.
    """

    network: keras.Model | None
    reference: Callable | None

    @property
    def shape(self) -> tuple:
        """Of a sample."""
        if self.network is None:
            return tuple(self.reference.shape)
        return tuple(self.network.input_shape[1:])

    def probabilities(self, x: np.ndarray) -> np.ndarray:
        """Those of samples, float32 `(n, num_classes)`."""
        if self.reference is None:
            return probabilities(self.network, x)
        read = x if self.network is None else devices.predict(self.network, x)
        return self.reference(read)

    def parts(self) -> tuple[keras.Model, Callable]:
        """The network from samples to features, and from these to probabilities."""
        if self.reference is not None:
            return self.network, self.reference
        head = functools.partial(probabilities, head_alone(self.network))
        return heads.feature_network(self.network), head


def read(folder: Path) -> tuple[Model, dict]:
    """The classifier of a folder, and what its `result.json` holds.

    Raises:
        UserError: If a file is missing or damaged.
    """
    try:
        reference = references.load(folder)
        path = folder / "f.keras"
        has_network = reference is None or path.exists()
        network = load(path) if has_network else None
    except Exception as error:  # Keras raises many kinds for a file it cannot read.
        raise UserError(
            f"--model={folder} must be the folder of a finished run: its f.keras is "
            f"missing or damaged: {error}"
        ) from error
    return Model(network, reference), records.read(folder / "result.json")


def write(folder: Path, trainings: Trainings, settings: Settings) -> None:
    """Write what a result is of, and what makes its samples, but for `result.json`.

    Args:
        folder: Where to; it is there.
        trainings: Those on the data set.
        settings: Of a cell whose result is there.
    """
    is_reference = settings.method in REFERENCES
    (_write_reference if is_reference else _write_network)(folder, trainings, settings)
    preprocessing.save(trainings.data.preprocessor, folder)
    if trainings.data.reading:
        familiarity.save(_familiar(trainings, settings), folder)


def _write_network(folder, trainings, settings):
    source = trainings.folder_of_result(settings) / "f.keras"
    if settings.after or not source.is_file():
        trainings.network_of_result(settings)  # Which makes it again if it is gone.
    target, frozen = folder / "f.keras", trainings.data.frozen
    if frozen is None:
        whole_files.copy(source, target)
    else:
        devices.save(joined(frozen, load(source)), target)


def _write_reference(folder, trainings, settings):
    references.save(_reference(trainings, settings), folder)
    network, frozen = trainings.references.features(settings), trainings.data.frozen
    if frozen is not None:
        network = frozen if network is None else joined(frozen, network)
    if network is not None:
        devices.save(network, folder / "f.keras")


def _familiar(trainings, settings):
    data = trainings.data
    if settings.method not in REFERENCES:
        return familiarity.familiar(trainings.network_of_result(settings), data)
    features = trainings.references.features(settings)
    if features is not None:
        return familiarity.of_features(
            functools.partial(devices.predict, features), data
        )
    # Pixels are no features; those of a frozen network are what it was fitted to.
    return None if data.frozen is None else familiarity.of_features(np.asarray, data)


def _reference(trainings, settings):
    """As it was kept, or fitted again."""
    try:
        found = references.load(trainings.folder_of_result(settings))
    except ValueError:
        found = None
    return found or trainings.references.fitted(settings).reference


def write_rule(folder: Path, rule: Rule, class_names: Sequence[str]) -> None:
    """Write how to decide, beside the classifier.

    Args:
        folder: Of the classifier.
        rule: What a report advises.
        class_names: In the order of its numbers.
    """
    records.write(folder / RULE, {"class_names": [*class_names], **rule.get_config()})


def read_rule(path: Path, class_names: Sequence[str]) -> Rule:
    """What `write_rule` wrote.

    Args:
        path: The file.
        class_names: Of the classifier that it is for.

    Raises:
        UserError: If it is no such file, or of other classes.
    """
    try:
        about = json.loads(path.read_text(encoding="utf-8"))
        rule = Rule.from_config(about, len(class_names))
        own = about.get("class_names")
    except (OSError, ValueError, TypeError, RecursionError) as error:
        raise UserError(f"--rule={path} holds no rule of a report: {error}") from error
    if own != [*class_names]:
        raise UserError(
            f"--rule={path} is for other classes than the model's, "
            f"{listed(class_names, 20)}. Received: {str(own)[:200]}"
        )
    return rule
