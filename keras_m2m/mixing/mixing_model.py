"""`MixingModel`: ordinary Keras training on mixed batches."""

import functools
import inspect
from typing import Any

import keras
from keras import ops

from keras_m2m._backend import run_stateful
from keras_m2m._backend import values_kept
from keras_m2m.checks import AS_FLOATS
from keras_m2m.checks import check_model
from keras_m2m.checks import check_targets
from keras_m2m.checks import only_input
from keras_m2m.losses.corrections import check_corrects_nothing
from keras_m2m.mixing.network_in_training import NetworkInTraining

_FIT = inspect.signature(keras.Model.fit)


@keras.saving.register_keras_serializable(package="keras_m2m")
class MixingModel(NetworkInTraining):
    """Trains `f` on batches whose rows are mixed, without M2m.

    Every training step mixes the batch, and its loss is
    `share * L(y_a) + (1 - share) * L(y_b)` by whatever loss of integer labels it is
    compiled with. Class and sample weights follow each label. All else is Keras' own;
    metrics of training are those of the label with the larger share. Evaluation and
    predictions are those of `f`.

    Compile it with the optimizer object of `f` where training of `f` goes on, and save
    and export `f`.

    Args:
        f: The classifier to train: a built `keras.Model` with one input.
        mixing: How batches are mixed: a `Mixup`, `Remix` or `CMO`.
        seed: Integer of at least 0 that the drawn numbers follow from; None for any.
        name: Name of the model.

    Call arguments:
        x: Samples `(batch, ...)`, floating point. The result is `f(x)`.

    Raises:
        ValueError: If `f` is no built model, `mixing` cannot mix, or `seed` is no such
            integer; from `compile`, if the loss divides by the weights, or corrects for
            class frequencies that mixing changes; from `fit`, if samples are integers
            or labels of another shape, or if batches are class-balanced or
            class-weighted and the loss corrects for class frequencies.
        AttributeError: If an argument is assigned again.

    Example:

    >>> import numpy as np
    >>> import keras_m2m
    >>> x = np.random.default_rng(0).normal(size=(110, 4)).astype("float32")
    >>> y = np.repeat([0, 1], [100, 10])
    >>> f = keras_m2m.mlp(2, input_shape=(4,))
    >>> model = MixingModel(f, keras_m2m.Remix([100, 10]))
    >>> model.compile("sgd", keras.losses.SparseCategoricalCrossentropy(True))
    >>> history = model.fit(x, y, verbose=0)
    >>> sorted(history.history)
    ['loss']

    Source: Zhang et al., mixup (ICLR 2018); Chou et al., Remix (2020); Park et al., CMO
    (CVPR 2022).
    """

    def __init__(
        self,
        f: keras.Model,
        mixing: Any,
        seed: int | None = None,
        name: str | None = None,
    ) -> None:
        if not check_model(f=f).built:
            raise ValueError(
                "`f` must be built: give it an Input, or call it once on samples. "
                f"Received: {f.name!r}, which is not"
            )
        if mixing is None:
            raise ValueError(
                "`mixing` must say how to mix, as Mixup() does; without it, fit f "
                "itself. Received: mixing=None"
            )
        super().__init__(f, mixing, seed, name)

    @functools.wraps(keras.Model.fit, assigned=())
    def fit(self, *args: Any, **kwargs: Any) -> keras.callbacks.History:
        """Train `f`; as `keras.Model.fit`.

        Raises:
            ValueError: If the loss corrects for class frequencies that the batches do
                not have.
        """
        given = _FIT.bind(self, *args, **kwargs).arguments
        balanced = getattr(given.get("x"), "sampling", "instance") == "class"
        if balanced or given.get("class_weight") is not None:
            batches = "Class-balanced or class-weighted batches"
            check_corrects_nothing(self.loss, batches)
        with values_kept(self):
            return super().fit(*args, **kwargs)

    def train_step(self, *state_and_data: Any) -> Any:
        """Mix the batch, then do the ordinary step; on JAX, with a state."""
        *state, data = state_and_data
        data, state = run_stateful(self, state, self._mix, data)
        return super().train_step(*state, data)

    def _mix(self, data):
        x, y, sample_weight = keras.utils.unpack_x_y_sample_weight(data)
        check_targets(y)
        x = only_input(x)
        if not keras.backend.is_float_dtype(keras.backend.standardize_dtype(x.dtype)):
            raise ValueError(
                "Samples must be floating point, since they are mixed; "
                f"{AS_FLOATS}. Received: dtype={x.dtype}"
            )
        x, y = ops.convert_to_tensor(x), ops.convert_to_tensor(y)
        return self.mixed(x, y, sample_weight)
