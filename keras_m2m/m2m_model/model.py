"""`M2mModel`: ordinary Keras training on batches that M2m has rewritten."""

import functools
from collections.abc import Mapping
from typing import Any

import keras
from keras import ops

from keras_m2m import checks
from keras_m2m import translation
from keras_m2m._backend import run_stateful
from keras_m2m._backend import unhindered
from keras_m2m._backend import values_kept
from keras_m2m.imbalance import ClassCounts
from keras_m2m.imbalance import acceptance_by_size
from keras_m2m.imbalance import check_class_counts
from keras_m2m.imbalance import generation_probability
from keras_m2m.imbalance import translation_share
from keras_m2m.m2m_model import data_checks
from keras_m2m.m2m_model import network_checks
from keras_m2m.m2m_model.compilation import check_choices
from keras_m2m.m2m_model.compilation import plan
from keras_m2m.m2m_model.fitting import fit_arguments
from keras_m2m.m2m_model.frozen_networks import FrozenNetworks
from keras_m2m.m2m_model.seeds import Seeds
from keras_m2m.m2m_model.seeds import wanted_seeds
from keras_m2m.m2m_model.stepping_pair import SteppingPair
from keras_m2m.m2m_model.translation_counts import TranslationCounts


@keras.saving.register_keras_serializable(package="keras_m2m")
class M2mModel(SteppingPair):
    """Trains `f` with Major-to-minor Translation against a frozen classifier `g`.

    Every training step replaces part of the batch: a row of a rare class becomes
    a sample of a frequent class that gradient steps have moved into the rare
    class, as `g` sees it. Labels and sample weights stay. All else is Keras' own:
    callbacks, class weights, mixed precision, compilation and so on just work.

    Feed it class-balanced batches (`ResampledDataset(..., sampling="class")`),
    and begin after some epochs of ordinary training of `f` (deferred schedule):
    compile this model with the optimizer object that trained `f`. Save and export
    `f`, not this model: `f.save("f.keras")`.

    While training, the logs hold `acceptance_rate` (accepted over translated rows,
    0 if there were none) and `replaced_rate` (accepted over all rows); the callback
    `WatchAcceptance` holds the counts of every pair of classes.

    To vary a step, override `draw_numbers`, `draw_seeds`, `translate`, `accept` or
    `replace`. The arguments are fixed: for others make a new model of the same f and g.

    Args:
        f: The classifier to train: a built `keras.Model` with one input, which
            returns logits of shape `(batch, num_classes)`; for two classes also
            `(batch, 1)`, of probability `sigmoid(z)` for class 1. Of such a logit z,
            `lam` acts on the equivalent two, `-z/2` and `z/2`.
        g: A classifier of the same inputs, trained on the same imbalanced data
            from other initial weights. This sets `g.trainable = False`; neither
            its weights nor its moving statistics ever change, whatever is set later.
        class_counts: Training samples per class, positive integers of shape
            `(num_classes,)`, in any order, or a mapping from class to number.
        beta: Reliability of `g` in `[0, 1)`: a translation from a class with n
            more samples than the target is rejected with probability `beta**n`.
        lam: Weight of the logit of the seed's class under `f`, at least 0.
        gamma: Least probability of the target under `g`, in `[0, 1]`; 0 accepts all.
        steps: Gradient steps of a translation, an integer of at least 1.
        step_size: L2 length of each, positive, in `units`; or `"auto"`: `fit` chooses
            the shortest with which `g` accepts half of some translations of training
            samples, says so, and keeps it (`choose_step_size`). None for a tenth of the
            width of `bounds`, and without these for `"auto"`.
        bounds: `(low, high)` that samples stay in, such as `(0, 1)` for images;
            None for data without limits.
        noise: L2 norm of the random start of a translation, in `units`; 0 turns it
            off. None for a tenth of the width of `bounds`, or 0.1 without; where the
            step is chosen, for its length.
        unroll: Short for `compilation={"unroll": unroll}`.
        seed: Integer that the drawn numbers follow from; None for any.
        name: Name of the model.
        compilation: How the translation is compiled, where that is not left to this
            model: a dict of True or False for `"unroll"` (steps written out, no loop),
            `"branches"` (for a few numbers of rows, not the whole batch alone),
            `"forward_gradient"` (that of a convolution is one too), `"static"` (as many
            seeds as rows, whatever is wanted) and `"alone"` (by itself; for PyTorch on
            a GPU, as a CUDA graph). This changes speed and rounding.
        mixing: A `Mixup`, `Remix` or `CMO` of the translated batch; None not to mix.
        units: Array that broadcasts to a sample, such as `standard_units(x)`: how long
            a unit step is along each entry; one of unit 0 stays. None for ones.

    Call arguments:
        x: Samples `(batch, ...)`. The result is `f(x)`, logits.

    Raises:
        ValueError: If an argument is outside its range; if `f` or `g` is not
            built, has several inputs or outputs, does not return one logit per
            class, or shares variables with the other; from `compile`, if the loss takes
            probabilities or corrects for class frequencies, or `compilation` cannot be
            met; or, from `fit`, if labels, bounds or values of the data do not fit.
        AttributeError: If an argument is assigned again.

    Example:

    >>> import numpy as np
    >>> import keras_m2m
    >>> x = np.random.default_rng(0).normal(size=(110, 4)).astype("float32")
    >>> y = np.repeat([0, 1], [100, 10])
    >>> f, g = (keras_m2m.mlp(2, input_shape=(4,)) for _ in range(2))
    >>> model = keras_m2m.M2mModel(f, g, [100, 10], beta=0.9, gamma=0)
    >>> model.compile("sgd", keras.losses.SparseCategoricalCrossentropy(True))
    >>> batches = keras_m2m.ResampledDataset(x, y, batch_size=10, sampling="class")
    >>> history = model.fit(**batches.fit_arguments, verbose=0)
    >>> history.history["acceptance_rate"]
    [1.0]

    Source: Kim, Jeong, Shin, M2m (CVPR 2020), Algorithm 1 and section 2.3.
    """

    FIXED = (
        *("f", "g", "class_counts", "beta", "lam", "gamma", "steps", "step_size"),
        *("bounds", "noise", "unroll", "seed", "compilation", "mixing", "units"),
    )

    def __init__(
        self,
        f: keras.Model,
        g: keras.Model,
        class_counts: ClassCounts,
        beta: float = 0.999,
        lam: float = 0.5,
        gamma: float = 0.9,
        steps: int = 10,
        step_size: float | str | None = None,
        bounds: tuple[float, float] | None = None,
        noise: float | None = None,
        unroll: bool | None = None,
        seed: int | None = None,
        name: str | None = None,
        compilation: Mapping[str, bool | None] | None = None,
        mixing: Any = None,
        units: Any = None,
    ) -> None:
        counts, bounds = check_class_counts(class_counts), checks.check_bounds(bounds)
        network_checks.check_networks(f, g, len(counts), bounds)
        super().__init__(f, g, bounds, step_size, noise, units, seed, name, mixing)
        self.class_counts, self.beta = counts, beta
        self._generation = generation_probability(counts).astype("float32")
        acceptance, size_of = acceptance_by_size(counts, beta)
        self._acceptance = acceptance.astype("float32"), size_of.astype("int32")
        self._share = translation_share(counts, beta)
        self._networks = FrozenNetworks(f, g)
        self.lam = checks.check_real(0, lam=lam)
        self.gamma = checks.check_real(0, 1, gamma=gamma)
        self.steps = checks.check_whole(steps=steps)
        self._choices = check_choices(compilation, unroll)
        self.unroll, self.compilation = unroll, compilation and dict(compilation)
        self.translation_counts = TranslationCounts(len(counts))
        self._replaced_rate = keras.metrics.Mean(name="replaced_rate", dtype="float32")

    @functools.wraps(keras.Model.fit, assigned=())
    def fit(self, *args: Any, **kwargs: Any) -> keras.callbacks.History:
        """Train `f`; as `keras.Model.fit`, after checks of the data.

        Looks through arrays and `ResampledDataset`. Of other data it looks at the
        first batch, which is then read twice. `class_weight` may also be an array. An
        epoch in which hardly a translation was accepted gives a warning, once, unless a
        `WatchAcceptance` is among the callbacks.

        Raises:
            ValueError: If samples are integers, not finite or outside `bounds`, a label
                is not in `0..num_classes - 1`, or devices or batch size do not fit.
        """
        arguments = fit_arguments(self, *args, **kwargs)
        with values_kept(self):
            return super().fit(**arguments)

    def compile(self, *args: Any, **kwargs: Any) -> None:
        """As `SteppingPair` does; raises where `compilation` cannot be met."""
        super().compile(*args, **kwargs)
        plan(self, True, self._share, self._choices)

    def make_train_function(self, force: bool = False) -> Any:
        """As `keras.Model` does; anew when a network has other variables."""
        return super().make_train_function(self._networks.refresh() or force)

    def train_step(self, *state_and_data: Any) -> Any:
        """Rewrite the batch, then do the ordinary step; on JAX, with a state."""
        *state, data = state_and_data
        with unhindered(self):
            data, state = run_stateful(self, state, self._rewrite, data)
            return super().train_step(*state, data)

    def test_step(self, *state_and_data: Any) -> Any:
        """Evaluate `f`; the rates describe training, so they are left out."""
        result = super().test_step(*state_and_data)
        logs = result[0] if len(state_and_data) == 2 else result
        for metric in (self.translation_counts, self._replaced_rate):
            logs.pop(metric.name)
        return result

    def _rewrite(self, data):
        x, y, sample_weight = keras.utils.unpack_x_y_sample_weight(data)
        x = checks.only_input(x)
        data_checks.check_batch(x, y, len(self.class_counts))
        x, y = ops.cast(x, "float32"), ops.convert_to_tensor(y)
        labels = ops.reshape(ops.cast(y, "int32"), (-1,))
        seeds = self.draw_seeds(x, labels)
        translated = self.translate(seeds)
        accepted = ops.logical_and(seeds.wanted, self.accept(seeds, translated))
        self._record(ops.shape(labels)[0], seeds, accepted)
        x, labels = self.replace(x, labels, seeds, translated, accepted)
        y = ops.reshape(ops.cast(labels, y.dtype), ops.shape(y))
        return self.mixed(x, y, sample_weight)

    def draw_seeds(self, x: Any, labels: Any) -> Seeds:
        """Choose the rows to be generated and the in-batch seed of each.

        Args:
            x: float32 tensor `(batch, ...)`, the batch as it came in.
            labels: int32 tensor `(batch,)`.

        Returns:
            `Seeds`, of which those not `wanted` are ignored.
        """
        draws = self.draw_numbers(ops.shape(labels)[0])
        choice = translation.choose_seeds(
            labels, draws, self._generation, *self._acceptance
        )
        return wanted_seeds(x, labels, choice, self._plan.static)

    def draw_numbers(self, size: Any) -> Any:
        """Draw the numbers that `translation.choose_seeds` decides by.

        Args:
            size: Rows of the batch, an integer or int32 scalar tensor.

        Returns:
            float32 tensor `(3, size)`, uniform in `[0, 1)`; the last row draws R.
        """
        return keras.random.uniform((3, size), dtype="float32", seed=self._generator)

    def translate(self, seeds: Seeds) -> Any:
        """Translate every seed to its target, from a small random offset.

        Args:
            seeds: What `draw_seeds` returned.

        Returns:
            float32 tensor like `seeds.samples`; what is not wanted may be zeros.
        """
        noise, step = self.noise_and_step(ops.shape(seeds.samples))
        settings = {"lam": self.lam, "steps": self.steps, "unroll": self._plan.unroll}
        run = functools.partial(translation.translate, **settings, **step)
        tensors = seeds.samples, seeds.classes, seeds.targets, noise
        return self._networks.run("fg", run, self._plan, seeds.wanted, *tensors)

    def accept(self, seeds: Seeds, translated: Any) -> Any:
        """Whether `g` is confident of each translation.

        Args:
            seeds: What `draw_seeds` returned.
            translated: What `translate` returned.

        Returns:
            bool tensor `(n,)`; rows that are not `seeds.wanted` do not count.
        """
        run = functools.partial(translation.accept, gamma=self.gamma)
        tensors = translated, seeds.targets
        return self._networks.run("g", run, self._plan, seeds.wanted, *tensors)

    def replace(
        self, x: Any, labels: Any, seeds: Seeds, translated: Any, accepted: Any
    ) -> tuple[Any, Any]:
        """Put the accepted translations into the batch.

        Args:
            x: float32 tensor `(batch, ...)`.
            labels: int32 tensor `(batch,)`.
            seeds: What `draw_seeds` returned.
            translated: float32 tensor `(n, ...)`.
            accepted: bool tensor `(n,)`, already False where not wanted.

        Returns:
            `(x, labels)` of the same shapes; M2m itself leaves labels alone.
        """
        mask = ops.reshape(accepted, (-1,) + (1,) * (len(x.shape) - 1))
        new = ops.where(mask, translated, ops.take(x, seeds.rows, axis=0))
        return ops.scatter_update(x, seeds.rows[:, None], new), labels

    def _record(self, batch_size, seeds, accepted):
        self.translation_counts.update_state(seeds, accepted)
        accepted = ops.sum(ops.cast(accepted, "float32"))
        replaced = accepted / ops.cast(batch_size, "float32")
        self._replaced_rate.update_state(replaced, sample_weight=batch_size)

    @property
    def _plan(self):
        return plan(self, self._networks.nest, self._share, self._choices)
