"""`NetworkPair`: a network in training, beside one that never changes."""

from typing import Any

import keras
from keras import ops

from keras_m2m.checks import only_input
from keras_m2m.draws import ReplicaSeedGenerator
from keras_m2m.draws import spread_seed
from keras_m2m.m2m_model.loss_checks import check_loss
from keras_m2m.mixing import NetworkInTraining


class NetworkPair(NetworkInTraining):
    """Trains `f`; holds `g`, which stays as it is to the bit, and draws numbers.

    To Keras it is a model whose output is that of `f`, and whose trainable variables
    are those of `f`, whatever `trainable` is set to here or in `g`.

    Args:
        f: The network to train, a built `keras.Model` that returns logits.
        g: The frozen one. This sets `g.trainable = False`.
        seed: Integer of at least 0 that drawn numbers follow from; None for any.
        name: Name of the model.
        mixing: As for `NetworkInTraining`.

    Raises:
        ValueError: If `mixing` or `seed` is something else; from `compile`, if the loss
            takes probabilities, corrects for class frequencies, or cannot be mixed;
            from `save`, for other than a `.keras` file.

    Example:

    >>> dense = keras.layers.Dense
    >>> f, g = (keras.Sequential([keras.Input((2,)), dense(3)]) for _ in "fg")
    >>> pair = NetworkPair(f, g)
    >>> pair.trainable = True
    >>> len(pair.trainable_weights), len(pair.weights)
    (2, 4)
    """

    FIXED: tuple[str, ...] = ("f", "g", "seed", "mixing")
    asked_jit_compile: bool | str = "auto"  # Until `compile`.

    def __init__(
        self,
        f: keras.Model,
        g: keras.Model,
        seed: int | None = None,
        name: str | None = None,
        mixing: Any = None,
    ) -> None:
        super().__init__(f, mixing, seed, name)
        self._generator = ReplicaSeedGenerator(spread_seed(self.seed, stream=2))
        self.g = g
        self.g.trainable = False

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

    def loss_of_labels(
        self, x: Any, y: Any, y_pred: Any, sample_weight: Any, training: bool
    ) -> Any:
        """The ordinary loss, NaN for what training would hide.

        That is samples that are not finite, and in training labels outside the classes.
        JAX and PyTorch try it out before any step.
        """
        loss = super().loss_of_labels(x, y, y_pred, sample_weight, training)
        # The ReLU of NaN is 0: f can be all NaN and have a finite loss.
        sound = ops.all(ops.isfinite(only_input(x)))
        if training:
            # To some losses a label outside is a sample that costs nothing.
            labels, one_logit = ops.cast(y, "float32"), y_pred.shape[-1] == 1
            last = 1 if one_logit else y_pred.shape[-1] - 1
            inside = ops.all(ops.logical_and(labels >= 0, labels <= last))
            sound = ops.logical_and(sound, inside)
        return loss + ops.cast(ops.where(sound, 0.0, float("nan")), loss.dtype)

    def get_config(self) -> dict:
        config = super().get_config()
        config["g"] = keras.saving.serialize_keras_object(self.g)
        # A frozen network needs no optimizer, whose state would not fit it either.
        config["g"].pop("compile_config", None)
        return config

    def _generators(self):
        return {**super()._generators(), "draws": self._generator}
