"""`SteppingPair`: networks between which samples move by steps of some length."""

from typing import Any

import keras
from keras import ops

from keras_m2m import translation
from keras_m2m._backend import is_readable
from keras_m2m.m2m_model.network_checks import input_shape
from keras_m2m.m2m_model.network_pair import NetworkPair
from keras_m2m.m2m_model.settings import AUTO
from keras_m2m.m2m_model.settings import check_lengths
from keras_m2m.m2m_model.settings import check_units


class SteppingPair(NetworkPair):
    """A pair with the length of a step: a constant, or chosen once and then kept.

    What is chosen is in a variable, so that checkpoints hold it; a pair whose step is
    given has no such variable.

    Args:
        f: As for `NetworkPair`.
        g: As for `NetworkPair`.
        bounds: `(low, high)` that samples stay in, or None.
        step_size: As for `check_lengths`.
        noise: As for `check_lengths`; None where it is the length of a chosen step.
        units: As for `check_units`.
        *arguments: Others of `NetworkPair`.

    Raises:
        ValueError: If an argument is outside its range; from `train_on_batch`, if the
            step is still to be chosen.

    Example:

    >>> dense = keras.layers.Dense
    >>> f, g = (keras.Sequential([keras.Input((2,)), dense(3)]) for _ in "fg")
    >>> pair = SteppingPair(f, g, None, "auto", None, [1.0, 0.0])
    >>> pair.keep_step_size(0.5)
    >>> pair.step_size, pair.noise
    (0.5, 0.5)
    """

    def __init__(
        self,
        f: keras.Model,
        g: keras.Model,
        bounds: tuple[float, float] | None,
        step_size: float | str | None,
        noise: float | None,
        units: Any,
        *arguments: Any,
    ) -> None:
        super().__init__(f, g, *arguments)
        self.bounds = bounds
        self.units = check_units(units, input_shape(f, g))
        self._step_size, self._noise = check_lengths(bounds, step_size, noise)
        if self._step_size == AUTO:
            self._chosen = self.add_weight(
                shape=(),
                initializer="zeros",  # For not chosen yet.
                dtype="float32",
                trainable=False,
                autocast=False,
                name="step_size",
            )

    @property
    def step_size(self) -> float | str:
        """The L2 length of a step, in `units`; `"auto"` until it is chosen."""
        if self._step_size != AUTO:
            return self._step_size
        return float(ops.convert_to_numpy(self._chosen)) or AUTO

    @property
    def noise(self) -> float | None:
        """The L2 norm of the random start; None until it follows a chosen step."""
        if self._noise is None and self.step_size != AUTO:
            return float(self.step_size)
        return self._noise

    def keep_step_size(self, step_size: float) -> None:
        """Keep what was chosen for `"auto"`."""
        self._chosen.assign(step_size)

    def noise_and_step(self, shape: Any) -> tuple[Any, dict]:
        """The random start of translations, drawn, and how they move from there.

        Args:
            shape: Of the samples, with the batch axis.

        Returns:
            float32 tensor of that shape, and arguments of `translation.translate`.

        Raises:
            ValueError: If the step is still to be chosen, where that can be read.
        """
        gaussian = keras.random.normal(shape, dtype="float32", seed=self._generator)
        units = None if self.units is None else ops.convert_to_tensor(self.units)
        step_size: Any = self._step_size
        norm: Any = self._noise
        if step_size == AUTO:
            step_size = ops.convert_to_tensor(self._chosen)
            if is_readable(step_size):
                self._check_chosen()
            norm = step_size if norm is None else norm
        noise = translation.scale_noise(gaussian, norm, units)
        step = {"step_size": step_size, "bounds": self.bounds, "units": units}
        return noise, step

    def make_train_function(self, force: bool = False) -> Any:
        """As `keras.Model` does, once the step is chosen."""
        self._check_chosen()
        return super().make_train_function(force)

    def get_config(self) -> dict:
        # As they were given: what was chosen is in a variable.
        given = {"step_size": self._step_size, "noise": self._noise}
        return {**super().get_config(), **given}

    def _check_chosen(self):
        if self.step_size == AUTO:
            raise ValueError(
                '`fit` chooses a step_size of "auto" before its first step. Elsewhere '
                "give a number, such as keras_m2m.choose_step_size finds. "
                "Received: step_size='auto'"
            )
