"""`M2mClassifier`: any method of `keras_m2m.train` with scikit-learn's interface."""

from collections.abc import Callable
from collections.abc import Mapping
from typing import Any

import keras
import numpy as np
from numpy.typing import ArrayLike
from scipy.special import expit
from scipy.special import softmax
from sklearn.base import BaseEstimator
from sklearn.base import ClassifierMixin
from sklearn.utils import check_consistent_length
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted
from sklearn.utils.validation import validate_data

from keras_m2m.checks import check_real
from keras_m2m.checks import check_weights
from keras_m2m.recipes import TRAINED
from keras_m2m.sklearn import fitting
from keras_m2m.sklearn import samples
from keras_m2m.sklearn import targets
from keras_m2m.sklearn.reporting import Reporting

_SEEDS = 2**31 - 2  # g has the next one.


class M2mClassifier(Reporting, ClassifierMixin, BaseEstimator):
    """A classifier for imbalanced classes, with scikit-learn's interface.

    It trains a Keras network by `keras_m2m.train`: by M2m, or by any other method,
    loss, mix and head that has a name there. So it goes into pipelines, searches and
    cross-validation. `score` is accuracy, as of all classifiers; for imbalanced classes
    give searches `scoring="balanced_accuracy"`.

    Probabilities are of the class frequencies that the network was trained on last:
    equal ones for M2m and whatever else balances. scikit-learn's
    `CalibratedClassifierCV` makes them those of the data.

    X is an array `(n, ...)` of numbers of any type, a frame, or a sparse matrix, whose
    rows are made dense by the batch. Frames of pandas or polars with text, categories,
    dates or missing values go through a `TablePreprocessor` first
    (`keras_m2m.tabular`). y are labels of any kind: text, booleans, whole numbers.

    docs/estimator.md has more, and the two of scikit-learn's checks that cannot pass: a
    sample of weight 2 is two samples on average, not to the bit.

    `fit` sets the seeds of Keras and its backend, as `keras.utils.set_random_seed`
    does; the states of Python's `random` and of NumPy it leaves as they were.

    Args:
        method: As for `keras_m2m.train`, like all arguments without a line of their
            own: `"m2m"`, `"erm"`, `"rs"`, `"smote"`, `"rw"`, `"cb_rw"`, `"drs"` or
            `"drw"`.
        loss: `"ce"`, `"focal"`, `"ldam"`, `"bce"`, `"la"`, `"vs"` or `"las"`.
        mix: `"none"`, `"mixup"`, `"remix"` or `"cmo"`.
        head: `"trained"`, `"crt"`, `"lws"`, `"ncm"`, `"tau_norm"` or
            `"tau_norm_auto"`.
        adjust: τ of post-hoc logit adjustment, 0 for none, or `"auto"`.
        build: Function to a new, untrained network of logits each time, called as
            `build(num_classes, input_shape, head=head)`; `keras_m2m.mlp` is one, and
            for series `resnet1d`. It gets `mean` and `variance` too if it leaves them
            None; else scale samples before. None for a network by the shape of X, which
            normalises them: of images `(n, height, width, channels)`
            `cifar_resnet(20, ...)`, else `mlp`.
        hidden: Units of the hidden layer of that `mlp`.
        epochs: Epochs in all.
        defer_epoch: First epoch of a deferred method; None for 80 % of `epochs`.
        batch_size: Samples a step.
        learning_rate: Of SGD.
        drops: From an epoch to the factor of the rate; None for a tenth twice.
        weight_decay: Of the networks of `build=None`.
        optimizer: A `keras.optimizers.Optimizer` to take instead of SGD, or None.
        beta: Of M2m, like `lam`, `gamma`, `steps`, `noise`.
        lam: See `beta`.
        gamma: See `beta`.
        steps: See `beta`.
        step_size: Of M2m: a number, or `"auto"` for one chosen on the training data.
        noise: See `beta`.
        units: Array of the length of a unit step along each entry, 0 for entries that
            no translation may move; `"auto"` for the standard deviation of each where
            there are no bounds; None for ones.
        bounds: `(low, high)` that translations stay in. None for `(0, 1)` or `(0, 255)`
            of images, and no limits else.
        augment: Function `(samples, rng) -> samples` for batches of training, or None.
        validation_fraction: Share of each class that is held out, to end with the
            weights of the epoch with the best balanced accuracy on it, if that is 10
            of each or more, and for `"auto"` and `"tau_norm_auto"`. 0 for none.
        random_state: Integer that all drawn numbers follow from, so that the same call
            gives the same numbers on a CPU; a `RandomState`; None for any.
        jit_compile: As for `keras.Model.compile`.
        steps_per_execution: As for `keras.Model.compile`, at most.
        verbose: As for `keras.Model.fit`; 0 prints nothing.

    Attributes:
        classes_: The labels, sorted.
        class_counts_: Training samples of each class, held-out ones aside.
        model_: The `keras.Model` of logits, in the order of `classes_`.
        history_: One dict of logs per epoch.
        step_size_: Of M2m's steps, None of other methods.
        acceptance_rate_: Share of translations of the last epoch that were accepted,
            None of other methods.
        preprocessor_: The `TablePreprocessor` of a frame that needed one, else None.
        n_features_in_: The length of the first axis of a sample.
        feature_names_in_: The columns, where X was a frame with text for names.

    Raises:
        ValueError: By `fit`, if an argument is outside its range, a combination makes
            no sense, or X or y cannot be trained on; for targets of other problems
            than classification it names what to use.
        ImportError: By `fit`, if a frame needs preprocessing and what
            `keras_m2m.tabular` needs is not installed.

    Example:

    >>> from keras_m2m.sklearn import M2mClassifier
    >>> rng = np.random.default_rng(0)
    >>> y = np.repeat(["legal", "fraud"], [120, 12])
    >>> X = rng.normal(size=(132, 4)) + 4 * (y == "fraud")[:, None]
    >>> classifier = M2mClassifier(epochs=10, hidden=16, random_state=0).fit(X, y)
    >>> classifier.predict([[0, 0, 0, 0], [4, 4, 4, 4]])
    array(['legal', 'fraud'], dtype='<U5')
    >>> classifier.predict_proba(X).shape
    (132, 2)

    Source: Kim et al., M2m (CVPR 2020); `keras_m2m.train` for the others.
    """

    def __init__(
        self,
        method: str = "m2m",
        loss: str = "ce",
        mix: str = "none",
        head: str = TRAINED,
        adjust: float | str = 0.0,
        *,
        build: Callable[..., keras.Model] | None = None,
        hidden: int = 256,
        epochs: int = 60,
        defer_epoch: int | None = None,
        batch_size: int = 64,
        learning_rate: float = 0.1,
        drops: Mapping[int, float] | None = None,
        weight_decay: float = 2e-4,
        optimizer: keras.optimizers.Optimizer | None = None,
        beta: float = 0.99,
        lam: float = 0.1,
        gamma: float = 0.9,
        steps: int = 10,
        step_size: float | str | None = "auto",
        noise: float | None = None,
        units: ArrayLike | str | None = "auto",
        bounds: tuple[float, float] | None = None,
        augment: Callable | None = None,
        validation_fraction: float = 0.0,
        random_state: int | np.random.RandomState | None = None,
        jit_compile: bool | str = "auto",
        steps_per_execution: int = 1,
        verbose: int | str = 0,
    ) -> None:
        self.method = method
        self.loss = loss
        self.mix = mix
        self.head = head
        self.adjust = adjust
        self.build = build
        self.hidden = hidden
        self.epochs = epochs
        self.defer_epoch = defer_epoch
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.drops = drops
        self.weight_decay = weight_decay
        self.optimizer = optimizer
        self.beta = beta
        self.lam = lam
        self.gamma = gamma
        self.steps = steps
        self.step_size = step_size
        self.noise = noise
        self.units = units
        self.bounds = bounds
        self.augment = augment
        self.validation_fraction = validation_fraction
        self.random_state = random_state
        self.jit_compile = jit_compile
        self.steps_per_execution = steps_per_execution
        self.verbose = verbose

    def fit(
        self, X: Any, y: ArrayLike, sample_weight: ArrayLike | None = None
    ) -> "M2mClassifier":
        """Train.

        Args:
            X: Samples `(n, ...)`.
            y: A label for each.
            sample_weight: Weights of the samples in the loss, at least 0, of which only
                the ratios matter; a sample of weight 0 is left out. Counts of classes
                are those of samples, whatever their weights. None for equal ones.

        Returns:
            This.
        """
        check_real(0, 0.9, validation_fraction=self.validation_fraction)
        labels = targets.checked_labels(y)
        given, X = X, self._fitted_samples(X)
        check_consistent_length(X, labels)
        sample_weight = check_weights(sample_weight, labels)
        if sample_weight is not None:
            kept = sample_weight > 0
            if not kept.any():
                raise ValueError("`sample_weight` must not be zero for all samples")
            X, labels, sample_weight = X[kept], labels[kept], sample_weight[kept]
        self.classes_, numbers = targets.numbered(labels)
        seed = int(check_random_state(self.random_state).randint(_SEEDS))
        held_out = fitting.held_out_rows(labels, self.validation_fraction, seed)
        with fitting.random_states_kept():
            trained = fitting.trained_network(
                self, given, X, numbers, sample_weight, held_out, seed
            )
        learnt = numbers if held_out is None else numbers[~held_out]
        self.class_counts_ = np.bincount(learnt, minlength=len(self.classes_))
        self.model_, self.history_ = trained.f, trained.history
        self.step_size_ = trained.step_size
        self.acceptance_rate_ = trained.history[-1].get("acceptance_rate")
        self._scale = fitting.scale_of_outputs(self.loss, self.head)
        self._image_bounds = samples.image_bounds(X)
        return self

    def _fitted_samples(self, X):
        self.preprocessor_ = None
        if not samples.is_mixed_frame(X):
            return samples.checked_samples(self, X, reset=True)
        from keras_m2m.tabular import TablePreprocessor

        validate_data(self, X, skip_check_array=True)
        self.preprocessor_ = TablePreprocessor().fit(X)
        return self.preprocessor_.transform(X)

    def decision_function(self, X: Any) -> np.ndarray:
        """Logits.

        Args:
            X: Samples as `fit` was given.

        Returns:
            float64 `(n, num_classes)`; of two classes `(n,)`, the logit of the second
            above that of the first.
        """
        check_is_fitted(self, "model_")  # A fit that failed leaves less.
        logits = self._scale * samples.outputs(self.model_, self._samples(X))
        if len(self.classes_) > 2:
            return logits
        return logits[:, 0] if logits.shape[1] == 1 else logits[:, 1] - logits[:, 0]

    def _samples(self, X):
        if self.preprocessor_ is not None:
            validate_data(self, X, reset=False, skip_check_array=True)
            return self.preprocessor_.transform(X)
        X = samples.checked_samples(self, X, reset=False)
        samples.check_alike(X, self.model_.input_shape, self._image_bounds)
        return X

    def predict_proba(self, X: Any) -> np.ndarray:
        """Probabilities of the classes: the softmax of the logits.

        Args:
            X: Samples as `fit` was given.

        Returns:
            float64 `(n, num_classes)`.
        """
        scores = self.decision_function(X)
        if scores.ndim == 1:
            return np.stack([expit(-scores), expit(scores)], axis=1)
        return softmax(scores, axis=1)

    def predict(self, X: Any) -> np.ndarray:
        """The likeliest class of each sample.

        Args:
            X: Samples as `fit` was given.

        Returns:
            Labels `(n,)`, as in `classes_`.
        """
        scores = self.decision_function(X)
        if scores.ndim == 1:
            return self.classes_[(scores > 0).astype("int64")]
        return self.classes_[scores.argmax(axis=1)]

    def __sklearn_tags__(self) -> Any:
        """What scikit-learn may hand to this."""
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        tags.input_tags.three_d_array = True
        return tags
