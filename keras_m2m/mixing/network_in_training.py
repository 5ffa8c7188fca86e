"""`NetworkInTraining`: a model around a network, which trains it in another way."""

import os
from typing import Any

import keras
import numpy as np
from keras import ops

from keras_m2m.checks import check_targets
from keras_m2m.checks import check_whole
from keras_m2m.checks import only_input
from keras_m2m.draws import ReplicaSeedGenerator
from keras_m2m.draws import spread_seed
from keras_m2m.losses.corrections import check_corrects_nothing
from keras_m2m.mixing.two_labels import TwoLabels


class NetworkInTraining(keras.Model):
    """Trains `f` on batches that it may mix; to Keras a model with the output of `f`.

    The attributes in `FIXED`, which are the arguments of the constructor too, cannot be
    assigned again: compiled code would not see it.

    Args:
        f: The network to train, a built `keras.Model`.
        mixing: A `Mixup`, `Remix` or `CMO`, or another function `(x, labels, seed)` to
            `Mixed`; None not to mix.
        seed: Integer of at least 0 that drawn numbers follow from; None for any.
        name: Name of the model.

    Raises:
        ValueError: If `mixing` or `seed` is something else; from `compile`, if the loss
            does not go with the mixing; from `save`, for other than a `.keras` file.
    """

    FIXED: tuple[str, ...] = ("f", "mixing", "seed")

    def __init__(
        self,
        f: keras.Model,
        mixing: Any = None,
        seed: int | None = None,
        name: str | None = None,
    ) -> None:
        super().__init__(name=name)
        self.seed = None if seed is None else check_whole(0, seed=seed)
        self.mixing = _check_mixing(mixing)
        self.f = f
        if mixing is not None:
            self._mixing_draws = ReplicaSeedGenerator(spread_seed(self.seed, stream=3))
        self.built = True  # f is, and there is nothing else to build.

    def __setattr__(self, name: str, value: Any) -> None:
        if name in self.FIXED and hasattr(self, name):
            raise AttributeError(
                f"`{name}` of a {type(self).__name__} is fixed, since a compiled step "
                f"would go on with the old one. Make a new {type(self).__name__} with "
                f"the same networks and optimizer. Received: {name}={value!r}"
            )
        super().__setattr__(name, value)

    def call(self, x: Any, training: bool | None = None) -> Any:
        return self.f(only_input(x), training=training)

    @property
    def inputs(self) -> Any:
        return self.f.inputs

    @property
    def outputs(self) -> Any:
        return self.f.outputs

    def mixed(self, x: Any, y: Any, sample_weight: Any = None) -> tuple:
        """A batch as the ordinary step takes it: mixed, if there is `mixing`.

        Args:
            x: float tensor `(batch, ...)`.
            y: Tensor of labels `(batch,)` or `(batch, 1)`.
            sample_weight: Weights `(batch,)` or `(batch, 1)`, class weights included,
                or None.

        Returns:
            `(x, y)` or `(x, y, sample_weight)`; after mixing, y is `TwoLabels`, which
            hold the weights.
        """
        if self.mixing is None:
            return keras.utils.pack_x_y_sample_weight(x, y, sample_weight)
        labels = ops.reshape(ops.cast(y, "int32"), (-1,))
        mixed = self.mixing(x, labels, self._mixing_draws)
        weights = None
        if sample_weight is not None:
            own = ops.reshape(ops.cast(sample_weight, "float32"), (-1,))
            weights = ops.take(own, mixed.rows), ops.take(own, mixed.partners)
        a, b = (
            ops.reshape(ops.cast(labels, y.dtype), (-1, *y.shape[1:]))
            for labels in (mixed.labels_a, mixed.labels_b)
        )
        return mixed.x, TwoLabels(a, b, mixed.share, weights)

    def compile(
        self, optimizer: Any = "rmsprop", loss: Any = None, *args: Any, **kwargs: Any
    ) -> None:
        """As `keras.Model.compile`.

        Raises:
            ValueError: If the loss does not go with the mixing: it divides by the
                weights, or corrects for class frequencies that mixing changes.
        """
        if self.mixing is not None:
            for each in keras.tree.flatten(loss):
                _check_mixes(each, getattr(self.mixing, "keeps_prior", True))
        super().compile(optimizer, loss, *args, **kwargs)

    def compute_loss(
        self,
        x: Any = None,
        y: Any = None,
        y_pred: Any = None,
        sample_weight: Any = None,
        training: bool = True,
    ) -> Any:
        """`loss_of_labels`; of a mixed batch, on both labels by their shares."""
        of = self.loss_of_labels
        if not isinstance(y, TwoLabels):
            return of(x, y, y_pred, sample_weight, training)
        return y.loss(lambda labels, weights: of(x, labels, y_pred, weights, training))

    def loss_of_labels(
        self, x: Any, y: Any, y_pred: Any, sample_weight: Any, training: bool
    ) -> Any:
        """The loss of a batch with one label a row, as `keras.Model.compute_loss`.

        Args:
            x: Samples, as the network got them.
            y: Labels `(batch,)` or `(batch, 1)`.
            y_pred: What the network made of the samples.
            sample_weight: Weights `(batch,)`, or None.
            training: Whether this is a step of training.

        Returns:
            Scalar tensor.

        Raises:
            ValueError: If labels are missing or of another shape.
        """
        check_targets(y)
        return super().compute_loss(x, y, y_pred, sample_weight, training)

    def compute_metrics(
        self, x: Any, y: Any, y_pred: Any, sample_weight: Any = None
    ) -> dict:
        """The ordinary metrics, of a mixed batch by the label of the larger share."""
        if isinstance(y, TwoLabels):
            y, sample_weight = y.larger()
        return super().compute_metrics(x, y, y_pred, sample_weight)

    def get_compile_config(self) -> dict:
        config = super().get_compile_config()
        if config and self.optimizer is getattr(self.f, "optimizer", None):
            # f has it, and its state is saved with f.
            config["optimizer"] = None
        return config

    def compile_from_config(self, config: dict) -> None:
        config = keras.saving.deserialize_keras_object(config)
        if config["optimizer"] is None:
            config["optimizer"] = self.f.optimizer
        self.compile(**config)
        self.optimizer.build(self.trainable_variables)

    def save(self, filepath: str | os.PathLike, *args: Any, **kwargs: Any) -> None:
        """As `keras.Model.save`, into a `.keras` file: networks and optimizer.

        To save the result of training alone, save `f`.

        Raises:
            ValueError: If `filepath` ends otherwise.
        """
        if not str(filepath).endswith(".keras"):
            raise ValueError(
                f"A {type(self).__name__} is saved as a .keras file, with all that it "
                f"holds; f alone is saved by f.save. Received: filepath={filepath}"
            )
        super().save(filepath, *args, **kwargs)

    def export(self, *args: Any, **kwargs: Any) -> None:
        """`f.export`: nothing else has a part in predictions."""
        self.f.export(*args, **kwargs)

    def get_config(self) -> dict:
        config = {key: getattr(self, key) for key in self.FIXED}
        for key, value in config.items():
            if isinstance(value, np.ndarray):
                config[key] = value.tolist()
        for key in ("f", "mixing"):
            config[key] = keras.saving.serialize_keras_object(config[key])
        return {"name": self.name, **config}

    @classmethod
    def from_config(cls, config: dict) -> "NetworkInTraining":
        parts = {
            key: keras.saving.deserialize_keras_object(config[key])
            for key in ("f", "g", "mixing")
            if config.get(key) is not None
        }
        return cls(**{**config, **parts})

    def save_own_variables(self, store: Any) -> None:
        """Save how far the drawn numbers are, too, which Keras leaves out."""
        super().save_own_variables(store)
        for name, generator in self._generators().items():
            store[name] = ops.convert_to_numpy(generator.state)

    def load_own_variables(self, store: Any) -> None:
        """Load what `save_own_variables` saved."""
        generators = self._generators()
        for name, generator in generators.items():
            generator.state.assign(store[name])
        others = {key: store[key] for key in (*store.keys(),) if key not in generators}
        super().load_own_variables(others)

    def _generators(self):
        """What draws numbers, by the name under which its state is saved."""
        return {} if self.mixing is None else {"mixing draws": self._mixing_draws}


def _check_mixing(mixing):
    if mixing is not None and (isinstance(mixing, type) or not callable(mixing)):
        raise ValueError(
            "`mixing` must be a Mixup, Remix or CMO, another function "
            f"(x, labels, seed) to Mixed, or None. Received: mixing={mixing!r}"
        )
    return mixing


def _check_mixes(loss, keeps_prior):
    reduction = getattr(loss, "reduction", None)
    if reduction == "mean_with_sample_weight":
        raise ValueError(
            "Mixing weighs the losses of two labels by their shares, and this "
            "loss divides by the weights. Use one that divides by the samples, "
            f"the default of losses. Received: reduction={reduction!r}"
        )
    if not keeps_prior:
        mixed = "Batches of this mixing, which gives rare classes more labels,"
        check_corrects_nothing(loss, mixed)
