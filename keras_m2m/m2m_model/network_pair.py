"""`NetworkPair`: a network in training, beside one that never changes."""

import os
from typing import Any

import keras
import numpy as np
from keras import ops

from keras_m2m.checks import check_whole
from keras_m2m.m2m_model.data_checks import check_targets
from keras_m2m.m2m_model.data_checks import only_input
from keras_m2m.m2m_model.loss_checks import check_loss
from keras_m2m.m2m_model.replicas import ReplicaSeedGenerator
from keras_m2m.m2m_model.replicas import spread_seed


class NetworkPair(keras.Model):
    """Trains `f`; holds `g`, which stays as it is to the bit, and draws numbers.

    To Keras it is a model whose output is that of `f`, and whose trainable variables
    are those of `f`, whatever `trainable` is set to here or in `g`. The attributes in
    `FIXED`, which are the arguments of the constructor too, cannot be assigned again:
    compiled code would not see it.

    Args:
        f: The network to train, a built `keras.Model` that returns logits.
        g: The frozen one. This sets `g.trainable = False`.
        seed: Integer of at least 0 that drawn numbers follow from; None for any.
        name: Name of the model.

    Raises:
        ValueError: If `seed` is no integer of at least 0; from `compile`, if the loss
            takes probabilities or corrects for class frequencies; from `save`, for
            other than a `.keras` file.

    Example:

    >>> dense = keras.layers.Dense
    >>> f, g = (keras.Sequential([keras.Input((2,)), dense(3)]) for _ in "fg")
    >>> pair = NetworkPair(f, g)
    >>> pair.trainable = True
    >>> len(pair.trainable_weights), len(pair.weights)
    (2, 4)
    """

    FIXED: tuple[str, ...] = ("f", "g", "seed")
    asked_jit_compile: bool | str = "auto"  # Until `compile`.

    def __init__(
        self,
        f: keras.Model,
        g: keras.Model,
        seed: int | None = None,
        name: str | None = None,
    ) -> None:
        super().__init__(name=name)
        self.seed = None if seed is None else check_whole(0, seed=seed)
        self._generator = ReplicaSeedGenerator(spread_seed(self.seed, stream=2))
        self.f, self.g = f, g
        self.g.trainable = False
        self.built = True  # f and g are, and there is nothing else to build.

    def __setattr__(self, name: str, value: Any) -> None:
        if name in self.FIXED and hasattr(self, name):
            raise AttributeError(
                f"`{name}` of a {type(self).__name__} is fixed, since a compiled step "
                f"would go on with the old one. Make a new {type(self).__name__} with "
                f"the same f, g and optimizer. Received: {name}={value!r}"
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

    # g is left out here, and not by its flags: `trainable = True` sets those.

    @property
    def trainable_variables(self) -> list:
        return self._but_for_g(super().trainable_variables)

    @property
    def non_trainable_variables(self) -> list:
        trainable = {id(v) for v in self.trainable_variables}
        return [v for v in self.variables if id(v) not in trainable]

    @property
    def trainable_weights(self) -> list:
        return self._but_for_g(super().trainable_weights)

    @property
    def non_trainable_weights(self) -> list:
        trainable = {id(v) for v in self.trainable_weights}
        return [v for v in self.weights if id(v) not in trainable]

    def _but_for_g(self, variables):
        frozen = {id(v) for v in self.g.variables}
        return [v for v in variables if id(v) not in frozen]

    def compile(
        self, optimizer: Any = "rmsprop", loss: Any = None, *args: Any, **kwargs: Any
    ) -> None:
        """As `keras.Model.compile`, for losses of logits on class-balanced batches.

        Raises:
            ValueError: If `loss` takes probabilities, or corrects for class
                frequencies that such batches do not have.
        """
        for each in keras.tree.flatten(loss):
            check_loss(each)
        # Keras keeps what it makes of "auto", not what it was asked for.
        self.asked_jit_compile = kwargs.get("jit_compile", "auto")
        super().compile(optimizer, loss, *args, **kwargs)

    def compute_loss(
        self,
        x: Any = None,
        y: Any = None,
        y_pred: Any = None,
        sample_weight: Any = None,
        training: bool = True,
    ) -> Any:
        """The ordinary loss, NaN for what training would hide.

        That is samples that are not finite, and in training labels outside the classes.
        JAX and PyTorch try it out before any step.
        """
        check_targets(y)
        loss = super().compute_loss(x, y, y_pred, sample_weight, training)
        # The ReLU of NaN is 0: f can be all NaN and have a finite loss.
        sound = ops.all(ops.isfinite(only_input(x)))
        if training:
            # To some losses a label outside is a sample that costs nothing.
            labels, one_logit = ops.cast(y, "float32"), y_pred.shape[-1] == 1
            last = 1 if one_logit else y_pred.shape[-1] - 1
            inside = ops.all(ops.logical_and(labels >= 0, labels <= last))
            sound = ops.logical_and(sound, inside)
        return loss + ops.cast(ops.where(sound, 0.0, float("nan")), loss.dtype)

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
        """As `keras.Model.save`, into a `.keras` file: f, g and the optimizer.

        To save the result of training alone, save `f`.

        Raises:
            ValueError: If `filepath` ends otherwise.
        """
        if not str(filepath).endswith(".keras"):
            raise ValueError(
                f"A {type(self).__name__} is saved as a .keras file, which holds f and "
                f"g; f alone is saved by f.save. Received: filepath={filepath}"
            )
        super().save(filepath, *args, **kwargs)

    def export(self, *args: Any, **kwargs: Any) -> None:
        """`f.export`: g has no part in predictions."""
        self.f.export(*args, **kwargs)

    def get_config(self) -> dict:
        config = {key: getattr(self, key) for key in self.FIXED}
        for key, value in config.items():
            if isinstance(value, np.ndarray):
                config[key] = value.tolist()
        networks = {k: keras.saving.serialize_keras_object(config[k]) for k in "fg"}
        # A frozen network needs no optimizer, whose state would not fit it either.
        networks["g"].pop("compile_config", None)
        return {"name": self.name, **config, **networks}

    @classmethod
    def from_config(cls, config: dict) -> "NetworkPair":
        parts = {k: keras.saving.deserialize_keras_object(config[k]) for k in "fg"}
        return cls(**{**config, **parts})

    def save_own_variables(self, store: Any) -> None:
        """Save how far the drawn numbers are, too, which Keras leaves out."""
        super().save_own_variables(store)
        store["draws"] = ops.convert_to_numpy(self._generator.state)

    def load_own_variables(self, store: Any) -> None:
        """Load what `save_own_variables` saved."""
        self._generator.state.assign(store["draws"])
        others = {key: store[key] for key in (*store.keys(),) if key != "draws"}
        super().load_own_variables(others)
