"""A network tried out on a few made samples, before it is trained with.

What a network returns, its layers do not show: a softmax may be in a Lambda or in the
`call` of a subclass, and the last sigmoid of a list may be that of a gate.
"""

import warnings
from typing import Any
from typing import NamedTuple

import keras
import numpy as np
from keras import ops

from keras_m2m._backend import compiled
from keras_m2m._backend import gradient_and_output

_ROWS = 8
# Lengths tried for axes that a network leaves open.
_LENGTHS = (32, 128)
# Weights such as no network has, within the range of float16.
_LARGE, _LARGER = 100, 10_000


class Outcome(NamedTuple):
    """What a network made of some samples.

    Attributes:
        outputs: What it returned, its tensors as arrays.
        gradient: Array like the samples, of a weighted sum of the outputs; None
            where these do not depend on the samples.
    """

    outputs: Any
    gradient: np.ndarray | None


class Trial:
    """Calls of a network in inference mode, which leave it as it is.

    Weights, moving statistics and generators of random numbers are read and never
    written, those of Keras itself included.

    Args:
        network: A built `keras.Model`.
        shape: Shape of the samples, the batch axis included.
        bounds: `(low, high)`, finite, of the samples.

    Example:

    >>> import keras_m2m
    >>> trial = Trial(keras_m2m.mlp(3, (4,)), shape=(8, 4), bounds=(0, 1))
    >>> trial.at_the_ends().outputs.shape
    (8, 3)
    """

    def __init__(self, network: keras.Model, shape: tuple, bounds: tuple) -> None:
        self.network, self.bounds = network, bounds
        self._ends = np.random.default_rng(0).integers(0, 2, shape)
        self._run = compiled(self._gradient_and_output, for_once=True)

    def at_the_ends(self) -> Outcome:
        """On samples of the two bounds, which pixels, counts and ids all have."""
        return self._outcome(self._ends)

    def between(self) -> Outcome:
        """On samples well inside, in case the ends are special, as for a logarithm."""
        return self._outcome(0.1 + 0.8 * self._ends)

    def stays_within(self, low: float, high: float, usual: np.ndarray) -> bool:
        """Whether no weights make the network return a value outside `[low, high]`.

        One kernel after the other is replaced by large numbers, and by larger ones.
        If the large ones of a linear head move a logit by a tenth, the larger ones move
        it by ten: out of the range. Below a sigmoid nothing leaves it.

        Args:
            low: Least value.
            high: Greatest value.
            usual: What the network returns with the weights that it has.
        """
        rng, moved = np.random.default_rng(0), False
        for index, variable in reversed([*enumerate(self.network.variables)]):
            if len(variable.shape) < 2 or "float" not in str(variable.dtype):
                continue
            direction = rng.normal(size=variable.shape)
            for scale in (_LARGE, -_LARGE, _LARGER, -_LARGER):
                found = self._outcome(self._ends, {index: scale * direction}).outputs
                if not np.all((found >= low) & (found <= high)):
                    return False
                moved |= abs(scale) == _LARGE and np.abs(found - usual).max() > 0.1
        return moved

    def _outcome(self, part, replaced=()):
        low, high = self.bounds
        samples = ops.convert_to_tensor((low + (high - low) * part).astype("float32"))
        values = [ops.stop_gradient(variable) for variable in self.network.variables]
        for index in replaced:
            values[index] = ops.cast(replaced[index], values[index].dtype)
        gradient, outputs = self._run(values, samples)
        outputs = keras.tree.map_structure(_array, outputs)
        return Outcome(outputs, None if gradient is None else _array(gradient))

    def _gradient_and_output(self, values, samples):
        mapping = [*zip(self.network.variables, values, strict=True)]

        def weighted_sum(samples):
            with keras.StatelessScope(state_mapping=mapping):
                outputs = self.network(samples, training=False)
            rng, total = np.random.default_rng(1), ops.zeros(())
            for output in keras.tree.flatten(outputs):
                # Large, or a gradient of float16 might round to 0.
                weights = ops.cast(1e3 * rng.normal(size=output.shape), "float32")
                total = total + ops.sum(weights * ops.cast(output, "float32"))
            return total, outputs

        return gradient_and_output(weighted_sum, samples)


def _array(tensor):
    return np.asarray(ops.convert_to_numpy(ops.cast(tensor, "float32")))


def try_out(
    name: str, network: keras.Model, shape: tuple, bounds: tuple
) -> tuple[Trial, Outcome] | None:
    """Call a network on made samples.

    Args:
        name: What the user calls the network, for the warning.
        network: A built `keras.Model`.
        shape: Its input shape with the batch axis; axes of None get a length that
            the network can take.
        bounds: As for `Trial`.

    Returns:
        The `Trial` and its first outcome; None, after a warning, where the network
        cannot be called.
    """
    lengths = _LENGTHS if None in shape[1:] else _LENGTHS[:1]
    for length in lengths:
        sizes = (shape[0] or _ROWS, *(size or length for size in shape[1:]))
        trial = Trial(network, sizes, bounds)
        try:
            return trial, trial.at_the_ends()
        except Exception as error:  # Whatever a user's network raises.
            failed = f"{type(error).__name__}: {error}"
    warnings.warn(
        f"`{name}` could not be tried out and is trained with unchecked. If training "
        "fails too, look into the network. Received: an error from a call on samples "
        f"of shape {sizes} with values {bounds[0]} and {bounds[1]}: {failed}",
        stacklevel=2,
    )
    return None
