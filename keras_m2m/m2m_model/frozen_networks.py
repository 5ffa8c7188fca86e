"""f and g as a translation calls them: frozen, folded, on the rows that it is for."""

import functools

import keras
from keras import ops

from keras_m2m._backend import compiled
from keras_m2m.folding import FoldedNetwork
from keras_m2m.m2m_model.compilation import Plan
from keras_m2m.m2m_model.compilation import apply_to_first
from keras_m2m.m2m_model.compilation import with_rounded_rows
from keras_m2m.m2m_model.replicas import divided


class FrozenNetworks:
    """Runs functions of both networks with their weights as they are now.

    Args:
        f: The network to train.
        g: The frozen one.

    Example:

    >>> import keras_m2m
    >>> f, g = (keras_m2m.mlp(3, input_shape=(4,)) for _ in range(2))
    >>> networks = FrozenNetworks(f, g)
    >>> plan = Plan(True, (64,), unroll=False, forward_gradient=False, alone=True)
    >>> difference = functools.partial(lambda f, g, x: f(x) - g(x))
    >>> wanted = ops.ones((5,), "bool")
    >>> networks.run("fg", difference, plan, wanted, ops.zeros((5, 4))).shape[1]
    3
    """

    def __init__(self, f: keras.Model, g: keras.Model) -> None:
        self._folded = {"f": FoldedNetwork(f), "g": FoldedNetwork(g)}
        self._compiled: dict = {}

    @property
    def nest(self) -> bool:
        """Whether loops and branches cost nothing under XLA on a CPU."""
        return all(folded.nests for folded in self._folded.values())

    def refresh(self) -> bool:
        """Fold anew what has got other variables; returns whether any has."""
        changed = [folded.refresh() for folded in self._folded.values()]
        if any(changed):
            self._compiled.clear()
        return any(changed)

    def run(self, names: str, fn: functools.partial, plan: Plan, wanted, *tensors):
        """Call a function of networks and tensors on the first rows of the tensors.

        Args:
            names: Which networks it takes before the tensors, `"fg"` or `"g"`.
            fn: A partial of a function and settings. Those that are tensors, of the
                networks' device, may have other values in the next call; the others
                can be hashed.
            plan: How.
            wanted: bool tensor `(n,)`, whose True entries come first: the rows.
            *tensors: Tensors of shape `(n, ...)`.

        Returns:
            What `apply_to_first` returns.
        """
        folded = [self._folded[name] for name in names]
        varying = {k: v for k, v in fn.keywords.items() if ops.is_tensor(v)}
        fixed = {k: v for k, v in fn.keywords.items() if k not in varying}

        def on_first(count, values, *tensors):
            frozen = [one.freeze(plan.forward_gradient) for one in folded]
            settings = {**fixed, **dict(zip(varying, values, strict=True))}
            of_rows = divided(functools.partial(fn.func, *frozen, **settings))
            return apply_to_first(of_rows, count, plan.sizes, *tensors)

        count = ops.sum(ops.cast(wanted, "int32"))
        if not plan.alone:
            return on_first(count, varying.values(), *tensors)
        variables = [v for one in folded for v in one.network.variables]

        def pure(values, count, *tensors):
            mapping = [*zip(variables, values, strict=True)]
            with keras.StatelessScope(state_mapping=mapping):
                settings, rows = tensors[: len(varying)], tensors[len(varying) :]
                return on_first(count, settings, *rows)

        key = plan, fn.func, *varying, *sorted(fixed.items())
        run = self._compiled.setdefault(key, compiled(pure))
        weights = [variable.value for variable in variables]
        run = functools.partial(run, weights, count, *varying.values())
        return run(*tensors) if plan.static else with_rounded_rows(run, *tensors)
