"""What a dataset's module gives to the runner."""

from collections.abc import Callable
from collections.abc import Mapping
from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import field
from typing import Any

import keras
import numpy as np

from keras_m2m import count_classes
from keras_m2m.recipes import can_choose
from tasks.experiment.paths import as_name


@dataclass(frozen=True)
class Data:
    """A dataset, split and in the units that the network takes.

    Samples are an array, or a stream: an object with a length that reads the samples
    of an index array as `x[rows]`, for data that does not fit into memory.

    Attributes:
        train: `(x, y)`, float32 samples `(n, ...)` and int64 labels `(n,)`; for a
            stream, what `augment` makes samples of.
        validation: `(x, y)`, or None if the protocol keeps none. A stream gives
            samples, and has their `shape` as an array does.
        test: The same.
        class_names: One per class.
        source: Where the data comes from, for the result.
        bounds: `(low, high)` of the values of samples, or None.
        augment: As in `ResampledDataset`, for training; for a stream one that takes a
            generator for each sample.
        units: float32 of the shape of a sample, the length of a unit step of a
            translation along each entry, 0 for one that stays; None: by the task.
        preprocessor: The fitted `keras_m2m.tabular.TablePreprocessor` that made the
            samples of a table, or None.
        smote: Function from a seed to a training set of classes filled up by SMOTE;
            None for SMOTE of the samples as they are.
        reading: How photographs were read, for those that are to be predicted: `size`,
            the side in pixels; `bits`, as `image_files.prepare` gives it; `group`, as
            `--group` says. None where samples are no photographs of files.
        shown: Function from the index of a test sample to what a person knows it by,
            texts by name; None for what the sample itself shows.
        frozen: The network from photographs to samples, where these are its features.
        start: The network from photographs to features, where `build` begins with its
            weights and trains them further.
        by_few: Whether however few validation samples choose the epoch that is tested,
            as the paper's protocol has it.
        notes: What to know of the data before a score is trusted, sentences without a
            full stop.
        defaults: What flags that look something up mean where they are not given, by
            name, as far as that is known; None for what is not clear.
    """

    train: tuple[np.ndarray, np.ndarray]
    validation: tuple[np.ndarray, np.ndarray] | None
    test: tuple[np.ndarray, np.ndarray]
    class_names: list[str]
    source: str
    bounds: tuple[float, float] | None = None
    augment: Callable | None = None
    units: np.ndarray | None = None
    preprocessor: Any | None = None
    smote: Callable | None = None
    reading: Mapping[str, Any] | None = None
    shown: Callable[[int], dict[str, str]] | None = None
    frozen: keras.Model | None = None
    start: keras.Model | None = None
    by_few: bool = True
    notes: Sequence[str] = ()
    defaults: Mapping[str, Any] = field(default_factory=dict)

    @property
    def class_counts(self) -> np.ndarray:
        """Training samples per class, int64 `(num_classes,)`."""
        return count_classes(self.train[1], len(self.class_names))

    @property
    def chooses_epoch(self) -> bool:
        """Whether validation chooses the epoch that is tested, and not the last is."""
        if self.validation is None:
            return False
        return self.by_few or can_choose(self.validation[1], len(self.class_names))

    @property
    def sample_shape(self) -> tuple[int, ...]:
        """Shape of one sample, as the network takes it."""
        samples, _ = self.validation or self.test
        return tuple(samples.shape[1:])

    @property
    def are_images(self) -> bool:
        return len(self.sample_shape) == 3

    @property
    def are_series(self) -> bool:
        return len(self.sample_shape) == 2  # Length and channels.


@dataclass(frozen=True)
class Flag:
    """A flag, and what follows from it. No other place says what a flag is.

    Attributes:
        kind: As in absl's `flags.DEFINE_kind`, such as `"float"`; `"path"`; `"step"`
            for a positive number, `"auto"`, or None; `"names"` for a list that grows
            where it is given again.
        name: The flag's name.
        default: Its default.
        about: One line for `--help`.
        limits: Further arguments of `DEFINE_kind`, such as `{"lower_bound": 1}`;
            for an enum `{"enum_values": [...]}`.
        role: What follows from its value:
            `"number"`: the numbers of a training; a hyper-parameter.
            `"choice"`: which training it is. A table chooses by its rows and seeds.
            `"machine"`: how a training is computed, and so its last digits.
            `"pace"`: how fast a training goes; at most last digits of its numbers.
            `"after"`: what is done with a trained network. A training is the same
            whatever it is; a result is not.
            `"place"`: where something is looked up. What is found there counts.
            `"command"`: what one command does with trainings, and no number of them.
        read_by: What reads it: trainings with `"translation"`, `"deferred"` ones, those
            with `"mixing"`, all of a `"network"`, or `"all"`, references too.
        before: The value that trainings had before there was this flag; None where that
            is the default. They are found by it, and trainings of this value keep
            the name that they had then: names and records leave it out.
    """

    kind: str
    name: str
    default: Any
    about: str
    limits: Mapping[str, Any] = field(default_factory=dict)
    role: str = "number"
    read_by: str = "all"
    before: Any = None


@dataclass(frozen=True)
class Preset:
    """A named set of values for flags that are not given.

    Attributes:
        values: Values of flags by name.
        source: Whose values they are: `"authors"` where a script of theirs states
            them, else `"ours"`.
        when: Values of flags at which it holds without `--preset`; None for never.
    """

    values: Mapping[str, Any]
    source: str
    when: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class Task:
    """A dataset with its protocol.

    Attributes:
        name: Name of the module, and of the folder for results.
        load: Function from settings to `Data`; raises `UserError`.
        build: Function `(data, head, settings)` to an untrained network.
        defaults: Defaults of the shared flags, by the paper's protocol.
        presets: By name, of which one holds at the flags' defaults and gives
            `beta`, `lam` and `gamma`.
        flags: The dataset's own flags.
        data_name: Function from settings to what the data is called in names; None
            where `name` says enough. Raises `UserError`.
    """

    name: str
    load: Callable[[Any], Data]
    build: Callable[[Data, str, Any], keras.Model]
    defaults: Mapping[str, Any]
    presets: Mapping[str, Preset]
    flags: Sequence[Flag] = ()
    data_name: Callable[[Any], str] | None = None

    def name_with_data(self, settings: Any) -> str:
        """What default names of folders and files begin with, so that data differ.

        Args:
            settings: With the task's flags.

        Raises:
            UserError: If there is no such data.
        """
        names = [self.name]
        if self.data_name:
            names.append(as_name(self.data_name(settings)))
        return "-".join(names)
