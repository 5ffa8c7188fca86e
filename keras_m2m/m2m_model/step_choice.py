"""The step of a translation that suits the data, tried out on training samples."""

import functools
import math
from typing import Any
from typing import NamedTuple

import keras
import numpy as np
from keras import ops

from keras_m2m import checks
from keras_m2m import translation
from keras_m2m.draws import spread_seed
from keras_m2m.imbalance import ClassCounts
from keras_m2m.imbalance import acceptance_probability
from keras_m2m.imbalance import check_class_counts
from keras_m2m.imbalance import generation_probability
from keras_m2m.m2m_model.compilation import PARTS
from keras_m2m.m2m_model.compilation import Plan
from keras_m2m.m2m_model.frozen_networks import FrozenNetworks
from keras_m2m.m2m_model.network_checks import input_shape
from keras_m2m.m2m_model.settings import check_units
from keras_m2m.sampling import is_stream
from keras_m2m.sampling.sparse_rows import SparseRows

_ENOUGH = 0.5
_MOST = 2**20  # Translations at once.
# Of all steps of a translation together, in distances of the samples from their mean.
_SHORTEST, _LONGEST = 1 / 128, 4


class StepChoice(NamedTuple):
    """What `choose_step_size` found.

    Attributes:
        step_size: The chosen L2 length of a step, a power of the square root of 2.
        tried: Share of translations that was accepted, by step, ascending up to the
            last one that was tried. Empty if no class is ever translated.
        translations: How many each share is of.
    """

    step_size: float
    tried: dict[float, float]
    translations: int

    @property
    def acceptance_rate(self) -> float:
        """Share of translations that was accepted with the chosen step; 0 of none."""
        return self.tried.get(self.step_size, 0.0)

    def __str__(self) -> str:
        said = f"step_size {self.step_size:.3g}"
        if not self.tried:
            return f"{said}: no class is translated"
        share = f"{100 * self.acceptance_rate:.0f} % of {self.translations}"
        said = f"{said}: {share} translations accepted"
        if self.acceptance_rate < _ENOUGH:
            first, last = min(self.tried), max(self.tried)
            return (
                f"{said}, the most of any step from {first:.3g} to {last:.3g}; half is "
                "wanted. g is not sure enough of them"
            )
        shorter = [*self.tried][-2:-1]
        told = [f" ({step:.3g}: {100 * self.tried[step]:.0f} %)" for step in shorter]
        return "".join([said, *told])


def choose_step_size(
    f: keras.Model,
    g: keras.Model,
    x: Any,
    y: Any,
    class_counts: ClassCounts,
    beta: float = 0.999,
    lam: float = 0.5,
    gamma: float = 0.9,
    steps: int = 10,
    bounds: tuple[float, float] | None = None,
    noise: float | None = None,
    units: Any = None,
    translations: int = 256,
    seed: int | None = None,
) -> StepChoice:
    """The shortest step with which `g` accepts at least half of some translations.

    Steps are tried from short to long, each 1.41 times the one before, on the same
    pairs of sample and target class. These are drawn as M2m draws them for
    class-balanced batches. Where no step has half accepted, the one with the most is
    chosen. `M2mModel.fit` calls this where `step_size` is `"auto"`.

    Args:
        f: The classifier to train, as for `M2mModel`, in its present state.
        g: The frozen classifier.
        x: Training samples `(n, ...)`, an array, or an object that reads the samples
            of an index array as `x[rows]`.
        y: Their labels, integers in `0..num_classes - 1`, of shape `(n,)` or `(n, 1)`.
        class_counts: Training samples per class, as for `M2mModel`.
        beta: As for `M2mModel`; so are the next four.
        lam: Weight of the logit of the seed's class under `f`.
        gamma: Least probability of the target under `g`.
        steps: Gradient steps of a translation.
        bounds: `(low, high)` that samples stay in, or None.
        noise: L2 norm of the random start; None for the length of the step.
        units: As for `M2mModel`; the step and the noise are in them.
        translations: How many translations each step is tried on.
        seed: Integer of at least 0 that these are drawn by; None for any.

    Returns:
        A `StepChoice`; its text says what was found.

    Raises:
        ValueError: If an argument is outside its range, or labels and samples do not
            go together.

    Example:

    >>> def linear(*kernel):
    ...     network = keras.Sequential([keras.Input((2,)), keras.layers.Dense(2)])
    ...     network.set_weights([np.array(kernel), np.zeros(2)])
    ...     return network
    >>> f, g = (linear([-1.0, 1.0], [0.0, 0.0]) for _ in range(2))
    >>> x, y = np.float32([[-1, 0]] * 90 + [[1, 0]] * 10), np.repeat([0, 1], [90, 10])
    >>> print(choose_step_size(f, g, x, y, [90, 10], noise=0.0, seed=0))
    step_size 0.25: 100 % of 256 translations accepted (0.177: 0 %)

    To be sure to 0.9 takes a logit 1.1 to the right, that is ten steps of 0.21.
    """
    counts = check_class_counts(class_counts)
    checks.check_model(f=f)
    checks.check_model(g=g)
    labels, x = checks.check_labels(y, len(counts)), _samples(x)
    checks.check_same_length(x, labels)
    units = check_units(units, input_shape(f, g))
    settings = {
        "lam": checks.check_real(0, lam=lam),
        "gamma": checks.check_real(0, 1, gamma=gamma),
        "steps": checks.check_whole(steps=steps),
        "bounds": checks.check_bounds(bounds),
        "noise": None if noise is None else checks.check_real(0, noise=noise),
    }
    if units is not None:
        settings["units"] = ops.convert_to_tensor(units)
    number = checks.check_whole(1, _MOST, translations=translations)
    rng = np.random.default_rng(spread_seed(seed, stream=5))
    classes = rng.choice(np.unique(labels), number)
    spread_of = np.asarray(x[_rows(rng, labels, classes)], "float64")
    grid = _grid(spread_of, units, steps)
    targets, classes = _pairs(rng, labels, counts, beta, number)
    if not len(targets):
        return StepChoice(grid[len(grid) // 2], {}, 0)
    seeds = np.asarray(x[_rows(rng, labels, classes)], "float32")
    accepted = _trial(f, g, seeds, classes, targets, rng)
    tried: dict[float, float] = {}
    for step in grid:
        tried[step] = accepted(step, settings)
        if tried[step] >= _ENOUGH:
            break
    return StepChoice(max(tried, key=lambda s: tried[s]), tried, number)


def _samples(x):
    if checks.is_sparse(x):
        return SparseRows(x)
    return x if is_stream(x) else checks.check_samples(x)


def _rows(rng, labels, classes):
    """A row of each of these classes, drawn uniformly from those of the class."""
    by_class = np.argsort(labels, kind="stable")
    sizes = np.bincount(labels)
    first = np.cumsum(sizes) - sizes
    return by_class[first[classes] + rng.integers(sizes[classes])]


def _pairs(rng, labels, counts, beta, number):
    """Targets and classes of seeds as M2m draws them; none if nothing is translated.

    A target is drawn uniformly and kept by its chance to be generated, the class of its
    seed by Q, and the pair kept by R: the chance of a pair is `generation[k] *
    acceptance[k, k0]**2 / sum(acceptance[k])`.
    """
    acceptance = acceptance_probability(counts, beta)
    acceptance[:, np.bincount(labels, minlength=len(counts)) == 0] = 0
    total = acceptance.sum(axis=1)
    kept = np.einsum("ij,ij->i", acceptance, acceptance)
    chances = generation_probability(counts) * kept / np.where(total > 0, total, 1)
    if not chances.sum():
        return np.empty((2, 0), "int64")
    targets = rng.choice(len(counts), number, p=chances / chances.sum())
    squares = (np.square(acceptance[target]) for target in targets)
    seeds = [rng.choice(len(counts), p=each / each.sum()) for each in squares]
    return targets, np.array(seeds)


def _grid(samples, units, steps):
    """Powers of the square root of 2, around what the samples' spread calls for."""
    if units is not None:
        moves = np.broadcast_to(units > 0, samples.shape)
        samples = np.divide(samples, units, out=np.zeros_like(samples), where=moves)
    distance = math.sqrt(samples.var(axis=0).sum()) or 1.0
    first, last = (
        round(2 * math.log2(share * distance / steps))
        for share in (_SHORTEST, _LONGEST)
    )
    return [2 ** (power / 2) for power in range(first, last + 1)]


def _trial(f, g, samples, classes, targets, rng):
    """Function of a step and settings to the share of translations accepted with it."""
    networks = FrozenNetworks(f, g)
    backend = keras.config.backend()
    plan = Plan(
        static=True,
        sizes=(PARTS,),
        unroll=backend == "jax" and not networks.nest,
        forward_gradient=backend == "jax",
        alone=backend != "torch",  # Compiled once for all steps.
    )
    gaussian = rng.standard_normal(samples.shape).astype("float32")
    tensors = [
        ops.convert_to_tensor(part)
        for part in (
            samples,
            *(p.astype("int32") for p in (classes, targets)),
            gaussian,
        )
    ]
    wanted = ops.ones((len(samples),), "bool")

    def share(step, settings):
        run = functools.partial(
            _accepted,
            step_size=ops.convert_to_tensor(step, "float32"),
            unroll=plan.unroll,
            **settings,
        )
        accepted = networks.run("fg", run, plan, wanted, *tensors)
        # Counted where they are: of several processes none can read all of them.
        return int(ops.sum(ops.cast(accepted, "int32"))) / len(samples)

    return share


def _accepted(
    f, g, seeds, seed_classes, targets, gaussian, gamma, noise, step_size, **settings
):
    norm = step_size if noise is None else noise
    noise = translation.scale_noise(gaussian, norm, settings.get("units"))
    translated = translation.translate(
        f, g, seeds, seed_classes, targets, noise, step_size=step_size, **settings
    )
    return translation.accept(g, translated, targets, gamma)
