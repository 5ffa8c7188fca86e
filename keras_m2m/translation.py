"""The equations of M2m as pure functions of tensors and drawn numbers.

Nothing here draws a random number or holds state: `M2mModel` draws, these
compute. A step reads `choose_seeds`, `translate`, `accept` in this order.
"""

from collections.abc import Callable
from typing import Any
from typing import NamedTuple

from keras import ops

from keras_m2m._backend import input_gradient
from keras_m2m.classes import class_logits

_TINY = 1e-12


class Choice(NamedTuple):
    """What `choose_seeds` found, one entry for every row of the batch.

    Attributes:
        rows: int32 tensor `(batch,)`, the row of the batch that is the seed.
        wanted: bool tensor `(batch,)`, whether the row is to be replaced by a
            translation of that seed: it is a candidate, has a seed, and the
            draw of R did not reject it.
    """

    rows: Any
    wanted: Any


def choose_seeds(
    labels: Any, draws: Any, generation: Any, acceptance: Any, size_of: Any = None
) -> Choice:
    """Decide which rows are generated, from which seed, and which R rejects.

    Think of it as steps 5, 6 and 12 of Algorithm 1 for the whole batch at once.
    The rejection R does not depend on the translated sample, so it is drawn
    here, and a rejected row need not be translated at all: the result has the
    same distribution at less cost.

    Args:
        labels: int tensor `(batch,)`, the classes of a class-balanced batch.
        draws: float32 tensor `(3, batch)`, uniform in `[0, 1)`: one number for
            "is row i generated", one for its seed, one for R.
        generation: float32 tensor `(num_classes,)`, `generation_probability`.
        acceptance: float32 tensor `(num_classes, num_classes)`, indexed
            `[target, seed]`, `acceptance_probability`.
        size_of: int32 tensor `(num_classes,)`: which row and column of `acceptance` is
            that of a class, if it is that of `acceptance_by_size`; None for its own.

    Returns:
        A `Choice`.

    Example:

    With one large class and one small one, the small one's row is generated
    from the only row of the large class.

    >>> import keras
    >>> import numpy as np
    >>> choice = choose_seeds(
    ...     np.array([0, 1]),
    ...     np.zeros((3, 2), "float32"),
    ...     np.array([0.0, 0.9], "float32"),
    ...     np.array([[0.0, 0.0], [0.6, 0.0]], "float32"),
    ... )
    >>> keras.ops.convert_to_numpy(choice.rows[1]).item()
    0
    >>> keras.ops.convert_to_numpy(choice.wanted).tolist()
    [False, True]

    Source: Kim et al., M2m (CVPR 2020), Algorithm 1 and eqs. (3), (5); batch-wise
    re-sampling as in section 2.3, "Practical implementation".
    """
    generated_draw, seed_draw, keep_draw = ops.unstack(ops.convert_to_tensor(draws), 3)
    acceptance = ops.convert_to_tensor(acceptance)
    # accepted_from[i, j]: chance to keep a translation of row j to row i's class.
    sizes = labels if size_of is None else ops.take(size_of, labels)
    accepted_from = ops.take(ops.take(acceptance, sizes, axis=0), sizes, axis=1)
    same_class = ops.equal(labels[:, None], labels[None, :])
    class_size = ops.sum(ops.cast(same_class, "float32"), axis=1)
    # Dividing by the class's size draws a class first and then one of its rows,
    # as the paper does; without it, classes with more rows would be favoured.
    cumulative = ops.cumsum(accepted_from / class_size[None, :], axis=1)
    thresholds = seed_draw * cumulative[:, -1]
    passed = ops.cast(cumulative <= thresholds[:, None], "int32")
    # Rounding can put a threshold at the very end of the line: stay inside.
    rows = ops.minimum(ops.sum(passed, axis=1), ops.shape(labels)[0] - 1)
    keep = ops.squeeze(ops.take_along_axis(accepted_from, rows[:, None], axis=1), 1)
    generated = generated_draw < ops.take(ops.convert_to_tensor(generation), labels)
    return Choice(rows, ops.logical_and(generated, keep_draw < keep))


def scale_noise(direction: Any, norm: float, units: Any = None) -> Any:
    """Scale every sample of `direction` to an L2 norm of exactly `norm`, in `units`.

    Args:
        direction: float tensor `(batch, ...)`, Gaussian, which makes the
            direction uniform.
        norm: Length of every sample of the result, a float of at least 0.
        units: As for `translate`: what has length `norm` is the result divided by
            them; where they are 0, it is 0 and does not count.

    Returns:
        float tensor shaped like `direction`.

    Example:

    >>> import keras
    >>> keras.ops.convert_to_numpy(scale_noise(keras.ops.array([[3.0, 4.0]]), 0.5))
    array([[0.3, 0.4]], dtype=float32)

    Source: "a small noise" of Kim et al., Algorithm 1, line 7. The norm is per
    sample, so that it does not depend on the batch size.
    """
    if units is None:
        return norm * _unit(direction)
    units = ops.convert_to_tensor(units, "float32")
    moving = ops.cast(units > 0, "float32")
    return norm * (units * _unit(moving * direction))


def translate(
    f: Callable[[Any], Any],
    g: Callable[[Any], Any],
    seeds: Any,
    seed_classes: Any,
    targets: Any,
    noise: Any = None,
    lam: float = 0.5,
    steps: int = 10,
    step_size: float = 0.1,
    bounds: tuple[float, float] | None = None,
    unroll: bool = False,
    units: Any = None,
) -> Any:
    """Move every seed into its target class by `steps` normalised gradient steps.

    Think of it as a targeted adversarial attack on `g`, held back by `f`: each
    step of length `step_size` lowers `CE(g(x), target) + lam * f(x)[seed_class]`.
    Rows do not mix: the objective is summed over the batch.

    With `units`, lengths are those of `u = x / units`, as if each entry had been
    divided by its unit and the networks told so. By the chain rule the gradient to u is
    `d = units * gradient`. A step `u - step_size * d / |d|` moves x by `units` times as
    much: by `step_size * units * d / |d|`. An entry of unit 0 stays where it is.

    Args:
        f: Callable from samples to logits `(batch, num_classes)`, in inference
            mode: the network being trained. For two classes a network may also
            return one logit z `(batch, 1)`, which stands for `(-z/2, z/2)`.
        g: The same for the frozen classifier.
        seeds: float32 tensor `(batch, ...)`, the samples to start from.
        seed_classes: int tensor `(batch,)`, their classes.
        targets: int tensor `(batch,)`, the classes to move to.
        noise: float32 tensor like `seeds` added at the start, or None.
        lam: Weight of the seed class's logit under `f`, at least 0.
        steps: Number of gradient steps T, an integer of at least 1.
        step_size: L2 length of every step, positive, in `units`; a float, or a float32
            scalar tensor.
        bounds: `(low, high)` that every value is clipped to after every step,
            or None.
        unroll: Whether the loop is written out in compiled code.
        units: Array or tensor that broadcasts to a sample, at least 0: the length of a
            step of length 1 along each entry. None for ones.

    Returns:
        float32 tensor like `seeds`.

    Example:

    One step of length 1 along a linear `g`, whose second class lies to the right:

    >>> import keras
    >>> import numpy as np
    >>> g = lambda x: keras.ops.concatenate([-x, x], axis=1)
    >>> moved = translate(
    ...     g, g, keras.ops.zeros((1, 1)), np.array([0]), np.array([1]),
    ...     steps=1, step_size=1.0,
    ... )
    >>> keras.ops.convert_to_numpy(moved)
    array([[1.]], dtype=float32)

    Source: Kim et al., M2m (CVPR 2020), eq. (2) and Algorithm 1, lines 7 to 11.
    """

    def objective(x):
        cross_entropy = _cross_entropy(_logits(g, x), targets)
        return ops.sum(cross_entropy + lam * _at(_logits(f, x), seed_classes))

    def clip(x):
        return x if bounds is None else ops.clip(x, *bounds)

    if units is not None:
        units = ops.convert_to_tensor(units, "float32")

    def direction(x):
        gradient = input_gradient(objective, x)
        return _unit(gradient) if units is None else units * _unit(units * gradient)

    def step(_, x):
        return clip(x - step_size * direction(x))

    x = ops.convert_to_tensor(seeds, "float32")
    x = clip(x if noise is None else x + noise)
    if not unroll:
        return ops.fori_loop(0, steps, step, x)
    for index in range(steps):
        x = step(index, x)
    return x


def accept(g: Callable[[Any], Any], translated: Any, targets: Any, gamma: float) -> Any:
    """Whether `g` is confident enough of each translation.

    Args:
        g: Callable from samples to logits, as for `translate`.
        translated: float32 tensor `(batch, ...)`.
        targets: int tensor `(batch,)`, the classes aimed at.
        gamma: Least probability of the target under `g`, in `[0, 1]`; 0 accepts
            everything.

    Returns:
        bool tensor `(batch,)`.

    Example:

    >>> import keras
    >>> import numpy as np
    >>> logits = keras.ops.array([[0.0, 3.0], [0.0, 1.0]])
    >>> keras.ops.convert_to_numpy(accept(lambda x: x, logits, np.array([1, 1]), 0.9))
    array([ True, False])

    Source: Kim et al., Algorithm 1, line 13. The paper prints the test on the
    loss; its values of gamma are confidences (`CE <= c` is `p >= exp(-c)`).
    """
    probabilities = ops.softmax(_logits(g, translated), axis=-1)
    return _at(probabilities, targets) >= gamma


def _unit(x):
    """Divide every sample by its L2 norm over all axes except the first."""
    axes = tuple(range(1, len(x.shape)))
    norm = ops.sqrt(ops.sum(ops.square(x), axis=axes, keepdims=True))
    return x / ops.maximum(norm, _TINY)


def _cross_entropy(logits, classes):
    return ops.logsumexp(logits, axis=-1) - _at(logits, classes)


def _at(values, classes):
    """`values[i, classes[i]]`, by a product that XLA and autodiff handle well."""
    one_hot = ops.one_hot(classes, values.shape[-1], dtype=values.dtype)
    return ops.sum(values * one_hot, axis=-1)


def _logits(network, x):
    """float32 logits `(batch, num_classes)`, two of a network that returns one."""
    return class_logits(ops.cast(network(x), "float32"))
